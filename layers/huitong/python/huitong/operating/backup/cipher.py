"""Files of a backup: AES-256-GCM in blocks, so that a file of any size is a stream (S-25).

A block's nonce is the file's random prefix and the block's number; name, number and "last" are bound to each
block, so that blocks cannot be moved, left out or cut off, nor one file be given for another.
"""

from __future__ import annotations

import base64
import binascii
import os
import secrets as random_source
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

from huitong.errors import BadRequest, Corrupt

_BLOCK: Final = 1 << 20
_MAGIC: Final = b"huitong-backup-1"
_TAG: Final = 16
_PREFIX: Final = 8


def new_key() -> str:
    """Thirty-two random bytes, as text."""
    return base64.b64encode(random_source.token_bytes(32)).decode()


def write_key(path: Path) -> None:
    """A key file that only its owner reads. Raises BadRequest when the file exists."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise BadRequest(f"{path} 已存在", f"{path} exists: a key is never overwritten") from error
    with os.fdopen(handle, "w") as target:
        target.write(new_key() + "\n")


def read_key(path: Path) -> bytes:
    """Raises BadRequest when the file is none."""
    try:
        key = base64.b64decode(path.read_text().strip(), validate=True)
    except (OSError, binascii.Error, UnicodeDecodeError) as error:
        raise BadRequest(f"{path} 不是密钥文件", f"{path} is no key file") from error
    if len(key) != 32:
        raise BadRequest(f"{path} 不是密钥文件", f"{path} is no key file")
    return key


def seal(source: BinaryIO, target: BinaryIO, key: bytes, name: str) -> int:
    """Encrypt a stream under the name of its file; how many bytes it had."""
    cipher, prefix = _cipher(key), random_source.token_bytes(_PREFIX)
    target.write(_MAGIC + prefix)
    number, size, block = 0, 0, source.read(_BLOCK)
    while True:
        following = source.read(_BLOCK) if block else b""
        last = not following
        size += len(block)
        target.write(cipher.encrypt(_nonce(prefix, number), block, _bound(name, number, last)))
        if last:
            return size
        number, block = number + 1, following


def unseal(source: BinaryIO, key: bytes, name: str) -> Iterator[bytes]:
    """The plain blocks. Raises Corrupt where a block is not the one that was written there."""
    from cryptography.exceptions import InvalidTag

    head = source.read(len(_MAGIC) + _PREFIX)
    if head[: len(_MAGIC)] != _MAGIC:
        raise _broken(name)
    cipher, prefix = _cipher(key), head[len(_MAGIC) :]
    number, block = 0, source.read(_BLOCK + _TAG)
    while True:
        following = source.read(_BLOCK + _TAG) if block else b""
        last = not following
        try:
            yield cipher.decrypt(_nonce(prefix, number), block, _bound(name, number, last))
        except InvalidTag as error:
            raise _broken(name) from error
        if last:
            return
        number, block = number + 1, following


def _cipher(key: bytes) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(key)


def _nonce(prefix: bytes, number: int) -> bytes:
    return prefix + number.to_bytes(4, "big")


def _bound(name: str, number: int, last: bool) -> bytes:
    return f"{name}\x1f{number}\x1f{'last' if last else 'more'}".encode()


def _broken(name: str) -> Corrupt:
    return Corrupt(
        f"备份文件 {name} 已损坏或密钥不符",
        f"The backup file {name} is damaged, or the key is another",
        file=name,
    )
