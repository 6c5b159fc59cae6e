"""Whatever somebody writes, reading a contract ends in a contract or in a refusal that says where."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from huitong.contracts.model import Contract
from huitong.contracts.odcs import parse
from huitong.errors import InvalidContract, Problem

RAW = yaml.safe_load(
    (Path(__file__).resolve().parents[3] / "schemas/OUT-02.yaml").read_text(encoding="utf-8")
)

values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**20), 10**20),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["string", "number", "date", "decimal(99,1)", "I(40)", "true", "-1", "~", "{{", "(((", "huitong:"]
    ),
    st.lists(st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)
texts = st.text(alphabet=st.characters(exclude_categories=()), max_size=200)


def paths(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [at, *(path for key, value in inner for path in paths(value, (*at, key)))]


PATHS = paths(RAW)[1:]


@pytest.fixture(scope="module")
def rows() -> duckdb.DuckDBPyConnection:
    """One row of the resource, all of its values null."""
    types = {"string": "VARCHAR", "date": "DATE", "timestamp": "TIMESTAMPTZ"}
    columns = ", ".join(f'NULL::{types[f.type]} AS "{f.name}"' for f in parse(json.dumps(RAW)).fields)
    connection = duckdb.connect()
    connection.execute(f"CREATE TABLE rows AS SELECT {columns}")
    return connection


def outcome(document: str) -> Contract | None:
    problems: tuple[Problem, ...] = ()
    try:
        return parse(document)
    except InvalidContract as refused:
        problems = refused.problems
    assert problems
    assert all(p.zh and p.en for p in problems)
    return None


@settings(max_examples=150, deadline=None)
@given(changes=st.lists(st.tuples(st.sampled_from(PATHS), values), min_size=1, max_size=3))
def test_a_contract_with_anything_anywhere_is_read_or_refused(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    raw = copy.deepcopy(RAW)
    for path, value in changes:
        holder = raw
        for key in path[:-1]:
            inside = isinstance(holder, dict) and key in holder
            if not (inside or (isinstance(holder, list) and isinstance(key, int) and key < len(holder))):
                break
            holder = holder[key]
        else:
            if isinstance(holder, dict | list) and not (
                isinstance(holder, list) and isinstance(path[-1], str)
            ):
                holder[path[-1]] = value

    contract = outcome(json.dumps(raw))

    if contract is not None:
        assert contract.keys
        assert Contract.from_record(json.loads(json.dumps(contract.as_record()))) == contract


@settings(max_examples=200, deadline=None)
@given(document=texts)
def test_any_text_is_refused_without_a_crash(document: str) -> None:
    outcome(document)


LEAVES = (
    *("case_no", "restrict_type", "obs_end", "start_date", "updated_at", "null", "true"),
    *("'1'", "'2020-01-31'", "'2020-01-31T00:00:00Z'", "1", "-2", "0.5", "1e3", "date '2020-01-31'"),
)
FORMS = (
    *("({} = {})", "({} < {})", "({} and {})", "({} or {})", "(not {})", "({} is null)", "({} is true)"),
    *("({} in ({}, {}))", "({} between {} and {})", "({} like {})", "({} || {})", "({} is distinct from {})"),
    *("({} + {})", "({} - {})", "({} * {})", "({} / {})", "({} % {})", "({} // {})", "(-{})", "abs({})"),
    *(
        "({} + interval '2' year)",
        "date_diff('month', {}, {})",
        "year({})",
        "strftime({}, '%Y')",
        "round({}, 1)",
    ),
    *("length({})", "substr({}, {}, {})", "left({}, {})", "upper({})", "trim({})", "starts_with({}, {})"),
    *(
        "coalesce({}, {})",
        "nullif({}, {})",
        "case when {} then {} else {} end",
        "case {} when {} then {} end",
    ),
    *("try_cast({} as bigint)", "try_cast({} as date)", "cast({} as date)", "if({}, {}, {})", "now({})"),
)


@st.composite
def filled(draw: st.DrawFn, inner: st.SearchStrategy[str]) -> str:
    form = draw(st.sampled_from(FORMS))
    return form.format(*(draw(inner) for _ in range(form.count("{}"))))


rules = st.one_of(
    texts,
    st.recursive(st.sampled_from(LEAVES), lambda inner: filled(inner), max_leaves=8),
)


@settings(max_examples=300, deadline=None)
@given(rule=rules)
def test_any_rule_is_refused_or_runs(rows: duckdb.DuckDBPyConnection, rule: str) -> None:
    raw = {
        "id": "t",
        "schema": [{**RAW["schema"][0], "quality": [{"engine": "huitong", "implementation": rule}]}],
    }

    contract = outcome(json.dumps(raw))

    if contract is not None:
        for taken in contract.rules:
            rows.execute(f"SELECT {taken.expression} FROM rows").fetchall()
