"""CSV dialects and encodings, JSON, Parquet: the cells come out exactly as they went in."""

from __future__ import annotations

import datetime
import io
import json
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

TEXT = "claim_id,creditor,creditor_id,amount,filed\n001,张三丰,44030119900307001X,10.50,2026-01-02\n"
ROW = {
    "claim_id": "001",
    "creditor": "张三丰",
    "creditor_id": "44030119900307001X",
    "amount": "10.50",
    "filed": "2026-01-02",
}


def without_number(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "_source_row"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_every_encoding_gives_the_same_rows(intake: Any, encoding: str, end: str) -> None:
    """Q-13: found over the whole file, byte order mark or not."""
    batch = intake.land(TEXT.replace("\n", end).encode(encoding))
    assert [without_number(r) for r in intake.rows(batch)] == [ROW]


def test_gb18030_is_found_though_its_first_sign_comes_late(intake: Any) -> None:
    text = "claim_id,creditor\n" + "".join(f"A{i},plain\n" for i in range(50_000)) + "Z,㐀𠀀张\n"
    batch = intake.land(text.encode("gb18030"))
    assert intake.rows(batch)[-1]["creditor"] == "㐀𠀀张"


def test_a_declared_encoding_is_held_to(intake: Any, refused: Any) -> None:
    big5 = "claim_id,creditor\n1,張三\n".encode("big5")
    assert intake.column(intake.upload(big5, options={"encoding": "Big5"}), "creditor") == ["張三"]
    assert (
        refused(intake.upload(TEXT.encode("gbk"), options={"encoding": "utf-8"}))["rule"]
        == "encoding.invalid"
    )


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(intake: Any, delimiter: str) -> None:
    batch = intake.land(TEXT.replace(",", delimiter).encode(), "claims.txt")
    assert [without_number(r) for r in intake.rows(batch)] == [ROW]


def test_a_delimiter_and_a_quote_of_ones_own_can_be_declared(intake: Any) -> None:
    data = b"claim_id^creditor\n'1^1'^'it''s'\n"
    [row] = intake.rows(intake.upload(data, options={"delimiter": "^", "quote": "'"}))
    assert (row["claim_id"], row["creditor"]) == ("1^1", "it's")


def test_quotes_that_do_not_quote_can_be_declared(intake: Any) -> None:
    batch = intake.upload(b'claim_id,creditor\n1,"abc\n', options={"quote": "none"})
    assert intake.column(batch, "creditor") == ['"abc']


def test_a_quote_within_an_unquoted_cell_is_a_character_like_any_other(intake: Any) -> None:
    batch = intake.land(b'claim_id,creditor\n1,5" pipe\n2,"a ""b"" c"\n')
    assert intake.column(batch, "creditor") == ['5" pipe', 'a "b" c']


def test_quoted_newlines_delimiters_and_blanks_are_kept(intake: Any) -> None:
    batch = intake.land(b'claim_id,creditor\n1,"a\r\nb,c"\n2,  x  \n3,""\n4,NULL\n')
    assert intake.column(batch, "creditor") == ["a\r\nb,c", "  x  ", None, "NULL"]


def test_headers_match_by_name_or_title_whatever_case_and_blanks(intake: Any) -> None:
    batch = intake.land("\ufeff CLAIM_ID ,债权人 \n1,张\n".encode())
    assert without_number(intake.rows(batch)[0]) == {"claim_id": "1", "creditor": "张"}


def test_a_header_below_other_rows_is_found(intake: Any) -> None:
    batch = intake.land("债权申报表\n单位:法院,,\n债权编号,债权人,金额\n1,张,5\n".encode())
    assert [(r["claim_id"], r["_source_row"]) for r in intake.rows(batch)] == [("1", 4)]


def test_numbers_of_a_json_array_keep_their_digits(intake: Any) -> None:
    data = b'[{"claim_id":440301199003070011,"creditor":"\\u5f20","amount":1.10},{"claim_id":1e5,"creditor":true,"amount":-0.0,"filed":null}]'
    batch = intake.land(data, "claims.json")

    assert [(r["claim_id"], r["creditor"], r["amount"], r["_source_row"]) for r in intake.rows(batch)] == [
        ("440301199003070011", "张", "1.10", 1),
        ("1e5", "true", "-0.0", 2),
    ]


def test_ndjson_rows_may_name_their_fields_in_any_order_and_leave_some_out(intake: Any) -> None:
    lines = ['{"claim_id":"1","creditor":"a"}', "", '{"金额":2,"债权人":"b","claim_id":"2","其他":1}']
    batch = intake.land("\n".join(lines).encode(), "claims.ndjson")

    assert [(r["claim_id"], r["creditor"], r["amount"]) for r in intake.rows(batch)] == [
        ("1", "a", None),
        ("2", "b", "2"),
    ]
    assert [(f["rule"], f["column"]) for f in intake.findings(batch)] == [("column.unknown", "其他")]


def test_an_unknown_field_is_reported_also_where_a_row_is_broken(intake: Any) -> None:
    batch = intake.land(
        b'{"claim_id":"1","creditor":true,"other":1}\n{"claim_id":"2","creditor":"b","other":2}', "a.json"
    )
    assert intake.column(batch, "creditor") == ["true", "b"]
    assert [(f["rule"], f["column"]) for f in intake.findings(batch)] == [("column.unknown", "other")]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ('{"claim_id":"2","creditor":{"name":"x"}}', "cell.nested"),
        ('{"claim_id":"2","creditor":["x"]}', "cell.nested"),
        ('{"claim_id":"2","claim_id":"3","creditor":"x"}', "row.duplicate-field"),
        ('{"claim_id":"2","债权编号":"3","creditor":"x"}', "row.duplicate-field"),
        ('["2","x"]', "row.not-object"),
        ('"text"', "row.not-object"),
        ('{"claim_id":"2","creditor":"\\ud800"}', "cell.surrogate"),
        ('{"claim_id":"2","creditor":"a\\u0000b"}', "cell.nul"),
    ],
)
def test_a_json_row_that_is_none_goes_to_quarantine_alone(intake: Any, row: str, rule: str) -> None:
    batch = intake.land(
        f'{{"claim_id":"1","creditor":"a"}}\n{row}\n{{"claim_id":"3","creditor":"c"}}'.encode(), "a.json"
    )

    assert intake.column(batch, "claim_id") == ["1", "3"]
    assert batch.counts.received == 3
    [finding] = [f for f in intake.findings(batch) if f["severity"] == "error"]
    assert (finding["rule"], finding["source_row"]) == (rule, 2)
    assert finding["raw"]


def test_a_json_array_over_many_pieces_is_read_whole(intake: Any) -> None:
    rows = [{"claim_id": str(i), "creditor": "张" * 40, "amount": i} for i in range(25_000)]
    batch = intake.land(json.dumps(rows, ensure_ascii=False).encode(), "claims.json")

    assert batch.counts.received == 25_000
    assert intake.column(batch, "claim_id") == [str(i) for i in range(25_000)]


def parquet(table: pa.Table) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer)
    return buffer.getvalue()


def test_typed_parquet_columns_become_the_text_that_says_the_same(intake: Any) -> None:
    moment = datetime.datetime(2026, 1, 2, 3, 4, 5, 500_000, tzinfo=datetime.UTC)
    table = pa.table(
        {
            "claim_id": pa.array([440301199003070011, 1]),
            "creditor": pa.array(["张", ""]).dictionary_encode(),
            "creditor_id": pa.array([True, None]),
            "amount": pa.array([Decimal("10.50"), Decimal("0.00")]),
            "filed": pa.array([moment, None]),
        }
    )
    batch = intake.land(parquet(table), "claims.parquet")

    assert [without_number(r) for r in intake.rows(batch)] == [
        {
            "claim_id": "440301199003070011",
            "creditor": "张",
            "creditor_id": "true",
            "amount": "10.50",
            "filed": "2026-01-02T03:04:05.500000Z",
        },
        {"claim_id": "1", "creditor": None, "creditor_id": None, "amount": "0.00", "filed": None},
    ]
    assert intake.column(batch, "_source_row") == [1, 2]


def test_a_parquet_date_is_an_iso_date(intake: Any) -> None:
    table = pa.table(
        {"claim_id": ["1"], "creditor": ["x"], "filed": [datetime.date(2026, 1, 2)], "amount": [0.1]}
    )
    [row] = intake.rows(intake.land(parquet(table), "claims.parquet"))
    assert (row["filed"], row["amount"]) == ("2026-01-02", "0.1")


def test_nested_parquet_columns_are_refused_by_name(intake: Any, refused: Any) -> None:
    table = pa.table({"claim_id": ["1"], "creditor": [["x"]]})
    assert refused(intake.land(parquet(table), "claims.parquet"))["where"]["columns"] == [
        "creditor: list<element: string>"
    ]
