"""The text that shows an access."""

from __future__ import annotations

import duckdb
import pytest
from tests.support.query_world import PEOPLE

from huitong.contracts.model import Contract, Field
from huitong.sharing.access import Access
from huitong.sharing.names import literal, quoted
from huitong.sharing.projection import projection_sql

ODD = Contract(
    "X",
    1,
    "x",
    fields=(
        Field('a"b', key=1),
        Field("select"),
        Field("_before; --", level="L4", mask="id"),
        Field("中文 列"),
    ),
    case_field='a"b',
)


def test_names_and_texts_are_quoted_in_one_place() -> None:
    assert quoted('a"b') == '"a""b"'
    assert literal("it's") == "'it''s'"
    for quote in (quoted, literal):
        with pytest.raises(ValueError, match="NUL"):
            quote("a\x00b")


def test_odd_field_names_are_only_names() -> None:
    relation = 'SELECT \'1\' AS "a""b", \'2\' AS "select", \'440300199001011234\' AS "_before; --", \'4\' AS "中文 列"'
    access = Access("X", tuple(f.name for f in ODD.fields), {"_before; --": "id"})
    row = duckdb.sql(projection_sql(ODD, access, relation)).fetchall()[0]
    assert row == ("1", "2", "4403************34", "4")


def test_an_access_of_another_resource_is_never_applied() -> None:
    with pytest.raises(ValueError, match="another resource"):
        projection_sql(PEOPLE, Access("IN-99", ("area",)), "SELECT 1")


def test_a_system_column_that_is_none_is_refused() -> None:
    access = Access("IN-91", ("area",))
    with pytest.raises(ValueError, match="no such system columns"):
        projection_sql(PEOPLE, access, "SELECT 1", system_columns=("_op",))
    assert projection_sql(PEOPLE, access, "SELECT 1", system_columns=("_op",), before=True)


def test_fields_stand_in_contract_order_whatever_the_order_of_the_grant() -> None:
    names = projection_sql(PEOPLE, Access("IN-91", ("visits", "name")), "SELECT 1").split(" FROM ")[0]
    assert names == 'SELECT "name" AS "name", "visits" AS "visits"'


@pytest.mark.parametrize(
    ("access", "shown"),
    [
        (Access("IN-91", ("area", "case_no")), "(2026)粤03破1号"),
        (Access("IN-91", ("area",)), None),
        (Access("IN-91", ("area", "case_no"), {"case_no": "all"}), None),
    ],
)
def test_the_case_number_goes_only_to_whom_its_field_is_shown_plain(
    access: Access, shown: str | None
) -> None:
    relation = "SELECT 'x' AS area, '(2026)粤03破1号' AS case_no, '(2026)粤03破1号' AS _case_no"
    row = duckdb.sql(projection_sql(PEOPLE, access, relation, system_columns=("_case_no",))).fetchall()[0]
    assert row[0] == shown
