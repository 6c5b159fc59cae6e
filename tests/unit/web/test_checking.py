"""The check of bodies against published schemas (S-17, S-36)."""

from __future__ import annotations

from typing import Any

import pytest

from huitong.web.checking import MOST_FAULTS, check
from huitong.web.operations import OPERATIONS
from huitong.web.schemas import SCHEMAS, array, body, number, one_of, text

SCHEMA = body(
    {"name": text(most=5, minLength=1), "kind": one_of("a", "b")},
    {"size": number(low=1, high=9), "tags": array(text(most=3), most=2), "code": text(pattern=r"^\d+$")},
)
GOOD = {"name": "x", "kind": "a"}


def rules(value: Any) -> set[str]:
    return {problem.rule.removeprefix("body.") for problem in check(value, SCHEMA)}


def test_what_fits_has_no_faults() -> None:
    assert check({**GOOD, "size": 9, "tags": ["a"], "code": "12"}, SCHEMA) == []


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ([], "type"),
        (None, "type"),
        ({"kind": "a"}, "required"),
        ({**GOOD, "other": 1}, "unknown"),
        ({**GOOD, "name": ""}, "length"),
        ({**GOOD, "name": "toolong"}, "length"),
        ({**GOOD, "name": 1}, "type"),
        ({**GOOD, "kind": "c"}, "enum"),
        ({**GOOD, "size": 0}, "range"),
        ({**GOOD, "size": 10}, "range"),
        ({**GOOD, "size": True}, "type"),
        ({**GOOD, "size": 1.5}, "type"),
        ({**GOOD, "tags": ["a", "b", "c"]}, "size"),
        ({**GOOD, "tags": ["long"]}, "length"),
        ({**GOOD, "tags": "a"}, "type"),
        ({**GOOD, "code": "x1"}, "pattern"),
    ],
)
def test_each_kind_of_fault_is_named(value: Any, rule: str) -> None:
    assert rules(value) == {rule}


def test_all_faults_are_told_with_their_place() -> None:
    faults = check({"kind": "c", "tags": ["long", 1], "x": 1}, SCHEMA)
    assert {fault.where["path"] for fault in faults} == {"$.name", "$.kind", "$.tags[0]", "$.tags[1]", "$.x"}
    assert all(fault.zh and fault.en for fault in faults)


def test_a_flood_of_faults_is_cut() -> None:
    assert len(check({**GOOD, **{f"x{n}": n for n in range(1_000)}}, SCHEMA)) == MOST_FAULTS


def test_a_pattern_does_not_end_at_a_line_break() -> None:
    """``$`` alone would let ``12\\n`` through into keys and headers."""
    assert rules({**GOOD, "code": "12\n"}) == {"pattern"}


def test_bodies_are_closed_and_answers_are_open() -> None:
    bodies = {operation.body for operation in OPERATIONS if operation.body}
    answers = {operation.answer for operation in OPERATIONS}
    open_bodies = [name for name in bodies if SCHEMAS[name].get("additionalProperties") is not False]
    assert open_bodies == ["ProfileBody"]  # its settings are checked by the profile itself
    assert all("additionalProperties" not in SCHEMAS[name] for name in answers)
    assert not bodies & answers
