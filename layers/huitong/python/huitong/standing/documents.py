"""Documents that agreements, tests and reports refer to: put through a presigned address, digested here.

Keys: ``documents/{id}`` of the staging bucket. A document is named by this key
and its digest, so that what was signed can be told from what lies there.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from typing import Any, Final

from huitong.errors import NotFound, TooLarge
from huitong.ports import ObjectStore, PresignedUpload

_SECONDS: Final = 900
_MOST_BYTES: Final = 100_000_000
_CHUNK: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Document:
    """``sm3`` is None where the machine's OpenSSL has no SM3."""

    document: str
    size: int
    sha256: str
    sm3: str | None
    url: str


class Documents:
    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    def open(self, filename: str) -> tuple[str, PresignedUpload]:
        """A key and where to put the bytes; the name's ending is kept for whoever reads it."""
        ending = filename.rpartition(".")[2].lower() if "." in filename else ""
        known = ending if ending.isalnum() and ending.isascii() and len(ending) <= 5 else "bin"
        key = f"documents/{secrets.token_hex(16)}-{known}"
        return key, self._objects.presign_put(key, seconds=_SECONDS)

    def keep(self, data: bytes, ending: str, content_type: str) -> dict[str, Any]:
        """Keep what the platform itself made; its key, digest and an address to read it."""
        key = f"documents/{secrets.token_hex(16)}-{ending}"
        self._objects.put(key, data, content_type=content_type)
        url = self._objects.presign_get(key, seconds=_SECONDS)
        return {"document": key, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "url": url}

    def get(self, id: str) -> Document:
        """Digests of the bytes as they lie there, and an address to read them. Raises NotFound, TooLarge."""
        key = f"documents/{id}"
        info = self._objects.head(key)
        if info is None:
            raise NotFound(f"没有文件 {id}", f"There is no document {id}", document=id)
        if info.size > _MOST_BYTES:
            raise TooLarge("文件过大", "The document is too large", most=_MOST_BYTES)
        sha256, sm3 = hashlib.sha256(), _sm3()
        with self._objects.open(key) as stream:
            while chunk := stream.read(_CHUNK):
                sha256.update(chunk)
                if sm3 is not None:
                    sm3.update(chunk)
        url = self._objects.presign_get(key, seconds=_SECONDS)
        return Document(key, info.size, sha256.hexdigest(), sm3.hexdigest() if sm3 else None, url)


def _sm3() -> hashlib._Hash | None:
    return hashlib.new("sm3") if "sm3" in hashlib.algorithms_available else None
