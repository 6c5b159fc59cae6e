"""Parquet: typed columns become the text that says the same (Q-13)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from huitong.intake.readers.refusals import refusal
from huitong.intake.readers.table import Block
from huitong.intake.structure import Structural

_ROWS_PER_BLOCK: Final = 32_768
_MAX_BYTES: Final = 4 * 1024**3
_MAX_GROUP_BYTES: Final = 512 * 1024**2


@dataclass(slots=True)
class ParquetTable:
    path: Path
    header: Sequence[str]
    header_row: int = 0
    findings: list[Structural] = field(default_factory=list)
    named: None = None

    def blocks(self, wanted: Sequence[int]) -> Iterator[Block]:
        names = [self.header[position] for position in wanted]
        number = 1
        try:
            with pq.ParquetFile(self.path, read_dictionary=_coded(self.path, names)) as file:
                for batch in file.iter_batches(_ROWS_PER_BLOCK, columns=names, use_threads=False):
                    columns = [_as_text(batch.column(name)) for name in names]
                    rows = pa.array(range(number, number + batch.num_rows), pa.int64())
                    number += batch.num_rows
                    yield Block(columns, rows, nul=True)
        except (pa.ArrowInvalid, OSError) as error:
            raise _damaged() from error


def open_parquet(path: Path) -> ParquetTable:
    """Raises UnreadableFile for nested columns, damage and what would unpack to too much."""
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            metadata = file.metadata
            sizes = [metadata.row_group(i).total_byte_size for i in range(metadata.num_row_groups)]
    except (pa.ArrowInvalid, OSError) as error:
        raise _damaged() from error
    if sum(sizes) > _MAX_BYTES or max(sizes, default=0) > _MAX_GROUP_BYTES:
        raise _too_large()
    unusable = [f"{f.name}: {f.type}" for f in schema if not _usable(f.type)]
    if unusable:
        raise refusal(
            "columns.nested",
            f"含有嵌套或二进制列,无法接收:{'、'.join(unusable)}",
            f"Nested or binary columns cannot be taken: {', '.join(unusable)}",
            columns=unusable,
        )
    return ParquetTable(path, tuple(schema.names))


def _usable(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        return _usable(kind.value_type)
    return not (
        pa.types.is_nested(kind)
        or pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or pa.types.is_duration(kind)
    )


def _coded(path: Path, names: Sequence[str]) -> list[str]:
    """Columns that are read as codes and words, since what they unpack to is known only from both."""
    with pq.ParquetFile(path) as file:
        metadata = file.metadata
        found = []
        for position, name in enumerate(file.schema.names):
            of_column = [metadata.row_group(g).column(position) for g in range(metadata.num_row_groups)]
            texts = all(c.physical_type == "BYTE_ARRAY" for c in of_column)
            known = all(not any("DELTA" in e for e in c.encodings) for c in of_column)
            if name in names and texts and known:
                found.append(name)
        return found


def _check_expansion(column: pa.Array) -> None:
    """A long word and a million codes for it are a file of some bytes and gigabytes of text."""
    words = column.dictionary
    if not (pa.types.is_string(words.type) or pa.types.is_large_string(words.type)) or not len(words):
        return
    longest = pc.max(pc.binary_length(words)).as_py() or 0
    if longest * len(column) <= _MAX_GROUP_BYTES:
        return
    if (pc.sum(pc.binary_length(words).take(column.indices)).as_py() or 0) > _MAX_GROUP_BYTES:
        raise _too_large()


def _as_text(column: pa.Array) -> pa.Array:
    if pa.types.is_dictionary(column.type):
        _check_expansion(column)
        column = column.dictionary_decode()
    if pa.types.is_timestamp(column.type):
        return _moments(column)
    text = column.cast(pa.string())
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        return pc.if_else(pc.equal(text, ""), pa.scalar(None, pa.string()), text)
    return text


def _moments(column: pa.Array) -> pa.Array:
    """``2024-01-05T10:30:00.500Z``; without an offset where the column has no time zone."""
    zoned = column.type.tz is not None
    text = pc.replace_substring(
        pa.Array.cast(column.cast(pa.timestamp(column.type.unit)), pa.string()), " ", "T"
    )
    text = pc.replace_substring_regex(text, r"\.0+$", "")
    return pc.binary_join_element_wise(text, "Z", "") if zoned else text


def _too_large() -> Exception:
    return refusal(
        "archive.too-large",
        "Parquet 内容展开后超过允许的大小",
        "The Parquet file unpacks to more than is allowed",
        advice=("请拆分文件或减小行组", "Split the file, or write smaller row groups"),
    )


def _damaged() -> Exception:
    return refusal(
        "parquet.damaged",
        "Parquet 文件已损坏或无法读取",
        "The Parquet file is damaged or cannot be read",
        advice=("请重新生成并上传", "Make it again and upload it"),
    )
