"""Records are appended to the chains by several writers at once, with the acts that they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from huitong.audit.chain import SHARDS, START, Entry, Keyring, linked, partition
from huitong.audit.trace import Trace, Traces
from huitong.errors import Conflict, Unavailable, UnknownCommitState
from huitong.local.messages import ManualClock, MemoryEvents
from huitong.local.register import MemoryRegister
from huitong.ports import Item

KEYS = Keyring(lambda name: f"secret of {name}", ("evidence",))
ACT = Trace("query", "c1", "U1", resource="IN-01")


def entries(register: MemoryRegister, shard: int) -> list[Entry]:
    return [Entry.from_dict(i.body) for i in register.query(partition(shard))]


def whole(register: MemoryRegister) -> int:
    """Every chain is without gap and each entry fits the one before; the number of entries."""
    count = 0
    for shard in range(SHARDS):
        mac = link = START
        for n, entry in enumerate(entries(register, shard), start=1):
            assert (entry.n, entry.shard, entry.prev) == (n, shard, mac)
            assert KEYS.fits(entry)
            assert linked(entry, link)
            mac, link, count = entry.mac, entry.link, count + 1
    return count


class Strained(MemoryRegister):
    """Its next writes end as told: ``lost`` = done but the answer is lost; else the error, and not done."""

    def __init__(self, *troubles: Any) -> None:
        super().__init__()
        self.troubles = list(troubles)

    def write(self, creates: Sequence[Item] = (), replaces: Sequence[Item] = (), deletes: Any = ()) -> None:
        trouble = self.troubles.pop(0) if self.troubles else None
        if isinstance(trouble, Exception):
            raise trouble
        super().write(creates, replaces, deletes)
        if trouble is not None:
            raise trouble()


def test_writers_at_once_leave_whole_chains_and_lose_nothing() -> None:
    """S-13; each writer keeps its own idea of where the chains end."""
    register = MemoryRegister()

    def work(writer: int) -> None:
        traces = Traces(register, ManualClock(), KEYS)
        for n in range(40):
            traces.commit(ACT, ACT, creates=[Item(f"THING#{writer}", f"{n}", {})])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert whole(register) == 8 * 40 * 2


def test_a_conflict_of_the_act_reaches_the_caller_and_leaves_no_record() -> None:
    register = MemoryRegister()
    register.create(Item("THING", "1", {}))
    traces = Traces(register, ManualClock(), KEYS)
    with pytest.raises(Conflict) as caught:
        traces.commit(ACT, creates=[Item("THING", "1", {})])
    assert caught.value.where["failed"] == [("THING", "1")]
    assert whole(register) == 0


def test_a_place_that_somebody_took_is_no_conflict_of_the_act() -> None:
    register = MemoryRegister()
    slow, quick = Traces(register, ManualClock(), KEYS), Traces(register, ManualClock(), KEYS)
    slow.write(ACT)
    quick._shard = slow._shard
    quick.write(ACT)  # takes the place that slow believes to be free
    slow.commit(ACT, creates=[Item("THING", "1", {})])
    assert whole(register) == 3
    assert register.get("THING", "1") is not None


@pytest.mark.parametrize(
    "lost",
    [lambda: Conflict("x", "x"), lambda: UnknownCommitState("x", "x")],
    ids=["own write in the way", "unknown"],
)
def test_a_write_whose_answer_was_lost_is_recognised_and_not_repeated(lost: Any) -> None:
    register = Strained(lost)
    Traces(register, ManualClock(), KEYS).commit(ACT, creates=[Item("THING", "1", {})])
    assert whole(register) == 1


def test_an_unknown_outcome_that_did_not_happen_stays_a_fault() -> None:
    register = Strained(UnknownCommitState("x", "x"))
    with pytest.raises(UnknownCommitState):
        Traces(register, ManualClock(), KEYS).write(ACT)
    assert whole(register) == 0


def test_evidence_that_cannot_be_written_is_a_fault_and_an_alert() -> None:
    """S-15: who asked for data gets the fault, somebody is told."""
    events = MemoryEvents()
    traces = Traces(Strained(Unavailable("x", "x")), ManualClock(), KEYS, events=events)
    with pytest.raises(Unavailable):
        traces.write(ACT)
    assert events.published == [
        ("EvidenceFailing", {"code": "unavailable", "acts": ["query"], "resource": "IN-01"})
    ]


@pytest.mark.parametrize("digest", ["sha256", "sm3"])
def test_algorithm_and_key_are_named_in_each_record(digest: Any) -> None:
    """S-13: HMAC-SM3 by configuration; what was written before a change stays checkable."""
    register = MemoryRegister()
    Traces(register, ManualClock(), KEYS).write(ACT)
    later = Keyring(KEYS.get, ("evidence", "evidence-2"), digest)
    traces = Traces(register, ManualClock(), later)
    traces._shard = next(s for s in range(SHARDS) if entries(register, s))
    traces.write(ACT)
    first, second = entries(register, traces._shard)
    assert (first.alg, first.key) == ("HMAC-SHA256", "evidence")
    assert (second.alg, second.key) == (f"HMAC-{digest.upper()}", "evidence-2")
    assert later.fits(first)
    assert later.fits(second)
    assert not KEYS.fits(second)


def test_a_seal_without_a_key_counts_nothing_where_keys_are_demanded() -> None:
    register = MemoryRegister()
    Traces(register, ManualClock()).write(ACT)
    (entry,) = [e for s in range(SHARDS) for e in entries(register, s)]
    assert Keyring().fits(entry)
    assert not KEYS.fits(entry)


def test_more_than_a_transaction_takes_is_refused_before_anything_is_written() -> None:
    register = MemoryRegister()
    with pytest.raises(ValueError, match="100"):
        Traces(register, ManualClock()).commit(ACT, creates=[Item("T", f"{n}", {}) for n in range(100)])
    assert register.query("T") == []
