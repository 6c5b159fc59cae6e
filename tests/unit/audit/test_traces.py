"""The trace log."""

from __future__ import annotations

from dataclasses import replace

import pytest

from huitong.audit.trace import Trace, Traces
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister

QUERY = Trace("query", actor="c1", unit="U2", resource="IN-01", fields=("name", "idno"), batch="b1", seq=3,
              case_no="(2026)粤03破1号", purpose="核查", count=7, request="r1", detail="q1")  # fmt: skip


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def traces(clock: ManualClock) -> Traces:
    return Traces(MemoryRegister(), clock)


@pytest.mark.parametrize("act", ["collect", "share", "query", "compare", "download", "access", "update"])
def test_every_kind_of_act_leaves_one_entry_that_leads_back_to_its_source(traces: Traces, act: str) -> None:
    """L-34: collection, sharing, query, comparison, download, access and update each write a log entry."""
    traces.write(replace(QUERY, act=act))  # type: ignore[arg-type]
    (found,) = traces.list(resource="IN-01")
    assert (found.act, found.actor, found.unit, found.batch, found.seq, found.count) == (
        act, "c1", "U2", "b1", 3, 7,
    )  # fmt: skip
    assert (found.case_no, found.purpose, found.fields, found.request, found.detail) == (
        QUERY.case_no, "核查", ("name", "idno"), "r1", "q1",
    )  # fmt: skip
    assert found.at == "2026-01-05T08:00:00.000Z"


def test_two_equal_acts_at_one_moment_are_two_entries(traces: Traces) -> None:
    traces.write(QUERY)
    traces.write(QUERY)
    assert len({t.id for t in traces.list(resource="IN-01")}) == 2


def test_entries_are_found_by_resource_unit_batch_and_period(traces: Traces, clock: ManualClock) -> None:
    for resource, unit, batch in (("IN-01", "U1", "b1"), ("IN-01", "U2", "b2"), ("IN-02", "U1", "b3")):
        traces.write(replace(QUERY, resource=resource, unit=unit, batch=batch))
        clock.advance(days=1)

    def batches(**how: str) -> list[str]:
        return [t.batch for t in traces.list(**how)]  # type: ignore[arg-type]

    assert batches(resource="IN-01") == ["b2", "b1"]
    assert batches(unit="U1") == ["b3", "b1"]
    assert batches(resource="IN-01", unit="U1") == ["b1"]
    assert batches(resource="IN-01", batch="b2") == ["b2"]
    assert batches(resource="IN-01", low="2026-01-06") == ["b2"]
    assert batches(resource="IN-01", high="2026-01-05") == ["b1"]
    assert batches(resource="IN-03") == []


def test_a_limit_keeps_the_newest(traces: Traces, clock: ManualClock) -> None:
    for n in range(5):
        traces.write(replace(QUERY, count=n))
        clock.advance(seconds=1)
    assert [t.count for t in traces.list(resource="IN-01", limit=2)] == [4, 3]


def test_an_act_without_a_resource_is_kept_too(traces: Traces) -> None:
    traces.write(Trace("access", actor="c1", unit="U1"))
    assert [t.act for t in traces.list(unit="U1")] == ["access"]
