"""The one way in: from a local file to its table, whatever it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from huitong.errors import UnreadableFile
from huitong.intake.layout import Layout
from huitong.intake.readers import archive, detect
from huitong.intake.readers.header import Names
from huitong.intake.readers.refusals import refusal
from huitong.intake.readers.table import Table
from huitong.intake.structure import Structural


@dataclass(frozen=True, slots=True)
class Opened:
    """A table, and the file that it was read from: unpacked, if it came in an archive."""

    table: Table
    kind: detect.Kind
    path: Path
    filename: str
    doubt: Structural | None


def open_table(path: Path, filename: str, layout: Layout, names: Names, work: Path) -> Table:
    """Raises UnreadableFile, with the file named."""
    opened = open_file(path, filename, layout, names, work)
    return opened.table if opened.doubt is None else _Doubted(opened.table, opened.doubt)


def open_file(path: Path, filename: str, layout: Layout, names: Names, work: Path) -> Opened:
    """Raises UnreadableFile, with the file named.

    The content decides on the reader; a declared format that contradicts it is
    refused, a file extension that does is a finding.
    """
    try:
        kind = detect.kind_of(path)
        doubt: Structural | None = detect.contradiction(filename, kind)
        if kind in ("gzip", "zip"):
            path, inner = archive.unpack(path, kind, work)
            filename = inner or filename.removesuffix(".gz")
            kind = detect.kind_of(path)
            if kind in ("gzip", "zip"):
                raise refusal(
                    "archive.nested",
                    "压缩包中还有压缩包",
                    "The archive holds another archive",
                    advice=("压缩包内只放一个数据文件", "Put exactly one data file into the archive"),
                )
            doubt = doubt or detect.contradiction(filename, kind)
        kind = _agreed(kind, layout)
        table = _open(path, kind, layout, names, work)
    except UnreadableFile as error:
        error.where.setdefault("file", filename)
        raise
    return Opened(table, kind, path, filename, doubt)


def _agreed(kind: detect.Kind, layout: Layout) -> detect.Kind:
    declared = layout.format
    if not declared or declared == ("excel" if kind in ("xlsx", "xls") else kind):
        return kind
    if declared == "csv" and kind == "json":
        return "csv"  # a first cell may well begin with a bracket
    raise refusal(
        "file.format",
        f"声明的格式是 {declared},内容却是 {kind}",
        f"The declared format is {declared}; the content is {kind}",
        advice=("更正声明或文件", "Correct the declaration or the file"),
    )


def _open(path: Path, kind: detect.Kind, layout: Layout, names: Names, work: Path) -> Table:
    """Readers are imported only for the format at hand: each brings its own libraries."""
    if kind in ("xlsx", "xls"):
        from huitong.intake.readers.excel import open_excel

        return open_excel(path, kind, layout, names)
    if kind == "json":
        from huitong.intake.readers.json import open_json

        return open_json(path, layout, names, work)
    if kind == "parquet":
        from huitong.intake.readers.parquet import open_parquet

        return open_parquet(path)
    from huitong.intake.readers.csv import open_csv

    return open_csv(path, layout, names, work)


class _Doubted:
    """A table with one more finding on the file as a whole."""

    def __init__(self, table: Table, doubt: Structural) -> None:
        self._table = table
        self.header = table.header
        self.header_row = table.header_row
        self.findings = (doubt, *table.findings)
        self.named = table.named
        self.blocks = table.blocks
