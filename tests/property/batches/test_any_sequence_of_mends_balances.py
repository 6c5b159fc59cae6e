"""Any sequence of deliveries, mended rows, changes of the contract and of the office's rules, and replays: every
row is accounted for, and what is served is what a naive reader of the rules would serve."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "flow"))

from flow_world import KEY, UNIT, Flow, contract

from huitong.audit.trace import Traces
from huitong.batches.model import Batch
from huitong.batches.quarantine import Quarantine
from huitong.errors import Conflict
from huitong.intake.returned import ROW_COLUMN
from huitong.procedures.calendar import Calendar
from huitong.quality.rulebook.book import Change
from huitong.quality.rulebook.model import OfficeRule

#: Nothing waits for an officer: what is held is the matter of other tests.
LIMITS = {"maxDeletedPercent": "100", "maxUpdatedPercent": "100", "maxKeylessRows": 1000}
KINDS = {"ab": "[ab]", "abc": "[abc]", "b": "[b]"}
DOCUMENTS = {
    allowed: contract(
        KEY, f"name: kind, logicalType: string, logicalTypeOptions: {{pattern: '{pattern}'}}", custom=LIMITS
    )
    for allowed, pattern in KINDS.items()
}
#: What the office's rule lets pass; "" = it is disabled.
OFFICE = ("", "ab", "b", "abc")
CHANGE = Change("officer", UNIT, "a test")
ITEMS = st.sampled_from(["k1", "k2", "k3", "k4", "k5", "k6"])
ROW = st.tuples(ITEMS, st.sampled_from("acbx"))
ROWS = st.lists(ROW, min_size=3, max_size=6)
#: Of a mended row: which open row it names (a place among them; 9 = one that is none; None = by its key).
MENDED = st.lists(
    st.tuples(st.sampled_from([0, 1, 2, None, 9]), ITEMS, st.sampled_from("baax")), min_size=2, max_size=4
)


@dataclass
class First:
    """A delivery in the model: its rows by number, and which of them are open."""

    batch: str
    place: int
    mode: str
    rows: dict[int, tuple[str, str]]
    open: set[int] = field(default_factory=set)
    whole: bool = False
    accepted: set[str] = field(default_factory=set)  # keys of rows taken of it, or of what mended it
    taken: Counter[str] = field(default_factory=Counter)
    replays: dict[str, str] = field(default_factory=dict)


@dataclass
class Told:
    """A published statement: its place, and the keys that it spoke about."""

    place: tuple[int, int]
    full: bool
    keys: set[str]


class Mends(RuleBasedStateMachine):
    @initialize(rows=ROWS, mode=st.sampled_from(["full", "increment"]))
    def begin(self, rows: list[tuple[str, str]], mode: str) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="huitong-mends-"))
        self.flow = Flow(self.root / "p", DOCUMENTS["ab"])
        self.allowed, self.office = "ab", ""
        self.firsts: list[First] = []
        self.served: dict[str, str] = {}
        self.told: list[Told] = []
        self.counter = 0
        self.deliver(rows, mode)

    def teardown(self) -> None:
        if hasattr(self, "root"):
            shutil.rmtree(self.root)

    # --- steps -------------------------------------------------------------

    @rule(rows=ROWS, mode=st.sampled_from(["full", "increment"]))
    def deliver(self, rows: list[tuple[str, str]], mode: str) -> None:
        batch = self._publish("item,kind\n" + "".join(f"{i},{k}\n" for i, k in rows), mode=mode)
        first = First(batch.id, len(self.firsts), mode, dict(enumerate(rows, start=2)))
        repeated, conflicting = self._alike(rows)
        bad = {n for n, (i, k) in first.rows.items() if not self._passes(k) or i in conflicting}
        good = {n: r for n, r in first.rows.items() if n not in bad | repeated}
        if not good:
            first.whole, bad = True, set(first.rows) - repeated
        first.open = bad - repeated
        first.accepted = {item for item, _ in good.values()}
        self.firsts.append(first)
        self._check_counts(batch, len(rows), len(good), len(first.open), len(repeated))
        if good:
            held = {first.rows[n][0] for n in first.open}
            self._state((first.place, 0), mode == "full", dict(good.values()), held)

    @precondition(lambda self: any(f.open for f in self.firsts))
    @rule(which=st.integers(0, 5), rows=MENDED)
    def mend(self, which: int, rows: list[tuple[int | None, str, str]]) -> None:
        having = [f for f in self.firsts if f.open]
        self._mend(having[which % len(having)], rows)

    @rule(which=st.integers(0, 5), rows=MENDED)
    def mend_any(self, which: int, rows: list[tuple[int | None, str, str]]) -> None:
        self._mend(self.firsts[which % len(self.firsts)], rows)

    @rule(which=st.integers(0, 5), rows=MENDED)
    def change_and_mend(self, which: int, rows: list[tuple[int | None, str, str]]) -> None:
        self.change_contract("abc" if self.allowed != "abc" else "ab")
        self._mend(self.firsts[which % len(self.firsts)], rows)

    def _mend(self, first: First, rows: list[tuple[int | None, str, str]]) -> None:
        still = sorted(first.open)
        named = [None if n is None else (still[n] if n < len(still) else 99) for n, _, _ in rows]
        text = f"item,kind,{ROW_COLUMN}\n"
        text += "".join(
            f"{i},{k},{'' if n is None else n}\n" for n, (_, i, k) in zip(named, rows, strict=True)
        )
        batch = self._publish(text, mends=first.batch)
        self._bring(first, batch, named, [(i, k) for _, i, k in rows], "mended", full=False)

    @rule(allowed=st.sampled_from(sorted(KINDS)))
    def change_contract(self, allowed: str) -> None:
        if allowed != self.allowed:
            self.flow.contracts.put(DOCUMENTS[allowed], by="test", provider=UNIT)
            self.allowed = allowed

    @rule(codes=st.sampled_from(OFFICE))
    def change_rule(self, codes: str) -> None:
        """The office makes a rule, changes it, disables it, enables it again."""
        if codes == self.office:
            return
        book, made = self.flow.rulebook, OfficeRule("kinds", self.flow.resource, "set", ("kind",))
        parameters = {"parameters": {"codes": list(codes)}}
        if not codes:
            book.move(made.id, "disabled", CHANGE)
        elif not book.listed(self.flow.resource):
            book.create(OfficeRule.from_dict({**made.as_dict(), **parameters}), CHANGE)
        else:
            book.put(made.id, parameters, CHANGE)
        if codes:
            book.move(made.id, "enabled", CHANGE)
        self.office = codes

    @precondition(lambda self: any(f.open for f in self.firsts))
    @rule(which=st.integers(0, 5), rows=ROWS)
    def rescue_from_the_office(self, which: int, rows: list[tuple[str, str]]) -> None:
        """A rule of the office that was too strict holds rows; without it they are brought again."""
        self.change_rule("b")
        self.deliver(rows, "increment")
        self.change_rule("")
        self.replay(which)

    def _passes(self, kind: str) -> bool:
        return kind in self.allowed and kind in (self.office or kind)

    @precondition(lambda self: any(f.open for f in self.firsts))
    @rule(which=st.integers(0, 5), newer=ROWS)
    def rescue(self, which: int, newer: list[tuple[str, str]]) -> None:
        """A rule is relaxed, newer data come, and the rows held before are brought again."""
        self.deliver(newer[:2], "increment")
        self.change_contract("abc" if self.allowed != "abc" else "ab")
        self.replay(which)

    @precondition(lambda self: any(f.open for f in self.firsts))
    @rule(which=st.integers(0, 5))
    def replay(self, which: int) -> None:
        having = [f for f in self.firsts if f.open]
        first = having[which % len(having)]
        now = self.flow.contracts.get(self.flow.resource)
        batch = self._quarantine().replay(self.flow.batches.get(first.batch).batch, now, by="officer")
        known = first.replays.setdefault(self.flow.rulebook.standing(now), batch.id)
        assert known == batch.id
        if batch.status != "received":
            return
        self.flow.work_off()
        still = sorted(first.open)
        full = first.whole and first.mode == "full" and not first.taken
        brought = [first.rows[n] for n in still]
        self._bring(first, self.flow.now(batch), list(still), brought, "replayed", full=full)

    @rule()
    def events_come_again(self) -> None:
        for batch in self.flow.batches.of_resource(self.flow.resource):
            if not batch.replay:
                self.flow.ingest(batch.landing_key)
        self.flow.work_off()

    @rule()
    def nothing_open_is_refused(self) -> None:
        for first in self.firsts:
            stored = self.flow.batches.holdings.find(self.flow.batches.get(first.batch).batch)
            if not first.open and stored is None:
                try:
                    self._quarantine().replay(
                        self.flow.batches.get(first.batch).batch,
                        self.flow.contracts.get(self.flow.resource),
                        by="officer",
                    )
                except Conflict:
                    continue
                raise AssertionError("a replay of nothing")

    # --- what must hold ------------------------------------------------------

    @invariant()
    def every_row_is_accounted_for(self) -> None:
        if not getattr(self, "firsts", None):
            return
        for batch in self.flow.batches.of_resource(self.flow.resource):
            c = self.flow.now(batch).counts
            assert c.received == c.accepted + c.quarantined + c.duplicate
        for first in self.firsts:
            stored = self.flow.batches.holdings.find(self.flow.batches.get(first.batch).batch)
            figures = stored.holding.figures() if stored else {"open": 0, "mended": 0, "replayed": 0}
            assert figures["open"] == len(first.open)
            assert figures["mended"] == first.taken["mended"]
            assert figures["replayed"] == first.taken["replayed"]
        if self.told:
            assert self.flow.values("kind") == self.served
            self.flow.check()

    # --- the model -----------------------------------------------------------

    def _bring(
        self,
        first: First,
        batch: Batch,
        named: list[int | None],
        rows: list[tuple[str, str]],
        kind: str,
        *,
        full: bool,
    ) -> None:
        """A delivery of mended rows, or of the rows themselves, as the documentation tells it."""
        repeated, conflicting = self._alike(rows)
        number, seen = {}, set()
        for n, (item, _) in enumerate(rows, start=2):
            told = named[n - 2]
            if told is None:
                told = min((o for o in first.open if first.rows[o][0] == item), default=-1)
            number[n] = told if told in first.open else -1
            if n not in repeated:
                if number[n] in seen:
                    number[n] = -1
                seen.add(number[n])
        good = {
            n: row
            for n, row in enumerate(rows, start=2)
            if n not in repeated
            and number[n] >= 0
            and self._passes(row[1])
            and row[0] not in conflicting | first.accepted
        }
        bad = len(rows) - len(repeated) - len(good)
        self._check_counts(batch, len(rows), len(good), bad, len(repeated))
        if not good:
            return
        keys = {row[0] for row in good.values()}
        closed = {number[n] for n in good} | {
            number[n] for n in repeated if number[n] >= 0 and rows[n - 2][0] in keys
        }
        wide = {row[0] for n, row in good.items() if named[n - 2] is None}
        closed |= {o for o in first.open if first.rows[o][0] in wide}
        first.open -= closed
        first.accepted |= keys
        first.taken[kind] += len(closed)
        self.counter += 1
        held = {rows[n - 2][0] for n in range(2, len(rows) + 2) if n not in good and n not in repeated}
        self._state((first.place, self.counter), full, dict(good.values()), held)

    def _state(self, place: tuple[int, int], full: bool, rows: dict[str, str], held: set[str]) -> None:
        """What landed later has the last word (docs/decisions/comparison.md)."""
        later = [t for t in self.told if t.place > place]
        if any(t.full for t in later):
            return
        stated = {key for t in later for key in t.keys}
        mine = {k: v for k, v in rows.items() if k not in stated}
        if full:
            kept = {k: v for k, v in self.served.items() if k in stated | held}
            self.served = {**kept, **mine}
        else:
            self.served.update(mine)
        self.told.append(Told(place, full, set(rows)))

    @staticmethod
    def _alike(rows: list[tuple[str, str]]) -> tuple[set[int], set[str]]:
        """Numbers of rows that repeat one before, and keys that occur with different content."""
        contents: dict[str, set[str]] = {}
        for item, kind in rows:
            contents.setdefault(item, set()).add(kind)
        conflicting = {item for item, kinds in contents.items() if len(kinds) > 1}
        seen, repeated = set(), set()
        for n, (item, _) in enumerate(rows, start=2):
            if item in seen and item not in conflicting:
                repeated.add(n)
            seen.add(item)
        return repeated, conflicting

    @staticmethod
    def _check_counts(batch: Batch, received: int, accepted: int, quarantined: int, duplicate: int) -> None:
        c = batch.counts
        found = (c.received, c.accepted, c.quarantined, c.duplicate)
        assert found == (received, accepted, quarantined, duplicate)

    def _publish(self, text: str, **said: str) -> Batch:
        self.counter += 1
        return self.flow.published(text, edition=f"e{self.counter}", **said)

    def _quarantine(self) -> Quarantine:
        p = self.flow.ports
        return Quarantine(
            register=p.register,
            batches=self.flow.batches,
            contracts=self.flow.contracts.all,
            rules=self.flow.rulebook.standing,
            profile_version=lambda _: 0,
            staging=p.staging,
            ingest_queue=self.flow.ingest_queue,
            calendar=Calendar(p.register),
            traces=Traces(p.register, p.clock),
            clock=p.clock,
        )


Mends.TestCase.settings = settings(
    max_examples=15,
    stateful_step_count=10,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
TestMends = Mends.TestCase
TestMends.__doc__ = "C-13, X-12, X-08: in any order, with events that come again."
