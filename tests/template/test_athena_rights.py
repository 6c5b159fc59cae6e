"""Rights to Athena are there only where queries or comparisons may run on it (S-17, C-38)."""

from __future__ import annotations

from typing import Any

from test_conditions import SCENARIOS, truth
from test_template import TEMPLATE

_POLICIES = ("AthenaPolicy", "AthenaComparisonPolicy")


def _statements(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = TEMPLATE["Resources"][name]["Properties"]["PolicyDocument"]["Statement"]
    return found


def test_without_athena_no_function_may_start_a_query_there() -> None:
    defaults = {name: told["Default"] for name, told in TEMPLATE["Parameters"].items()}
    assert [TEMPLATE["Resources"][name]["Condition"] for name in _POLICIES] == ["UsesAthena"] * 2
    for given, _ in SCENARIOS.values():
        assert truth("UsesAthena", {**defaults, **given}) == ("QueryEngine" in given)
    elsewhere = str([r for n, r in TEMPLATE["Resources"].items() if n not in _POLICIES])
    assert "athena:" not in elsewhere


def test_athena_runs_in_our_workgroup_only_and_work_tables_alone_may_be_dropped() -> None:
    told = [s for name in _POLICIES for s in _statements(name)]
    started = [s for s in told if "athena:StartQueryExecution" in s["Action"]]
    assert [s["Resource"]["Fn::Sub"].rpartition(":")[2] for s in started] == ["workgroup/${AthenaWorkgroup}"]
    (dropped,) = [s for s in told if "glue:DeleteTable" in s["Action"]]
    tables = [r["Fn::Sub"] for r in dropped["Resource"] if ":table/" in r["Fn::Sub"]]
    assert [t.rpartition(":")[2] for t in tables] == ["table/huitong/work_*"]


def test_what_athena_leaves_behind_is_gone_within_days_in_all_versions() -> None:
    """S-16: answers to evidence hold identity numbers as they are."""
    rules = TEMPLATE["Resources"]["StagingBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    known = {r["Prefix"]: r for r in rules if "Prefix" in r}
    for prefix, days in (("queries/athena/", 1), ("athena/", 7)):
        assert known[prefix]["ExpirationInDays"] == days
        assert known[prefix]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 1}
