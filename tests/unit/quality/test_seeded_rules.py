"""The cross-resource rules that ship fit the contracts that ship, and find what they are for (Q-21, L-06, C-30)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from huitong.contracts import odcs
from huitong.contracts.model import Contract
from huitong.quality.rulebook.binding import bind
from huitong.quality.rulebook.model import OfficeRule

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
SEEDED = [
    rule
    for path in sorted((SCHEMAS / "rules").glob("*.yaml"))
    for rule in yaml.safe_load(path.read_text())["rules"]
]


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    read = [odcs.read(path.read_text()).contract for path in SCHEMAS.glob("*.yaml")]
    return {name: c for c in read for name in (c.id, c.table)}


def test_every_seeded_rule_fits_its_contract_and_says_what_is_wrong(contracts: dict[str, Contract]) -> None:
    for body in SEEDED:
        rule = OfficeRule.from_dict(body)
        bind(rule, contracts[rule.resource], contracts.get)
        assert all((rule.zh, rule.en, rule.owner)), rule.id
    ids = [body["id"] for body in SEEDED]
    assert len(ids) == len(set(ids)) >= 15


def test_the_kinds_of_the_list_of_checks_are_there() -> None:
    """domain.md section 6: references, agreement between units, early warnings."""
    kinds: dict[str, list[Any]] = {}
    for body in SEEDED:
        kinds.setdefault(body["kind"], []).append(body)
    assert {r["resource"] for r in kinds["reference"]} >= {
        "IN-02",
        "IN-14",
        "OUT-01",
        "OUT-02",
        "OUT-03",
        "OUT-05",
    }
    assert len(kinds["agreement"]) >= 2
    warned = [r for r in kinds["sql"] if r["severity"] == "warning"]
    assert len(warned) >= 4
    assert all(r["most"] == 0 for r in warned)  # any violation is a warning with a recipient
