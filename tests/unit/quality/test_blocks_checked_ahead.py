"""Blocks that are checked side by side are told of in their order, whatever is found in them (Q-20)."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from huitong.contracts.model import Contract, Field, RowRule
from huitong.errors import InvalidContract
from huitong.quality.ahead import checked
from huitong.quality.check import Block, Checker
from huitong.quality.compile import compile_plan
from huitong.quality.validate import connect

CONTRACT = Contract(
    "c", 1, "t", table="c",
    fields=(Field("k", key=1), Field("n", type="decimal", precision=9, scale=2), Field("p", pattern="[ab]")),
    rules=(RowRule("r", "n > 1", columns=("n",)),),
)  # fmt: skip


def block(number: int) -> Block:
    """Three rows: the second breaks the pattern, the third the row rule, in every other block."""
    keys = [f"{number}-{i}" for i in range(3)]
    odd = number % 2
    columns = {"k": keys, "n": ["5", "5.5", "0" if odd else "7"], "p": ["a", "c" if odd else "b", "a"]}
    texts = {name: pa.array(column, pa.string()) for name, column in columns.items()}
    return Block(texts, pa.array(range(3 * number, 3 * number + 3), pa.int64()), None)


@pytest.mark.parametrize("blocks", [0, 1, 2, 7])
def test_each_block_comes_with_its_own_findings_in_order(blocks: int) -> None:
    plan = compile_plan(CONTRACT)
    with connect() as connection:
        told = list(checked(Checker(plan, connection, date(2026, 1, 5)), map(block, range(blocks))))
    assert [b.columns["k"][0].as_py() for b, _ in told] == [f"{n}-0" for n in range(blocks)]
    for number, (_, found) in enumerate(told):
        named = {plan.rules[n].id: rows.tolist() for n, rows in found.hits.items()}
        assert named == ({"pattern": [1], "rule:r": [2]} if number % 2 else {})
        assert found.published["k"].to_pylist() == [f"{number}-{i}" for i in range(3)]


def test_a_rule_that_cannot_be_evaluated_stops_it_with_its_reason() -> None:
    plan = compile_plan(Contract("c", 1, "t", table="c", fields=(Field("p", pattern="[a"),)))
    with connect() as connection, pytest.raises(InvalidContract):
        list(checked(Checker(plan, connection, date(2026, 1, 5)), map(block, range(4))))
