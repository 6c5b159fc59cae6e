"""What a replay would do, looked at before anything is written (C-07): which rows held would pass by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from huitong.batches.held_rows import NONE, Rows, open_rows
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.contracts.model import Contract
from huitong.ports import Clock, ObjectStore, SystemClock, timestamp
from huitong.quality.check import Block, Checker
from huitong.quality.cleansing.apply import Cleanser
from huitong.quality.compile import Plan, compile_plan
from huitong.quality.duplicates import Repeated, RepeatedRows
from huitong.quality.rulebook.bound import no_rules
from huitong.quality.rulebook.running import Found, SetRules
from huitong.quality.staged import Kept, Staged, take
from huitong.quality.validate import connect, received_on

if TYPE_CHECKING:
    from huitong.quality.rulebook.checking import Office

#: Rows that a preview looks at; of more, so many, evenly spread.
MOST: Final = 10_000
#: Findings that only the replay itself makes.
_LEFT_OUT: Final = ("row.*", "cell.*", "mend.*")
_ZH: Final = "未查看:不能读取的行,以及是否已被后来的报送取代"
_EN: Final = "Not looked at: rows that cannot be read, and whether later deliveries have the last word"
_ZH_SAMPLED: Final = (
    "隔离行较多,只均匀抽看 {looked} 行(共 {open} 行),行与行之间的规则(主键、唯一)只在其中比较;"
)
_EN_SAMPLED: Final = (
    "Only {looked} of {open} rows held were looked at, evenly spread; rules between rows (key, unique) "
    "compare those alone. "
)


@dataclass(frozen=True, slots=True)
class ReplayPreview:
    """Checks the rows held by the rules, and over the published tables, as they are now."""

    batches: Batches
    staging: ObjectStore
    office: Callable[[], Office | None]
    clock: Clock = field(default_factory=SystemClock)

    def run(self, first: Batch, contract: Contract) -> dict[str, Any]:
        """JSON-ready numbers, no values. ``contract`` is the version as it is now. Raises Unavailable."""
        stored = self.batches.holdings.find(first)
        held = open_rows(self.staging, first, stored.holding) if stored else NONE
        chosen = held if len(held) <= MOST else held[np.linspace(0, len(held) - 1, MOST).astype(np.int64)]
        looked, bad, now = self._checked(first, contract, chosen)
        before = stored.holding.by_rule if stored else {}
        rules = sorted(before.keys() | now.keys())
        sampled = len(chosen) < len(held)
        counts = {"looked": len(chosen), "open": len(held)}
        return {
            "batch": first.id,
            "open": len(held),
            "looked_at": looked,
            "would_pass": looked - bad,
            "still_bad": bad,
            "unreadable": len(chosen) - looked,
            "sampled": sampled,
            "by_rule": [{"rule": r, "before": before.get(r, 0), "now": now[r]} for r in rules],
            "not_looked_at": list(_LEFT_OUT),
            "zh": (_ZH_SAMPLED.format(**counts) if sampled else "") + _ZH,
            "en": (_EN_SAMPLED.format(**counts) if sampled else "") + _EN,
        }

    def _checked(self, first: Batch, contract: Contract, chosen: Rows) -> tuple[int, int, Counter[str]]:
        """Rows looked at, those still bad, and how many break each rule."""
        again = replace(first, mends=first.id, replay=True, received_at=timestamp(self.clock.now()))
        office = self.office()
        plan = compile_plan(contract, (office.ready(contract) if office else no_rules(contract)).rules)
        rows = Kept(tuple(self._held(first, contract, chosen)))
        with connect() as connection, TemporaryDirectory(prefix="huitong-preview-") as folder:
            checker = Checker(plan, connection, received_on(again))
            repeated = RepeatedRows(rows, contract, checker, connection).find()
            found = Found()
            if office is not None and repeated.rows:
                sets = SetRules(plan, checker, office.tables, again, received_on(again))
                found = sets.find(rows, repeated, Path(folder))
            return _counted(plan, checker, rows, repeated, found)

    def _held(self, first: Batch, contract: Contract, chosen: Rows) -> Iterator[Block]:
        staged = Staged(self.staging, first.staging, Cleanser(contract))
        for block in staged.blocks([f.name for f in contract.fields]):
            places = np.flatnonzero(np.isin(block.source_rows.to_numpy(), chosen))
            if len(places):
                yield take(block, places)


def _counted(
    plan: Plan, checker: Checker, rows: Kept, repeated: Repeated, found: Found
) -> tuple[int, int, Counter[str]]:
    start = bad = 0
    now: Counter[str] = Counter()
    unique = {f.field.name: f.unique for f in plan.fields}
    for block in rows.blocks([f.name for f in plan.contract.fields]):
        between = repeated.within(start, len(block))
        hits = {**checker.check(block).hits, **found.within(start, len(block))}
        hits[plan.conflict] = between.conflicts
        hits |= {unique[name]: places for name, places in between.shared.items()}
        wrong = np.zeros(len(block), dtype=np.bool_)
        for number, places in hits.items():
            if plan.rules[number].severity == "error" and len(places):
                now[plan.rules[number].id] += len(places)
                wrong[places] = True
        bad += int(wrong.sum())
        start += len(block)
    return start, bad, now
