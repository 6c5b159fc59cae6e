"""Regular expressions: what passes the check runs in RE2, what RE2 lacks is refused."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from huitong.contracts.patterns import to_re2

_PIECES = [
    *"abc0中.^$|()[]{}*+?,-\\",
    r"\d", r"\D", r"\w", r"\s", r"\b", r"\.", r"\-", r"\z", r"\Z", r"\1", r"\p{Han}", r"\x{4e00}", r"\u4e00",
    "[a-z]", "[^0-9]", "(?:", "(?i)", "(?P<a>", "(?<b>", "(?=", "(?!", "(?>", "{2}", "{2,3}", "{1001}", "++",
]  # fmt: skip


@pytest.fixture(scope="module")
def re2() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def runs(re2: duckdb.DuckDBPyConnection, pattern: str) -> bool:
    try:
        re2.execute("SELECT regexp_full_match('', ?)", [pattern]).fetchall()
    except duckdb.Error:
        return False
    return True


@pytest.mark.parametrize(
    "pattern",
    [
        r"^\d{17}[0-9X]$",
        r"[一-龥]{1,3}?",
        r"^\((?<year>\d{4})\)(?<court>最高法|[京津冀](?:\d{2}|\d{4})?)号(?:之[一二三]+)?$",
        r"[]a]",
        r"[^\]]+",
        r"\p{Han}+",
        r"(?i)ab*?",
        r"(?:a|b){50}",
        r"[&&~|]",
        "",
    ],
)
def test_a_pattern_of_the_standard_runs_in_re2(re2: duckdb.DuckDBPyConnection, pattern: str) -> None:
    translated, fault = to_re2(pattern)

    assert fault == ""
    assert runs(re2, translated)


@pytest.mark.parametrize(
    "pattern",
    [
        "(?=a)b", "(?<!a)b", r"(a)\1", r"\k<a>", "a++", "a**", "a{1001}", "(a{100}){100}", "[a", "(a", "a)", "*a",
        r"\Z", r"\u4e00", "(?>a)", "(?#c)", "[z-a]", "[a-\\d]", "a\\", r"\p{Nothing}", "(?<a>x)(?<a>y)", "a" * 1001,
    ],
)  # fmt: skip
def test_a_pattern_that_re2_cannot_run_is_refused(pattern: str) -> None:
    assert to_re2(pattern)[1] != ""


@given(pieces=st.lists(st.sampled_from(_PIECES), max_size=8))
def test_whatever_passes_the_check_runs_in_re2(re2: duckdb.DuckDBPyConnection, pieces: list[str]) -> None:
    translated, fault = to_re2("".join(pieces))

    assert fault or runs(re2, translated)
