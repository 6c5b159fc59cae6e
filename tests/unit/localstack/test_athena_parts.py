"""Parts of the Athena endpoint: signatures, the form of cells and files, what is said of the use (issue 5.5)."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
import sqlglot
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st
from sqlglot import exp

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "localstack"))
from athena_endpoint import signatures  # noqa: E402
from athena_endpoint.errors import ApiError, StatementFailed  # noqa: E402
from athena_endpoint.executions import KEPT_SECONDS, RUNNING_ALL, RUNNING_EACH, WAITING_EACH  # noqa: E402
from athena_endpoint.keys import folder_name  # noqa: E402
from athena_endpoint.purposes import NAMES, merged, said_in  # noqa: E402
from athena_endpoint.results import (  # noqa: E402
    column,
    csv_lines,
    hive_type,
    metadata_file,
    text_rows,
)
from athena_endpoint.statements import read, with_values  # noqa: E402
from athena_endpoint.storage import KEPT  # noqa: E402

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
BODY = '{"QueryString": "SELECT 汇通"}'.encode()


def signed(secret: str = SECRET, service: str = "athena", body: bytes = BODY) -> signatures.Request:
    """A request as botocore signs it."""
    headers = {"X-Amz-Target": "AmazonAthena.StartQueryExecution", "Host": "127.0.0.1:4568"}
    made = AWSRequest("POST", "http://127.0.0.1:4568/", headers=headers, data=body)
    SigV4Auth(Credentials("AKIA1", secret), service, "us-east-1").add_auth(made)
    told = {name.lower(): value for name, value in made.headers.items()}
    return signatures.Request("POST", "/", "", told, body)


def checked(request: signatures.Request, secret: str = SECRET, later: timedelta = timedelta()) -> None:
    said = signatures.claim(request)
    signatures.check(said, request, secret, ("athena",), datetime.now(UTC) + later)


def with_header(request: signatures.Request, name: str, value: str) -> signatures.Request:
    return replace(request, headers={**request.headers, name: value})


def test_a_request_that_botocore_signed_is_accepted() -> None:
    checked(signed())
    checked(signed(), later=timedelta(minutes=4))


@pytest.mark.parametrize(
    "altered",
    [
        lambda: signed(secret="another"),
        lambda: signed(service="s3"),
        lambda: replace(signed(), body=BODY + b" "),
        lambda: replace(signed(), path="/other"),
        lambda: replace(signed(), query="x=1"),
        lambda: replace(signed(), method="PUT"),
        lambda: with_header(signed(), "x-amz-target", "AmazonAthena.StopQueryExecution"),
        lambda: with_header(signed(), "host", "127.0.0.1:1"),
        lambda: with_header(signed(), "x-amz-date", "20200101T000000Z"),
        lambda: with_header(signed(), "x-amz-date", "now"),
        lambda: with_header(signed(), "x-amz-content-sha256", "UNSIGNED-PAYLOAD"),
    ],
)
def test_whatever_is_not_what_was_signed_is_refused(altered: Callable[[], signatures.Request]) -> None:
    """S-01: the very request, for this service, with the very key."""
    with pytest.raises(ApiError) as caught:
        checked(altered())
    assert caught.value.code == "InvalidSignatureException"


def test_a_signature_is_good_for_minutes_only() -> None:
    for later in (timedelta(minutes=6), -timedelta(minutes=6)):
        with pytest.raises(ApiError):
            checked(signed(), later=later)


@pytest.mark.parametrize("header", ["", "Bearer ht_x", "AWS4-HMAC-SHA256 Credential=a/b"])
def test_what_is_no_signature_is_told_so(header: str) -> None:
    with pytest.raises(ApiError) as caught:
        checked(with_header(signed(), "authorization", header))
    assert caught.value.code in ("MissingAuthenticationTokenException", "IncompleteSignatureException")


def test_host_and_time_must_be_among_the_signed_headers() -> None:
    request = signed()
    header = request.headers["authorization"].replace("host;", "")
    with pytest.raises(ApiError, match="must be signed"):
        checked(with_header(request, "authorization", header))


def test_an_operation_that_was_not_signed_is_none() -> None:
    """S-01: else a request to look could be sent again as one to stop, by whoever saw it."""
    request = signed()
    host = {"Host": request.headers["host"]}
    made = AWSRequest("POST", "http://127.0.0.1:4568/", headers=host, data=BODY)
    SigV4Auth(Credentials("AKIA1", SECRET), "athena", "us-east-1").add_auth(made)
    told = {name.lower(): value for name, value in made.headers.items()}
    bare = replace(request, headers=told)
    checked(bare)
    with pytest.raises(ApiError, match="must be signed"):
        checked(with_header(bare, "x-amz-target", "AmazonAthena.StopQueryExecution"))


def test_no_two_analysts_share_a_folder_or_a_user() -> None:
    """S-16, S-33: also where one is named as the folder of the other, or IAM sees no difference."""
    other = folder_name("张三")
    names = ["zhang", "Zhang", "ZHANG", "张三", other, "a/b", "a"]
    assert len({folder_name(name).lower() for name in names}) == len(names)
    assert folder_name("zhang") == "zhang"


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_byte_of_the_body_can_be_changed(place: int, change: int) -> None:
    body = bytearray(BODY)
    body[place] ^= change
    with pytest.raises(ApiError):
        checked(replace(signed(), body=bytes(body)))


# --- cells and files ---


def shown(kind: pa.DataType, *values: Any) -> list[str | None]:
    return [row[0] for row in text_rows(pa.table({"x": pa.array(list(values), kind)}))]


def test_cells_are_printed_as_athena_prints_them() -> None:
    """No digit of a number or a moment is lost."""
    doubles = (1.0, 1.5, 1e7, 123456789.0, 1e-3, 1e-4, -2.5e300, float("nan"), float("-inf"), 0.1)
    assert shown(pa.float64(), *doubles) == [
        "1.0", "1.5", "1.0E7", "1.23456789E8", "0.001", "1.0E-4", "-2.5E300", "NaN", "-Infinity", "0.1",
    ]  # fmt: skip
    assert shown(pa.float32(), 0.1, None) == ["0.1", None]
    assert shown(pa.int64(), 2**63 - 1) == ["9223372036854775807"]
    decimals = (Decimal("0.0000000001"), Decimal("-0.0000000000"))
    assert shown(pa.decimal128(38, 10), *decimals) == ["0.0000000001", "0.0000000000"]
    assert shown(pa.bool_(), True, False, None) == ["true", "false", None]
    assert shown(pa.date32(), date(1, 2, 3), date(2026, 1, 31)) == ["0001-02-03", "2026-01-31"]
    moment = datetime(2026, 1, 31, 8, 9, 10, 123456)
    assert shown(pa.timestamp("us"), moment) == ["2026-01-31 08:09:10.123456"]
    assert shown(pa.timestamp("us", "Asia/Shanghai"), moment.replace(tzinfo=UTC)) == [
        "2026-01-31 08:09:10.123456 UTC"
    ]
    assert shown(pa.time64("us"), time(1, 2, 3)) == ["01:02:03.000000"]
    assert shown(pa.binary(), b"\x00\xff") == ["00 ff"]
    assert shown(pa.list_(pa.string()), ["a", None]) == ["[a, null]"]
    row = pa.struct({"n": pa.int32(), "d": pa.list_(pa.date32())})
    assert shown(row, {"n": 1, "d": [date(2026, 1, 31)]}) == ["{n=1, d=[2026-01-31]}"]
    assert shown(pa.map_(pa.string(), pa.bool_()), [("k", True)]) == ["{k=true}"]


TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=8)


@given(st.lists(st.lists(st.none() | TEXTS, min_size=2, max_size=3), max_size=4))
def test_a_csv_file_gives_back_every_text_and_tells_null_from_empty(rows: list[list[str | None]]) -> None:
    """Quotes, commas and line breaks in a cell move nothing."""
    written = b"".join(csv_lines(rows)).decode()
    back = list(csv.reader(io.StringIO(written, newline=""), strict=True))
    assert back == [["" if cell is None else cell for cell in row] for row in rows]
    nulls = [cell is None for row in rows for cell in row]
    assert [not cell for cell in _cells(written)] == nulls


def _cells(written: str) -> list[str]:
    """Cells with their quotes, so that null (nothing) differs from the empty text ("")."""
    found, cell, quoted = [], "", False
    for char in written:
        quoted ^= char == '"'
        if not quoted and char in ",\n":
            found.append(cell)
            cell = ""
        else:
            cell += char
    return found


@pytest.mark.parametrize(
    ("kind", "bare", "hive"),
    [
        ("varchar", "varchar", "string"), ("bigint", "bigint", "bigint"), ("integer", "integer", "int"),
        ("decimal(12,2)", "decimal", "decimal(12,2)"), ("timestamp(6)", "timestamp", "timestamp"),
        ("timestamp(6) with time zone", "timestamp with time zone", "timestamp"), ("real", "float", "float"),
        ("timestamp_s", "timestamp", "timestamp"), ("array(row(a bigint))", "array", "array"),
        ("row(a bigint, b varchar)", "row", "row"), ("map(varchar, bigint)", "map", "map"),
        ("interval", "varchar", "string"), ("varbinary", "varbinary", "binary"), ("json", "json", "json"),
    ],
)  # fmt: skip
def test_types_are_named_as_athena_and_hive_name_them(kind: str, bare: str, hive: str) -> None:
    assert (column("x", kind).type, hive_type(kind)) == (bare, hive)


def test_the_file_of_metadata_holds_the_columns() -> None:
    """Protocol buffers, by hand: field 4 is a column, its fields name, label, type, precision, scale …"""
    made = metadata_file([column("额", "decimal(12,2)")])
    assert made[0] == 4 << 3 | 2
    inner = made[2:]
    assert len(inner) == made[1]
    assert (
        b"\x22\x03" + "额".encode() + b"\x2a\x03" + "额".encode() + b"\x32\x07decimal\x38\x0c\x40\x02"
        in inner
    )


# --- what is said ---


def test_hints_are_comments_before_the_statement_only() -> None:
    text = "/* x */ -- huitong: case=(2026)粤03破1号; purpose=核对 财产\nSELECT '-- huitong: duty=d' -- huitong: grant=g"
    assert said_in(text) == {"case": "(2026)粤03破1号", "purpose": "核对 财产"}
    assert said_in("SELECT 1") == {}
    for wrong in ("-- huitong: cases=1\nSELECT 1", "-- huitong: case=\nSELECT 1"):
        with pytest.raises(StatementFailed):
            said_in(wrong)


def test_a_ground_is_had_from_one_place_whole() -> None:
    """S-11: the duty of a work group does not complete the case of a comment."""
    made = merged({"case": "c"}, {"duty": "d", "purpose": "p"}, {"grant": "g", "unit": "u"})
    assert made == {"case": "c", "duty": "", "grant": "", "purpose": "p", "unit": "u"}


def test_an_unload_holds_its_query_whole() -> None:
    inner = "SELECT ')' AS a, (SELECT 1) AS b FROM t -- ) TO 's3://x/'\n"
    found = read(f"UNLOAD ({inner}) TO 's3://b/c/' WITH (format='PARQUET', compression='GZIP')")
    assert (found.sql, found.to) == (inner, "s3://b/c/")
    for wrong in ("partitioned_by = ARRAY['a']", "format = 'CSV'", "format = 'PARQUET', x = 'y'"):
        with pytest.raises(StatementFailed):
            read(f"UNLOAD (SELECT 1) TO 's3://b/c/' WITH ({wrong})")


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_a_parameter_is_a_literal_or_refused(value: str) -> None:
    """S-17: nothing that is put in for a question mark is more than one constant."""
    quoted = "'" + value.replace("'", "''") + "'"
    assert with_values("SELECT ?, 1", [quoted]) == f"SELECT {quoted}, 1"
    try:
        made = with_values("SELECT ?, 1", [value])
    except StatementFailed:
        return
    tree = sqlglot.parse_one(made, read="trino")
    assert isinstance(tree, exp.Select)
    assert len(tree.expressions) == 2
    assert not list(tree.find_all(exp.Column, exp.Subquery, exp.Anonymous, exp.Binary))


@pytest.mark.parametrize(
    "value", ["1 -- rest", "1 /* x */", "1; SELECT 2", "1, 2", "x", "now()", "1 OR true", ""]
)
def test_what_is_more_than_a_literal_is_no_parameter(value: str) -> None:
    with pytest.raises(StatementFailed):
        with_values("SELECT ?", [value])


def test_the_page_for_analysts_states_the_bounds_that_hold() -> None:
    page = (ROOT / "docs/analysts.md").read_text(encoding="utf-8")
    bounds = f"{RUNNING_EACH} queries run for one analyst, {WAITING_EACH} wait"
    assert bounds in page
    assert f"{RUNNING_ALL} run in all" in page
    assert (3600, timedelta(hours=1), timedelta(minutes=5)) == (KEPT_SECONDS, KEPT, signatures.SKEW)
    assert "kept | queries and results for an hour" in page
    assert "good for five minutes" in page
    for name in NAMES:
        assert f"`{name}`" in page or f"{name}=" in page
