"""Cross-field rules are checked by parsing: only the row, only pure functions, only fitting kinds."""

from __future__ import annotations

import duckdb
import pytest

from huitong.contracts.model import Field
from huitong.contracts.rules import canonical_rule
from huitong.errors import InvalidContract

FIELDS = (
    Field("code", key=1),
    Field("名称"),
    Field("Born", type="date"),
    Field("died", type="date"),
    Field("seen", type="timestamp"),
    Field("n", type="integer"),
    Field("money", type="decimal", precision=18, scale=2),
    Field("ratio", type="double"),
    Field("ok", type="boolean"),
)
COLUMNS = (
    'code VARCHAR, "名称" VARCHAR, "Born" DATE, died DATE, seen TIMESTAMPTZ, n BIGINT, money DECIMAL(18,2), '
    "ratio DOUBLE, ok BOOLEAN"
)

PERMITTED = [
    "born <= died",
    "Born < died and not (n > 1 or ok)",
    "died >= '2000-01-01'",
    "died >= date '2000-01-01'",
    "died between '2000-01-01' and born + interval '150' year",
    "died < born + interval 3 months",
    "died - interval '1' day > born",
    "seen >= '2000-01-01T00:00:00+08:00'",
    "seen is not null",
    "code is null or code in ('a', 'b')",
    "code not in ('a', null)",
    "code like '31%' and 名称 not ilike '%x%'",
    '"名称" = code',
    "length(code) = 18 and substr(code, 1, 2) = '31'",
    "left(code, 2) || right(code, 1) = 'abc'",
    "lower(trim(code)) = upper(code)",
    "starts_with(code, '31')",
    "coalesce(code, 'x') <> nullif(名称, '')",
    "case when n > 0 then ok else false end",
    "case n when 1 then ratio > 0.5 end",
    "if(ok, n = 1, n = 2)",
    "ok",
    "ok is true",
    "n + 1 > money * 2 - ratio / 3",
    "n % 2 = 0 and n // 2 < 4 and -n < 0 and abs(money) > 1.5e2",
    "round(money, 1) = money",
    "money is distinct from n",
    "year(born) = 2000 and month(born) in (1, 2) and day(born) < 5",
    "date_diff('year', born, died) < 150",
    "strftime(born, '%Y%m%d') = substr(code, 7, 8)",
    "try_cast(code as integer) > n",
    "try_cast(code as date) = born",
    "n = null",
]
REFUSED = [
    ("", "parsed"),
    ("born <=", "parsed"),
    ("nobody = 1", "no field nobody"),
    ("t.n = 1", "not permitted"),
    ("n", "true or false"),
    ("1 = 1", "reads no column"),
    ("code = n", "different kinds"),
    ("born > n", "different kinds"),
    ("born > 'yesterday'", "different kinds"),
    ("seen > born", "different kinds"),
    ("seen > '2000-01-01'", "different kinds"),
    ("length(n) = 1", "needs text"),
    ("year(seen) = 2000", "needs date"),
    ("left(code, money) = 'x'", "needs int"),
    ("not code", "needs bool"),
    ("n in (select 1)", "not permitted"),
    ("exists (select 1)", "not permitted"),
    ("n = (select max(n) from t)", "not permitted"),
    ("n = 1; drop table t", "not permitted"),
    ("n = ?", "not permitted"),
    ("born < current_date", "not permitted"),
    ("seen < now()", "not permitted"),
    ("random() > n", "not permitted"),
    ("read_csv('/etc/passwd') = n", "not permitted"),
    ("code = getenv('HOME')", "not permitted"),
    ("regexp_matches(code, '(a+)+')", "not permitted"),
    ("sum(n) > 1", "not permitted"),
    ("row_number() over () = n", "not permitted"),
    ("code[1] = 'x'", "not permitted"),
    ("cast(code as integer) = 1", "TRY_CAST"),
    ("code::integer = 1", "TRY_CAST"),
    ("born + n > died", "needs number"),
    ("born + interval (n) day > died", "interval"),
    ("born + interval '99999' year > died", "interval"),
    ("date_diff('millennium', born, died) = 1", "date_diff"),
    ("(n, n) = (1, 1)", "not permitted"),
    ("columns('n') = 1", "not permitted"),
    ("(" * 3000 + "ok" + ")" * 3000, "4000"),
    ("(" * 1900 + "ok" + ")" * 1900, "parsed"),
]


@pytest.mark.parametrize("expression", PERMITTED)
def test_a_permitted_rule_binds_and_runs_in_duckdb(expression: str) -> None:
    rule = canonical_rule(expression, FIELDS, id="r")

    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({COLUMNS})")
        connection.execute("INSERT INTO t VALUES (NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)")
        connection.execute(
            "INSERT INTO t VALUES ('a', 'b', DATE '2000-01-01', DATE '2001-01-01', "
            "TIMESTAMPTZ '2000-01-01 00:00:00+08', 9223372036854775807, 1.5, 0, TRUE)"
        )
        described = connection.execute(f"DESCRIBE SELECT ({rule.expression}) AS r FROM t").fetchall()
        rows = connection.execute(f"SELECT ({rule.expression}) FROM t").fetchall()

    assert described[0][1] in ("BOOLEAN", '"NULL"')
    assert len(rows) == 2


@pytest.mark.parametrize("expression", PERMITTED)
def test_canonical_text_is_stable(expression: str) -> None:
    once = canonical_rule(expression, FIELDS, id="r")
    plain = once.expression.removeprefix("TRY(").removesuffix(")") if "TRY(" in once.expression else ""

    assert canonical_rule(plain or once.expression, FIELDS, id="r").expression == once.expression
    assert set(once.columns) <= {f.name for f in FIELDS}


@pytest.mark.parametrize(("expression", "reason"), REFUSED)
def test_anything_else_is_refused_with_its_reason(expression: str, reason: str) -> None:
    with pytest.raises(InvalidContract) as refused:
        canonical_rule(expression, FIELDS, id="r", path="schema[0].quality[0].implementation")

    problem = refused.value.problems[0]
    assert reason in problem.en
    assert problem.where == {"path": "schema[0].quality[0].implementation"}
    assert problem.zh.startswith("规则 r:")


def test_identifiers_are_quoted_and_spelt_as_the_field() -> None:
    rule = canonical_rule("BORN <= died /* since 2000 */", FIELDS, id="r", en="in order")

    assert rule.expression == '"Born" <= "died"'
    assert rule.columns == ("Born", "died")
    assert (rule.zh, rule.en) == ("in order", "in order")


def test_arithmetic_that_overflows_counts_as_no_answer() -> None:
    rule = canonical_rule("n + n > 0", FIELDS, id="r")

    with duckdb.connect() as connection:
        answer = connection.execute(
            f"SELECT {rule.expression} FROM (SELECT 9223372036854775807::BIGINT AS n)"
        ).fetchone()

    assert answer == (None,)


def test_quotes_in_literals_cannot_leave_them() -> None:
    rule = canonical_rule("code = 'it''s; drop table t --'", FIELDS, id="r")

    assert rule.expression == "\"code\" = 'it''s; drop table t --'"
