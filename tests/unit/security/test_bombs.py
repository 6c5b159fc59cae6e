"""Small files that unpack to large ones (S-17)."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from huitong.errors import UnreadableFile
from huitong.intake.readers.parquet import open_parquet


@pytest.mark.parametrize("as_dictionary", [True, False])
def test_a_word_repeated_by_codes_is_refused_before_it_is_written_out(
    tmp_path: Path, as_dictionary: bool
) -> None:
    """500 bytes that are four gigabytes of text."""
    path = tmp_path / "bomb.parquet"
    codes = pa.array([0] * 20_000, pa.int32())
    table = pa.table({"k": pa.DictionaryArray.from_arrays(codes, pa.array(["x" * 200_000]))})
    pq.write_table(table, path, compression="zstd", store_schema=as_dictionary)
    assert path.stat().st_size < 1_000
    before = pa.total_allocated_bytes()
    with pytest.raises(UnreadableFile) as refusal:
        list(open_parquet(path).blocks([0]))
    assert [p.rule for p in refusal.value.problems] == ["archive.too-large"]
    assert pa.total_allocated_bytes() - before < 1 << 20


@pytest.mark.parametrize("encoding", ["PLAIN", "DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY", "dictionary"])
def test_texts_are_read_however_they_are_coded(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "good.parquet"
    table = pa.table({"n": [1, 2, 3], "k": ["甲", None, "甲"]})
    how = {} if encoding == "dictionary" else {"use_dictionary": False, "column_encoding": {"k": encoding}}
    pq.write_table(table, path, **how)
    (block,) = open_parquet(path).blocks([0, 1])
    assert [column.to_pylist() for column in block.columns] == [["1", "2", "3"], ["甲", None, "甲"]]
