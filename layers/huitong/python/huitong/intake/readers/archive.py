"""gzip and zip, unpacked within limits (a small file must not become a large one)."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final, cast

from huitong.errors import UnreadableFile
from huitong.intake.readers.refusals import refusal

MAX_BYTES: Final = 4 * 1024**3
MAX_RATIO: Final = 200
FREE_BYTES: Final = 10 * 1024**2  # below this any ratio is harmless
MAX_ENTRIES: Final = 10_000
MAX_WORKBOOK_BYTES: Final = 2 * 1024**3
_CHUNK: Final = 4 * 1024 * 1024

_SPLIT: Final = ("请拆分文件,或不压缩直接上传", "Split the file, or upload it uncompressed")
_ONE: Final = ("压缩包内只放一个数据文件", "Put exactly one data file into the archive")


def names_in_zip(path: Path) -> Sequence[str]:
    """Raises UnreadableFile when the directory of the archive is damaged or too long."""
    with _opened(path) as archive:
        return archive.namelist()


def check_workbook(path: Path) -> None:
    """Refuse a workbook that would unpack to more than it may, before anything unpacks it."""
    with _opened(path) as archive:
        members = archive.infolist()
        total = sum(m.file_size for m in members)
        packed = max(1, sum(m.compress_size for m in members))
        if any(m.flag_bits & 1 for m in members):
            raise _encrypted()
        if total > MAX_WORKBOOK_BYTES or (total > FREE_BYTES and total > packed * MAX_RATIO):
            raise _bomb()


def unpack(path: Path, kind: str, work: Path) -> tuple[Path, str]:
    """The single file inside, and its name. Raises UnreadableFile."""
    target = work / "unpacked"
    packed = path.stat().st_size
    try:
        if kind == "gzip":
            with gzip.open(path, "rb") as stream:
                _copy(cast(BinaryIO, stream), target, packed)
            return target, ""
        with _opened(path) as archive:
            member = _single(archive)
            with archive.open(member) as inner:
                _copy(cast(BinaryIO, inner), target, max(1, member.compress_size))
            return target, member.filename.rpartition("/")[2]
    except (zlib.error, EOFError, gzip.BadGzipFile, zipfile.BadZipFile, NotImplementedError) as error:
        raise _damaged() from error


def _opened(path: Path) -> zipfile.ZipFile:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise _damaged() from error
    if len(archive.infolist()) > MAX_ENTRIES:
        archive.close()
        raise _bomb()
    return archive


def _single(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [
        m
        for m in archive.infolist()
        if not m.is_dir() and not m.filename.startswith(("__MACOSX/", ".", "Thumbs.db"))
    ]
    if len(members) != 1:
        shown = "、".join(m.filename for m in members[:5])
        raise refusal(
            "archive.members",
            f"压缩包内应只有一个数据文件,实有 {len(members)} 个:{shown}",
            f"The archive must hold one data file; it holds {len(members)}: {shown}",
            advice=_ONE,
        )
    member = members[0]
    if member.flag_bits & 1:
        raise _encrypted()
    if member.file_size > MAX_BYTES:
        raise _bomb()
    return member


def _copy(stream: BinaryIO, target: Path, packed: int) -> None:
    written = 0
    with target.open("wb") as out:
        while chunk := stream.read(_CHUNK):
            written += len(chunk)
            if written > MAX_BYTES or (written > FREE_BYTES and written > packed * MAX_RATIO):
                raise _bomb()
            out.write(chunk)


def _bomb() -> UnreadableFile:
    return refusal(
        "archive.too-large",
        "压缩内容展开后超过允许的大小或比例,疑似压缩炸弹",
        "The content unpacks to more than is allowed; it may be a zip bomb",
        advice=_SPLIT,
    )


def _encrypted() -> UnreadableFile:
    return refusal(
        "file.encrypted",
        "文件已加密,无法读取",
        "The file is encrypted",
        advice=("请去除密码后重新上传", "Remove the password"),
    )


def _damaged() -> UnreadableFile:
    return refusal(
        "archive.damaged",
        "压缩文件已损坏或不完整",
        "The compressed file is damaged or incomplete",
        advice=("请重新生成并上传", "Make it again and upload it"),
    )
