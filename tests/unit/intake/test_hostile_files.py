"""The gallery of files that should not be: each gives a clear finding or refusal, and is kept."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from typing import Any

import pytest

HEADER = "claim_id,creditor,creditor_id,amount,filed\n"
ROW = "A1,张三,44030119900307001X,10.50,2026-01-02\n"
GOOD = (HEADER + ROW).encode()


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/"), data)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "name", "rule"),
    [
        (b"", "a.csv", "file.empty"),
        (b"  \n\n", "a.csv", "file.empty"),
        (b"\xef\xbb\xbf", "a.csv", "file.empty"),
        (HEADER.encode(), "a.csv", "file.no-rows"),
        (HEADER.strip().encode(), "a.csv", "file.no-rows"),
        (HEADER.encode() + b"\n\n,,,,\n", "a.csv", "file.no-rows"),
        (b"[]", "a.json", "file.no-rows"),
        (b"name,age\nx,1\n", "a.csv", "columns.missing"),
        (b"claim_id,creditor,creditor\nA1,a,b\n", "a.csv", "columns.duplicate"),
        ("claim_id,creditor,债权人\nA1,a,b\n".encode(), "a.csv", "columns.duplicate"),
        (GOOD + '"A2,李四,,,\n'.encode(), "a.csv", "csv.quote"),
        (GOOD + 'A2,"李四"x,,,\n'.encode(), "a.csv", "csv.quote"),
        ((HEADER + ROW * 9).encode() + b"A2,\xe5\xbc,,,\n", "a.csv", "encoding.invalid"),
        (b"claim_id,creditor\nA1,\x80\xff\n", "a.csv", "encoding.invalid"),
        ((HEADER + ROW).encode("utf-16-le"), "a.csv", "encoding.unmarked-utf-16"),
        (b"\xff\xfe\0\0" + GOOD, "a.csv", "encoding.unsupported"),
        (b"%PDF-1.7\n" + bytes(range(256)), "a.csv", "file.unsupported"),
        (b"MZ\x90\0\3\0\0\0", "a.csv", "file.unsupported"),
        (b"\x7fELF" + bytes(60), "a.csv", "file.unsupported"),
        (bytes(range(1, 32)) * 100, "a.csv", "file.unsupported"),
        (b"<html><body>login</body></html>", "a.csv", "file.unsupported"),
        (
            b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
            "a.csv",
            "file.unsupported",
        ),
        (b"\x1f\x8b\x08\0damaged", "a.csv.gz", "archive.damaged"),
        (gzip.compress(GOOD)[:-9], "a.csv.gz", "archive.damaged"),
        (gzip.compress(gzip.compress(GOOD)), "a.csv.gz", "archive.nested"),
        (gzip.compress(b"A" * 30_000_000), "a.csv.gz", "archive.too-large"),
        (zipped(bomb=b"A" * 30_000_000), "a.zip", "archive.too-large"),
        (zipped(a=GOOD, b=GOOD), "a.zip", "archive.members"),
        (zipped(), "a.zip", "archive.members"),
        (zipped(inner=zipped(a=GOOD)), "a.zip", "archive.nested"),
        (b"PK\x03\x04" + b"\0" * 40, "a.zip", "archive.damaged"),
        (
            zipped(word__document=b"<w/>", **{"[Content_Types].xml": b"<Types/>"}),
            "a.docx",
            "file.unsupported",
        ),
        (b'[{"claim_id":"A1","creditor":"x"}', "a.json", "json.invalid"),
        (b'[{"claim_id":"A1" "creditor":"x"}]', "a.json", "json.invalid"),
        (b'[{"claim_id":"A1","creditor":"x"}] x', "a.json", "json.invalid"),
        (b'{"claim_id":"A1","creditor":"x"}\n{"claim_id":', "a.ndjson", "json.invalid"),
        (b"[" * 200_000, "a.json", "json.invalid"),
        (b'[{"name":"x"}]', "a.json", "columns.missing"),
        (b"PAR1" + b"\0" * 30, "a.parquet", "parquet.damaged"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_in_clear_words_and_kept(
    intake: Any, refused: Any, data: bytes, name: str, rule: str
) -> None:
    """Q-20: an explicit decision, whatever arrives."""
    batch = intake.land(data, name)

    assert refused(batch)["rule"] == rule
    assert batch.counts.received == 0
    assert intake.landing.read(batch.landing_key) == data
    assert intake.queue.drain() == []


def test_a_refusal_names_the_row_of_a_broken_quote(intake: Any, refused: Any) -> None:
    batch = intake.land(GOOD + ROW.encode() + 'A2,"李四,,,\n'.encode())
    assert refused(batch)["where"]["row"] == 4


def test_a_refusal_names_the_row_of_a_broken_byte(intake: Any, refused: Any) -> None:
    batch = intake.land((HEADER + ROW * 9).encode() + b"A2,\xe5\xbc,,,\n")
    assert refused(batch)["where"]["row"] == 11


def test_missing_columns_are_all_named_with_what_was_found(intake: Any, refused: Any) -> None:
    batch = intake.land("姓名,年龄\n张三,1\n".encode())

    assert batch.refusal["where"]["missing"] == ["claim_id", "creditor"]
    assert batch.refusal["where"]["found"] == ["姓名", "年龄"]


def test_a_ragged_row_is_kept_with_its_number_and_text_and_the_others_go_on(intake: Any) -> None:
    batch = intake.land(GOOD + "A2,李四\nA3,王五,,,\nA4,a,b,c,d,e,f\n".encode())

    assert batch.counts.received == 4
    assert [(r["claim_id"], r["_source_row"]) for r in intake.rows(batch)] == [("A1", 2), ("A3", 4)]
    findings = intake.findings(batch)
    assert [(f["rule"], f["severity"], f["source_row"], f["raw"]) for f in findings] == [
        ("row.ragged", "error", 3, "A2,李四"),
        ("row.ragged", "error", 5, "A4,a,b,c,d,e,f"),
    ]
    assert "2 列" in findings[0]["zh"]
    assert "2 columns" in findings[0]["en"]


def test_a_file_of_ragged_rows_only_is_counted_in_full(intake: Any) -> None:
    batch = intake.land(HEADER.encode() + b"x\n" * 12_000)

    assert (batch.status, batch.counts.received, batch.staging) == ("ingested", 12_000, ())
    assert [f["source_row"] for f in intake.findings(batch)] == list(range(2, 12_002))


def test_row_numbers_count_blank_lines_and_rows_above_the_header(intake: Any) -> None:
    batch = intake.land(
        ("债权清单,,,,\n" + HEADER + ROW + "\n" + "x\n" + 'A2,"李\n四",,,\n' + "A3,王,,,\n").encode()
    )

    assert [(r["claim_id"], r["_source_row"]) for r in intake.rows(batch)] == [
        ("A1", 3),
        ("A2", 6),
        ("A3", 7),
    ]
    assert [f["source_row"] for f in intake.findings(batch)] == [5]


def test_row_numbers_stay_right_over_many_blocks(intake: Any) -> None:
    lines = [f"A{i},{'x' * 300},,,{i}\n" if i % 1000 else "ragged\n" for i in range(2, 60_002)]
    batch = intake.land((HEADER + "".join(lines)).encode())

    assert batch.counts.received == 60_000
    assert all(row["filed"] == str(row["_source_row"]) for row in intake.rows(batch))
    assert [f["source_row"] for f in intake.findings(batch)] == list(range(1000, 60_001, 1000))


def test_a_cell_of_100_000_characters_is_read_whole(intake: Any) -> None:
    batch = intake.land(f"claim_id,creditor,amount\nA1,{'长' * 100_000},1\nA2,{'x' * 1_000_000},2\n".encode())

    assert [len(value) for value in intake.column(batch, "creditor")] == [100_000, 1_000_000]


def test_a_row_of_twelve_million_bytes_is_read_and_a_longer_one_refused(intake: Any, refused: Any) -> None:
    long = f"claim_id,creditor\nA1,{'长' * 4_000_000}\n".encode()
    assert len(intake.column(intake.land(long), "creditor")[0]) == 4_000_000

    longer = b"claim_id,creditor\nA1," + b"x" * 40_000_000 + b"\n"
    assert refused(intake.land(longer, "b.csv"))["rule"] == "row.too-long"


def test_a_row_with_a_nul_goes_to_quarantine_alone(intake: Any) -> None:
    batch = intake.land(GOOD + b"A2,a\0b,,,\nA3,c,,,\n")

    assert intake.column(batch, "claim_id") == ["A1", "A3"]
    assert batch.counts.received == 3
    [finding] = intake.findings(batch)
    assert (finding["rule"], finding["source_row"], finding["column"]) == ("cell.nul", 3, "creditor")
    assert json.loads(finding["raw"])["claim_id"] == "A2"


def test_an_unknown_column_is_reported_and_not_taken(intake: Any) -> None:
    """S-29: what a partner adds is dropped and told."""
    batch = intake.land("claim_id,creditor,备注\nA1,张三,机密\n".encode())

    assert set(intake.rows(batch)[0]) == {"claim_id", "creditor", "_source_row"}
    found = {f["column"]: f["rule"] for f in intake.findings(batch)}
    assert found == {
        "备注": "column.unknown",
        "creditor_id": "column.absent",
        "amount": "column.absent",
        "filed": "column.absent",
    }


@pytest.mark.parametrize("name", ["claims.xlsx", "claims.json", "claims.zip", "claims.parquet"])
def test_a_csv_with_a_wrong_extension_is_read_as_what_it_is(intake: Any, name: str) -> None:
    batch = intake.land(GOOD, name)

    assert intake.column(batch, "claim_id") == ["A1"]
    assert intake.rules(batch) == ["file.extension"]


def test_a_declared_format_that_contradicts_the_content_is_refused(intake: Any, refused: Any) -> None:
    assert refused(intake.upload(GOOD, options={"format": "parquet"}))["rule"] == "file.format"


@pytest.mark.parametrize("pack", [gzip.compress, lambda data: zipped(**{"内容.csv": data})])
def test_one_compressed_file_is_read(intake: Any, pack: Any) -> None:
    batch = intake.land(pack(GOOD), "claims.bin")
    assert intake.column(batch, "creditor") == ["张三"]


def test_nothing_of_a_formula_in_a_csv_is_executed_or_changed(intake: Any) -> None:
    batch = intake.land(b'claim_id,creditor\n"=HYPERLINK(""x"")",@SUM(1)\n')
    assert intake.rows(batch)[0]["claim_id"] == '=HYPERLINK("x")'
