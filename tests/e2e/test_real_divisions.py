"""Real code tables, delivered edition by edition: every count equals one that was computed independently."""

from __future__ import annotations

import csv
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.town import CommandLine, Town

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT.parent / "shared" / "data" / "divisions"
EDITIONS = ("2016", "2017-10-31", "2018-10-31", "2019-10-31", "2020-06-30")
SECRET = "whsec_" + "ZGl2aXNpb25z" * 3

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(
        not DATA.is_dir(), reason="the real division tables (../shared/data/divisions) are not here"
    ),
]


@dataclass(frozen=True)
class Step:
    """What one edition changes against the one before it."""

    rows: int
    inserted: int
    updated: int
    deleted: int


def expected(table: str) -> dict[str, Step]:
    """The independent counts, from the data's own README; the first edition inserts all."""
    steps = {}
    for line in (DATA / "README.md").read_text().splitlines():
        found = re.match(
            rf"\| {table} \| (\S+) \| (\S+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \| (\d+) \|", line
        )
        if found:
            first, edition, before, *after = found.groups()
            if first == EDITIONS[0]:
                steps[first] = Step(int(before), int(before), 0, 0)
            steps[edition] = Step(*map(int, after))
    return steps


@dataclass
class Delivered:
    huitong: CommandLine
    table: str
    batches: dict[str, dict[str, Any]]
    received: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]


@pytest.fixture(scope="module", params=["areas", "streets"])
def delivered(request: pytest.FixtureRequest, town: Town) -> Iterator[Delivered]:
    """All editions of one table, delivered by the agency, whose they are, while a receiver listens."""
    from receiver import Inbox, Receiver, verified_by

    huitong, resource = town.huitong("agency-source"), f"divisions-{request.param}"
    town.huitong()("contract", "put", str(ROOT / "schemas" / f"{resource}.yaml"), "--provider", town.AGENCY)
    inbox = Inbox(verified_by(SECRET))
    with Receiver(inbox) as receiver:
        subscription = huitong("subscribe", resource, "--endpoint", receiver.url, "--secret", SECRET)["id"]
        batches = {
            edition: huitong(
                "upload", str(DATA / f"{request.param}-{edition}.csv"), "--resource", resource, "--wait"
            )
            for edition in EDITIONS
        }
        deliveries = acknowledged(huitong, subscription)
        yield Delivered(huitong, request.param, batches, inbox.stream(subscription).events, deliveries)


def acknowledged(huitong: CommandLine, subscription: str) -> list[dict[str, Any]]:
    """The deliveries, once none is outstanding."""
    end = time.monotonic() + 120
    while True:
        found: list[dict[str, Any]] = huitong("subscription", "deliveries", subscription)["items"]
        if time.monotonic() > end or (found and all(one["status"] == "acknowledged" for one in found)):
            return found
        time.sleep(0.5)


def file_of(table: str, edition: str) -> list[tuple[str, ...]]:
    with (DATA / f"{table}-{edition}.csv").open(encoding="utf-8", newline="") as stream:
        return sorted(tuple(row) for row in list(csv.reader(stream))[1:])


def columns_of(table: str) -> list[str]:
    with (DATA / f"{table}-{EDITIONS[0]}.csv").open(encoding="utf-8", newline="") as stream:
        return next(csv.reader(stream))


def test_every_edition_changes_what_was_computed_independently(delivered: Delivered) -> None:
    """Q-33: inserted, updated and deleted of each edition."""
    for edition, step in expected(delivered.table).items():
        batch = delivered.batches[edition]
        assert batch["status"] == "published"
        assert (batch["received"], batch["quarantined"], batch["duplicate"]) == (step.rows, 0, 0)
        assert (batch["inserted"], batch["updated"], batch["deleted"]) == (
            step.inserted,
            step.updated,
            step.deleted,
        )
        assert batch["unchanged"] == step.rows - step.inserted - step.updated


def test_the_change_log_holds_exactly_these_changes(delivered: Delivered) -> None:
    """Q-33, L-34: by batch, asked by SQL."""
    sql = f'SELECT _batch_id, _op, count(*) AS n FROM "divisions_{delivered.table}$changes" GROUP BY 1, 2'
    found = {(row["_batch_id"], row["_op"]): row["n"] for row in delivered.huitong("sql", sql)["rows"]}
    wanted = {}
    for edition, step in expected(delivered.table).items():
        id = delivered.batches[edition]["id"]
        steps = (("insert", step.inserted), ("update", step.updated), ("delete", step.deleted))
        wanted |= {(id, op): n for op, n in steps if n}
    assert found == wanted


def test_the_table_as_of_each_edition_equals_the_file_in_every_cell(delivered: Delivered) -> None:
    """Q-13: what went in comes out, byte for byte."""
    names = columns_of(delivered.table)
    listed = ", ".join(f'"{name}"' for name in names)
    for edition, batch in delivered.batches.items():
        sql = f"SELECT {listed} FROM divisions_{delivered.table} FOR VERSION AS OF '{batch['id']}'"
        rows = delivered.huitong("sql", sql)["rows"]
        assert sorted(tuple(row[name] for name in names) for row in rows) == file_of(delivered.table, edition)


def test_the_receiver_was_told_each_change_once_and_ends_with_the_last_edition(delivered: Delivered) -> None:
    """C-15: by rule, with a receipt; X-08: nothing lost, nothing twice."""
    steps = expected(delivered.table).values()
    told = Counter(event["type"].rsplit(".", 1)[1] for event in delivered.received)
    assert told["inserted"] == sum(step.inserted for step in steps)
    assert told["updated"] == sum(step.updated for step in steps)
    assert told["deleted"] == sum(step.deleted for step in steps)
    assert len({event["id"] for event in delivered.received}) == len(delivered.received)
    rows: dict[str, tuple[str, ...]] = {}
    names = columns_of(delivered.table)
    for event in delivered.received:
        if event["data"]["op"] == "delete":
            del rows[event["subject"]]
        else:
            rows[event["subject"]] = tuple(event["data"]["row"][name] for name in names)
    assert sorted(rows.values()) == file_of(delivered.table, EDITIONS[-1])


def test_pulling_by_cursor_gives_the_events_that_were_pushed(delivered: Delivered) -> None:
    """Q-06: both directions by API."""
    pulled = delivered.huitong("changes", f"divisions-{delivered.table}", "--limit", "100000")["items"]
    assert [event["id"] for event in pulled] == [event["id"] for event in delivered.received]


def test_the_ledger_has_the_same_sums_and_balances(delivered: Delivered) -> None:
    """X-12, C-16."""
    ledger = delivered.huitong("ledger", "--resource", f"divisions-{delivered.table}")
    steps = expected(delivered.table).values()
    assert ledger["balanced"]
    assert ledger["received"] == ledger["accepted"] == sum(step.rows for step in steps)
    assert ledger["inserted"] == sum(step.inserted for step in steps)
    assert ledger["updated"] == sum(step.updated for step in steps)
    assert ledger["deleted"] == sum(step.deleted for step in steps)
    assert ledger["due"] == ledger["acknowledged"] == len(delivered.received)
    assert ledger["failed"] == ledger["pending"] == 0
