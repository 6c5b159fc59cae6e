"""What a file is: by its content, never by its name alone (S-19)."""

from __future__ import annotations

from pathlib import Path
from typing import Final, Literal

from huitong.intake.readers.refusals import refusal
from huitong.intake.structure import Structural

Kind = Literal["csv", "json", "xlsx", "xls", "parquet", "gzip", "zip"]

_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_MAGIC: Final[tuple[tuple[bytes, Kind], ...]] = (
    (b"PAR1", "parquet"),
    (b"\x1f\x8b", "gzip"),
    (_OLE, "xls"),
)
_FOREIGN: Final = (
    (b"%PDF", "PDF 文档", "a PDF document"),
    (b"MZ", "Windows 程序", "a Windows program"),
    (b"\x7fELF", "程序", "a program"),
    (b"\x89PNG", "图片", "a picture"),
    (b"\xff\xd8\xff", "图片", "a picture"),
    (b"GIF8", "图片", "a picture"),
    (b"Rar!", "RAR 压缩包", "a RAR archive"),
    (b"7z\xbc\xaf", "7z 压缩包", "a 7z archive"),
    (b"BZh", "bzip2 压缩文件", "a bzip2 file"),
    (b"\xfd7zXZ", "xz 压缩文件", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "zstd 压缩文件", "a zstd file"),
    (b"SQLite format 3", "SQLite 数据库", "an SQLite database"),
    (b"<!DOCTYPE html", "网页", "a web page"),
    (b"<html", "网页", "a web page"),
    (b"<?xml", "XML 文档", "an XML document"),
)
_EXTENSIONS: Final[dict[str, frozenset[Kind]]] = {
    "csv": frozenset({"csv"}),
    "tsv": frozenset({"csv"}),
    "json": frozenset({"json"}),
    "jsonl": frozenset({"json"}),
    "ndjson": frozenset({"json"}),
    "xlsx": frozenset({"xlsx"}),
    "xls": frozenset({"xls"}),
    "parquet": frozenset({"parquet"}),
    "gz": frozenset({"gzip"}),
    "zip": frozenset({"zip"}),
}
_TEXT_CONTROLS: Final = frozenset(range(0x20)) - {0x00, 0x09, 0x0A, 0x0C, 0x0D, 0x1A, 0x1B}

ACCEPTED: Final = (
    "请提供 CSV、XLSX、XLS、JSON、NDJSON 或 Parquet 文件,可用 gzip 或 zip 压缩",
    "Deliver CSV, XLSX, XLS, JSON, NDJSON or Parquet, if you like within gzip or zip",
)


def kind_of(path: Path) -> Kind:
    """Raises UnreadableFile for an empty file and for contents that no reader takes."""
    with path.open("rb") as stream:
        head = stream.read(8192)
    if not head:
        raise refusal("file.empty", "文件为空(0 字节)", "The file is empty (0 bytes)", advice=ACCEPTED)
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _kind_of_zip(path)
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    _refuse_foreign(head)
    return _kind_of_text(head)


def contradiction(filename: str, kind: Kind) -> Structural | None:
    """A warning when the name promises something else than the content is."""
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    promised = _EXTENSIONS.get(extension)
    if promised is None or kind in promised:
        return None
    return Structural(
        "file.extension",
        f"扩展名 .{extension} 与内容不符,已按内容({kind})读取",
        f"The extension .{extension} does not fit the content; it was read as what it is ({kind})",
        value=filename,
    )


def _kind_of_zip(path: Path) -> Kind:
    from huitong.intake.readers.archive import names_in_zip

    names = names_in_zip(path)
    if "[Content_Types].xml" in names or any(n.startswith("xl/") for n in names):
        if any(n.startswith(("word/", "ppt/")) for n in names):
            raise refusal(
                "file.unsupported",
                "这是 Word 或 PowerPoint 文档,无法读取",
                "This is a Word or PowerPoint document",
                advice=ACCEPTED,
            )
        return "xlsx"
    if "content.xml" in names and "mimetype" in names:
        # read by the library at hand, long numbers would lose digits and errors become empty without a word
        raise refusal(
            "file.unsupported",
            "这是 OpenDocument 文档(ODS 等),不能读取",
            "This is an OpenDocument file (such as ODS), which is not read",
            advice=("请另存为 XLSX 后重新上传", "Save it as XLSX and upload that"),
        )
    return "zip"


def _refuse_foreign(head: bytes) -> None:
    bare = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    for magic, zh, en in _FOREIGN:
        if bare[: len(magic)].lower() == magic.lower() and _surely(magic, head):
            raise refusal(
                "file.unsupported",
                f"这是{zh},不是数据文件",
                f"This is {en}, not a data file",
                advice=ACCEPTED,
            )


def _surely(magic: bytes, head: bytes) -> bool:
    """Two letters also begin an innocent text: "MZ" counts only with binary content after it."""
    return len(magic) > 3 or any(byte in _TEXT_CONTROLS for byte in head[:512]) or b"\0" in head[:512]


def _kind_of_text(head: bytes) -> Kind:
    if not head.startswith((b"\xff\xfe", b"\xfe\xff")):
        controls = sum(byte in _TEXT_CONTROLS for byte in head)
        if controls > 32 and controls * 10 > len(head):
            raise refusal(
                "file.unsupported",
                "文件是无法识别的二进制内容",
                "The file is binary content of no known kind",
                advice=ACCEPTED,
            )
    bare = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return "json" if bare[:1] in (b"[", b"{") else "csv"
