"""A large delivery on the stack: compared in parts by the state machine, one worker killed, one commit (Q-33, X-12)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from tests.support.deaths import timed_out
from tests.support.town import CONTRACT, Town, lines

import differences  # of localstack/, which conftest.py puts on the path
import emulators

pytestmark = pytest.mark.e2e
CUT_FROM = 2_900  # so that 2,900 rows make four parts


@contextmanager
def workers_doomed(town: Town) -> Iterator[None]:
    """While the context lasts Lambda ends the workers after a second: none has even loaded its packages then."""
    functions = town.stack.client("lambda")
    listed = functions.list_functions()["Functions"]
    name = next(f["FunctionName"] for f in listed if "-ComparePartFunction-" in f["FunctionName"])
    before = functions.get_function_configuration(FunctionName=name)["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=1)
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Timeout=before)


def machine(town: Town) -> str:
    found = town.stack.client("stepfunctions").list_state_machines()["stateMachines"]
    return next(m["stateMachineArn"] for m in found if m["name"].endswith("-compare-in-parts"))


def died(town: Town) -> int:
    """How many attempts at parts have failed in the latest execution, or at all where its children are hidden."""
    if differences.holds("map-run-children", emulators.chosen().name):
        functions = town.stack.client("lambda").list_functions()["Functions"]
        names = [f["FunctionName"] for f in functions if "-ComparePartFunction-" in f["FunctionName"]]
        return sum(len(timed_out(town.stack, name)) for name in names)
    states = town.stack.client("stepfunctions")
    executions = states.list_executions(stateMachineArn=machine(town))["executions"]
    if not executions:
        return 0
    newest = max(executions, key=lambda e: e["startDate"])
    failed = 0
    for run in states.list_map_runs(executionArn=newest["executionArn"])["mapRuns"]:
        for child in states.list_executions(mapRunArn=run["mapRunArn"])["executions"]:
            events = states.get_execution_history(executionArn=child["executionArn"])["events"]
            failed += sum(e["type"] in ("TaskFailed", "LambdaFunctionFailed") for e in events)
    return failed


def snapshots(town: Town, table: str) -> list[str]:
    found = town.stack.client("glue").get_table(DatabaseName="huitong", Name=table)["Table"]
    bucket, _, key = found["Parameters"]["metadata_location"].removeprefix("s3://").partition("/")
    metadata = json.loads(town.stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return [s["summary"]["huitong.batch-id"] for s in metadata["snapshots"]]


def resource(town: Town, id: str) -> str:
    document = CONTRACT.format(id=id, table=id.replace("-", "_"))
    document += f"customProperties:\n  - {{property: fanOutRows, value: {CUT_FROM}}}\n"
    town.done("POST", "/v1/contracts", {"document": document, "provider": town.COURT})
    return id


def row_counts(batch: dict[str, Any]) -> tuple[int, int, int, int]:
    return batch["inserted"], batch["updated"], batch["deleted"], batch["unchanged"]


def test_a_large_delivery_whose_workers_die_is_published_once_and_those_behind_it_wait(town: Town) -> None:
    id = resource(town, "flow-in-parts")
    table = id.replace("-", "_")
    first = town.deliver(lines(range(1, 1_001)), id)  # below the limit: one function
    with workers_doomed(town):
        large = town.api("court").put_file(lines(range(101, 3_001)), id, town.COURT, "large.csv")
        behind = town.api("court").put_file(
            lines(range(101, 111), amount="2.50"), id, town.COURT, "behind.csv", mode="increment"
        )
        town.eventually(lambda: died(town), lambda times: times > 0)
    second, third = town.ended(large), town.ended(behind)
    assert [second["status"], third["status"]] == ["published", "published"]
    assert row_counts(second) == (2_000, 0, 100, 900)
    assert row_counts(third) == (0, 10, 0, 0)
    assert [first["seq"], second["seq"], third["seq"]] == [1, 2, 3]
    assert town.ledger(id)["balanced"]
    once = Counter({batch["id"]: 1 for batch in (first, second, third)})
    assert Counter(snapshots(town, table)) == Counter(snapshots(town, f"{table}__changes")) == once
    assert town.sql(f"SELECT count(*) AS n, count(DISTINCT id) AS ids FROM {table}") == [
        {"n": 2_900, "ids": 2_900}
    ]
    changes = town.sql(
        f'SELECT _seq, count(*) AS n, count(DISTINCT _ordinal) AS o FROM "{table}$changes" GROUP BY 1 ORDER BY 1'
    )
    assert [tuple(c.values()) for c in changes] == [(1, 1_000, 1_000), (2, 2_100, 2_100), (3, 10, 10)]


def test_an_execution_that_is_stopped_fails_its_batch_which_can_be_replayed(town: Town) -> None:
    """X-12: the rule of executions that ended badly wakes the comparison; the resource is free again."""
    id = resource(town, "flow-in-parts-stopped")
    with workers_doomed(town):
        upload = town.api("court").put_file(lines(range(1, 2_901)), id, town.COURT)
        town.eventually(lambda: stopped(town), lambda found: found)
        failed = town.ended(upload)
    assert (failed["status"], failed["refusal"]["code"]) == ("failed", "parts-failed")
    assert town.admin.call("POST", f"/v1/batches/{failed['id']}/replay", {})[0] == 202
    again = town.ended(upload)
    assert (again["status"], row_counts(again)) == ("published", (2_900, 0, 0, 0))
    assert town.ledger(id)["balanced"]


def stopped(town: Town) -> bool:
    """Whether there was an execution to stop."""
    states = town.stack.client("stepfunctions")
    running = states.list_executions(stateMachineArn=machine(town), statusFilter="RUNNING")["executions"]
    for execution in running:
        states.stop_execution(executionArn=execution["executionArn"])
    return bool(running)
