"""Each check of ``huitong doctor`` against facts in which exactly one thing is broken (Q-05, L-54)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from huitong import __version__
from huitong.operating.doctor.checks import NOT_OF_EMULATORS
from huitong.operating.doctor.facts import (
    AlarmFact,
    ApiFacts,
    BucketFact,
    Facts,
    FunctionFact,
    KeyFact,
    MachineFact,
    MappingFact,
    QueueFact,
    ScheduleFact,
    StackFacts,
    TableFact,
    Unseen,
)
from huitong.operating.doctor.findings import exit_status
from huitong.operating.doctor.table import CHECKS, examine

NOW = "2026-06-01T08:00:00.000Z"
EARLIER = "2026-06-01T01:00:00.000Z"
OUTPUTS = dict.fromkeys(
    ("ApiId", "RegisterTable", "EvidenceTable", "LandingBucket", "StagingBucket", "WarehouseBucket",
     "EvidenceBucket", "EventBus", "DataKey"),
    "x",
)  # fmt: skip
QUEUE = QueueFact("IngestQueue", "arn:q", 3, "arn:d", 5)
LETTERS = QueueFact("IngestDeadLetters", "arn:d", 0, "")
BUCKET = BucketFact("huitong-evidence-1", True, "aws:kms", True, True, True, True)
FUNCTION = FunctionFact("f", "Active", "Successful", "python3.13")
PAGE: dict[str, Any] = {"parts": [{"id": "service", "troubles": []}]}
WELL = Facts(
    emulator=False,
    at=NOW,
    api=ApiFacts(
        "https://api", 200, __version__, 0.0, "2027-01-01T00:00:00+00:00", who={"id": "a", "roles": ["admin"]},
        page=PAGE, balanced=True, broken_chains=(), late=(), keys={"evidence": "2026-01-01T00:00:00Z"},
        credentials={"court": "2026-01-01T00:00:00Z"},
    ),
    stack=StackFacts("huitong", "UPDATE_COMPLETE", OUTPUTS, created="2026-01-01T00:00:00Z"),
    functions=(FUNCTION,),
    queues=(QUEUE, LETTERS),
    mappings=(MappingFact("f", "IngestQueue", "Enabled"),),
    schedules=(ScheduleFact("EveryMinute", "ENABLED", 1), ScheduleFact("alerts", "ENABLED", 1, clock=False)),
    buckets=(BUCKET,),
    keys=(KeyFact("k", "Enabled", True), KeyFact("signs", "Enabled", False, may_rotate=False)),
    tables=(TableFact("register", "ACTIVE", True),),
    alarms=(AlarmFact("a", "OK", True),),
    machines=(MachineFact("parts", "ACTIVE", ended_badly=("2026-05-01T08:00:00.000Z",)),),
    glue_database=True,
    workgroup="ENABLED",
)  # fmt: skip


def api(**changes: Any) -> Facts:
    return replace(WELL, api=replace(WELL.api, **changes))


def trouble(state: str) -> dict[str, Any]:
    return {"parts": [{"id": "service", "troubles": [{"state": state, "zh": "某事", "en": "something"}]}]}


BROKEN: dict[str, tuple[Facts, int]] = {
    "api.reached": (api(status=0), 2),
    "api.clock": (api(skew_seconds=-90.0), 2),
    "api.credentials": (api(who={"id": "a", "roles": []}), 2),
    "api.version": (api(version="0.0.0"), 1),
    "api.certificate": (api(certificate_ends="2026-05-31T00:00:00+00:00"), 2),
    "stack.state": (replace(WELL, stack=replace(WELL.stack, status="UPDATE_ROLLBACK_COMPLETE")), 2),
    "stack.outputs": (replace(WELL, stack=replace(WELL.stack, outputs={**OUTPUTS, "DataKey": ""})), 2),
    "stack.changes": (replace(WELL, stack=replace(WELL.stack, waiting_changes=("deploy-7",))), 1),
    "function.state": (replace(WELL, functions=(replace(FUNCTION, updated="Failed"),)), 2),
    "function.runtime": (replace(WELL, functions=(replace(FUNCTION, runtime="python3.9"),)), 1),
    "queue.redrive": (replace(WELL, queues=(replace(QUEUE, dead_letters_to="arn:gone"), LETTERS)), 2),
    "queue.dead": (replace(WELL, queues=(QUEUE, replace(LETTERS, waits=2))), 1),
    "queue.encryption": (replace(WELL, queues=(replace(QUEUE, encrypted=False), LETTERS)), 2),
    "mapping.enabled": (replace(WELL, mappings=(MappingFact("f", "IngestQueue", "Disabled"),)), 2),
    "schedule.enabled": (replace(WELL, schedules=(ScheduleFact("EveryMinute", "DISABLED", 1),)), 2),
    "machine.state": (replace(WELL, machines=(MachineFact("parts", "DELETING"),)), 2),
    "machine.executions": (replace(WELL, machines=(MachineFact("parts", "ACTIVE", (EARLIER,)),)), 1),
    "bucket.versions": (replace(WELL, buckets=(replace(BUCKET, versioned=False),)), 2),
    "bucket.encryption": (replace(WELL, buckets=(replace(BUCKET, encryption="AES256"),)), 2),
    "bucket.closed": (replace(WELL, buckets=(replace(BUCKET, closed=False),)), 2),
    "bucket.tls": (replace(WELL, buckets=(replace(BUCKET, only_tls=False),)), 2),
    "bucket.lock": (replace(WELL, buckets=(replace(BUCKET, locked=False),)), 2),
    "key.enabled": (replace(WELL, keys=(KeyFact("k", "PendingDeletion", True),)), 2),
    "key.rotation": (replace(WELL, keys=(KeyFact("k", "Enabled", False),)), 1),
    "table.state": (replace(WELL, tables=(TableFact("t", "ARCHIVED", True),)), 2),
    "table.recovery": (replace(WELL, tables=(TableFact("t", "ACTIVE", False),)), 2),
    "glue.database": (replace(WELL, glue_database=False), 2),
    "athena.workgroup": (replace(WELL, workgroup=""), 1),
    "alarm.raised": (replace(WELL, alarms=(AlarmFact("a", "ALARM", True),)), 1),
    "alarm.actions": (replace(WELL, alarms=(AlarmFact("a", "OK", False),)), 1),
    "parts.state": (api(page=trouble("failing")), 2),
    "parts.first_run": (api(page=trouble("unknown")), 1),
    "ledger.balance": (api(balanced=False), 2),
    "evidence.chains": (api(broken_chains=(3,)), 2),
    "units.late": (api(late=("delivery 1144 IN-01",)), 1),
    "secrets.keys": (api(keys={"evidence": "2025-01-01T00:00:00Z"}), 1),
    "secrets.credentials": (api(credentials={"court": "2024-01-01T00:00:00Z"}), 1),
}


def test_nothing_is_wrong_with_a_deployment_that_is_well() -> None:
    findings = examine(WELL)
    assert {one.severity for one in findings} == {"ok"}
    assert exit_status(findings) == 0


def test_every_check_is_tried_broken() -> None:
    assert sorted(BROKEN) == sorted(check.id for check in CHECKS)


@pytest.mark.parametrize("id", BROKEN)
def test_what_is_broken_is_told_with_what_to_do(id: str) -> None:
    facts, status = BROKEN[id]
    findings = examine(facts)
    wrong = [one for one in findings if one.severity in ("warning", "error")]
    assert {one.check for one in wrong} == {id}
    assert exit_status(findings) == status
    for one in wrong:
        assert one.zh
        assert one.en
        assert one.do_zh
        assert one.do_en


@pytest.mark.parametrize("id", sorted(NOT_OF_EMULATORS))
def test_what_an_emulator_does_not_keep_is_not_checkable_there_and_no_error(id: str) -> None:
    """Told as not checkable, never as fine."""
    facts, _ = BROKEN[id]
    (found,) = [one for one in examine(replace(facts, emulator=True)) if one.check == id]
    assert found.severity == "unknown"
    assert "Not checkable here" in found.en


def test_what_could_not_be_read_is_neither_fine_nor_wrong() -> None:
    facts = replace(WELL, buckets=Unseen("无权", "AccessDenied"), api=replace(WELL.api, status=0))
    found = {one.check: one.severity for one in examine(facts)}
    assert found["bucket.versions"] == found["bucket.lock"] == "unknown"
    assert found["ledger.balance"] == found["parts.state"] == "unknown"
    assert found["api.reached"] == "error"


def test_a_new_deployment_is_not_blamed_for_jobs_that_had_no_time_yet() -> None:
    facts = replace(api(page=trouble("unknown")), stack=replace(WELL.stack, created=NOW))
    assert exit_status(examine(facts)) == 0


def test_a_certificate_that_ends_soon_is_a_warning() -> None:
    assert exit_status(examine(api(certificate_ends="2026-06-10T00:00:00+00:00"))) == 1


def test_a_rule_of_events_that_is_disabled_or_the_clock_that_is_gone_is_found() -> None:
    """Without the rule of executions that ended badly a resource would stay busy, and nobody be told."""
    clock, rule = WELL.schedules  # type: ignore[misc]
    for broken in (
        (clock, replace(rule, state="DISABLED")),
        (clock, replace(rule, targets=0)),
        (rule,),
    ):
        found = {one.check: one.severity for one in examine(replace(WELL, schedules=broken))}
        assert found["schedule.enabled"] == "error"
