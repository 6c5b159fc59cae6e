"""Downloaded objects that stay on disk between two uses of a warm function."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock
from typing import Final

#: (ETag known so far or "", where to write) -> the object's ETag now
Download = Callable[[str, Path], str]
_NAME: Final = "huitong-warm-"


@dataclass(slots=True)
class _File:
    path: Path
    etag: str
    size: int
    users: int = 0


class WarmFiles:
    """A bounded store of whole objects, least recently used out first.

    Every lease asks the object store whether the copy is still the object, so a
    stale copy is never served. A file in use is never removed. The folder
    belongs to this process; folders of processes that are gone are cleared away.
    """

    def __init__(self, limit: int, root: Path | None = None) -> None:
        self._limit = limit
        self._root = root
        self._folder: Path | None = None
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._lock = RLock()
        self._serial = 0

    @contextmanager
    def lease(self, name: str, download: Download) -> Iterator[Path]:
        """The object ``name`` as a read-only file. Raises what ``download`` raises."""
        file = self._take(name, download)
        try:
            yield file.path
        finally:
            with self._lock:
                file.users -= 1
                if self._files.get(name) is not file and not file.users:
                    file.path.unlink(missing_ok=True)  # a newer copy took its place meanwhile
                self._trim()

    def _take(self, name: str, download: Download) -> _File:
        with self._lock:
            known = self._files.get(name)
            if known:
                known.users += 1
            target = self._new_path(name)
        try:
            etag = download(known.etag if known else "", target)
        except BaseException:
            with self._lock:
                target.unlink(missing_ok=True)
                if known:
                    known.users -= 1
            raise
        with self._lock:
            if known and not target.exists():
                if self._files.get(name) is known:
                    self._files.move_to_end(name)
                return known
            if known:
                known.users -= 1
            target.chmod(0o400)
            fresh = _File(target, etag, target.stat().st_size, users=1)
            replaced = self._files.pop(name, None)
            if replaced and not replaced.users:
                replaced.path.unlink(missing_ok=True)
            self._files[name] = fresh
            self._trim()
            return fresh

    def _trim(self) -> None:
        total = sum(f.size for f in self._files.values())
        for name, file in list(self._files.items()):
            if total <= self._limit:
                return
            if not file.users:
                file.path.unlink(missing_ok=True)
                del self._files[name]
                total -= file.size

    def _new_path(self, name: str) -> Path:
        if self._folder is None:
            root = self._root or Path(tempfile.gettempdir())
            root.mkdir(parents=True, exist_ok=True)
            _clear_the_dead(root)
            self._folder = Path(tempfile.mkdtemp(prefix=f"{_NAME}{os.getpid()}-", dir=root))
        self._serial += 1
        suffix = Path(name.rpartition("?")[0]).suffix  # readers tell formats by the extension
        return self._folder / f"{self._serial:06}{suffix[:12]}"


def _clear_the_dead(root: Path) -> None:
    for folder in root.glob(f"{_NAME}*"):
        owner = folder.name.removeprefix(_NAME).partition("-")[0]
        if owner.isdigit() and not _alive(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
