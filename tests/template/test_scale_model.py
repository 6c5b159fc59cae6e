"""docs/scale.md says what the model computes, with the product's own numbers."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from huitong import settings
from huitong.comparison.parts import parts_for

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "infra"))
import scale_model as model  # noqa: E402


def test_the_page_has_the_tables_as_they_are_computed() -> None:
    page = (ROOT / "docs/scale.md").read_text()
    assert page == model.written(page)


@pytest.mark.parametrize("rows", model.FACTORS)
def test_parts_are_those_of_the_product(rows: int) -> None:
    load = model.Load()
    largest = int(rows * load.largest_share)
    parts = parts_for(largest, settings.FAN_OUT_ROWS)
    assert model.day(rows, load, model.Measured()).parts == (parts if parts > 1 else 0)


def test_the_parts_at_once_are_those_of_the_state_machine() -> None:
    machine = json.loads((ROOT / "infra/state_machines/compare_in_parts.asl.json").read_text())
    assert machine["States"]["CompareParts"]["MaxConcurrency"] == model.PARTS_AT_ONCE


def test_more_rows_cost_more_and_each_of_them_less() -> None:
    load, measured, prices = model.Load(), model.Measured(), model.Prices()
    totals = [
        sum(model.costs(model.day(n, load, measured), load, measured, prices).values()) for n in model.FACTORS
    ]
    assert totals == sorted(totals)
    shares = [total / rows for total, rows in zip(totals, model.FACTORS, strict=True)]
    assert shares == sorted(shares, reverse=True)


def test_a_billion_rows_a_day_are_held_up_by_the_validation_of_the_largest_delivery() -> None:
    """What docs/scale.md concludes; when the model says otherwise, the page must too."""
    load, measured = model.Load(), model.Measured()
    shares = model.uses(model.day(10**9, load, measured), load, measured)
    assert [name for name, share in shares.items() if share > 1] == ["validate"]
