"""An object store in a folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, cast

from huitong.errors import Conflict, NotFound
from huitong.ports import ObjectInfo, PresignedUpload, timestamp

_METADATA = ".huitong-metadata"


class DiskObjects:
    """One bucket as one folder. Versions are not kept: ``version`` is ignored."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._root.mkdir(parents=True, exist_ok=True)

    def uri(self, key: str) -> str:
        return f"file://{self._path(key)}"

    def key_of(self, uri: str) -> str:
        return str(Path(uri.removeprefix("file://")).relative_to(self._root))

    def head(self, key: str, version: str = "") -> ObjectInfo | None:  # noqa: ARG002 (one version only)
        path = self._path(key)
        if not path.is_file():
            return None
        stat = path.stat()
        modified = timestamp(datetime.fromtimestamp(stat.st_mtime, UTC))
        notes = self._root / _METADATA / key
        metadata = json.loads(notes.read_text()) if notes.is_file() else {}
        return ObjectInfo(key, stat.st_size, etag=str(stat.st_mtime_ns), modified=modified, metadata=metadata)

    @contextmanager
    def open(self, key: str, version: str = "") -> Iterator[BinaryIO]:
        with self.local(key, version) as path, path.open("rb") as stream:
            yield cast(BinaryIO, stream)

    def read(self, key: str) -> bytes:
        with self.local(key) as path:
            return path.read_bytes()

    @contextmanager
    def local(self, key: str, version: str = "") -> Iterator[Path]:
        if self.head(key, version) is None:
            raise NotFound(f"没有对象 {key}", f"There is no object {key}", key=key)
        yield self._path(key)

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",  # noqa: ARG002 (a folder has no types)
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
    ) -> None:
        path = self._path(key)
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("xb" if if_absent else "wb") as stream:
                stream.write(data)
        except FileExistsError as error:
            raise Conflict(f"对象 {key} 已存在", f"Object {key} already exists", key=key) from error
        if metadata:
            notes = self._root / _METADATA / key
            notes.parent.mkdir(parents=True, exist_ok=True)
            notes.write_text(json.dumps(dict(metadata)))

    def put_file(self, key: str, path: Path, *, content_type: str = "application/octet-stream") -> None:  # noqa: ARG002
        target = self._path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        for path in sorted(self._root.rglob("*")):
            key = str(path.relative_to(self._root))
            if path.is_file() and key.startswith(prefix) and not key.startswith(_METADATA):
                info = self.head(key)
                if info is not None:
                    yield replace(info, metadata={})

    def delete(self, key: str) -> None:
        self._path(key).unlink(missing_ok=True)

    def presign_put(self, key: str, *, seconds: int, content_type: str = "") -> PresignedUpload:
        until = timestamp(datetime.now(UTC) + timedelta(seconds=seconds))
        return PresignedUpload(self.uri(key), {"content-type": content_type} if content_type else {}, until)

    def presign_get(self, key: str, *, seconds: int) -> str:
        return f"{self.uri(key)}?expires={seconds}"

    def _path(self, key: str) -> Path:
        path = (self._root / key).resolve()
        if not path.is_relative_to(self._root):
            raise NotFound(f"没有对象 {key}", f"There is no object {key}", key=key)
        return path
