"""What a replay would do, looked at before anything is written (C-07): which rows held would pass by now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from huitong.batches.held_rows import NONE, Rows, open_rows
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.contracts.model import Contract
from huitong.ports import ObjectStore
from huitong.quality.check import Checker
from huitong.quality.cleansing.apply import Cleanser
from huitong.quality.compile import compile_plan
from huitong.quality.staged import Staged, take
from huitong.quality.validate import connect, received_on

if TYPE_CHECKING:
    from huitong.quality.rulebook.checking import Office

#: Rows that a preview looks at; of more, so many, evenly spread.
MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class ReplayPreview:
    """Checks rows one by one; what a row is in company with others (the same key, a unique value, rules over
    whole tables) and rows that could not even be read are for the replay itself to find out."""

    batches: Batches
    staging: ObjectStore
    office: Callable[[], Office | None]

    def run(self, first: Batch, contract: Contract) -> dict[str, Any]:
        """JSON-ready numbers, no values. ``contract`` is the version as it is now."""
        stored = self.batches.holdings.find(first)
        held = open_rows(self.staging, first, stored.holding) if stored else NONE
        chosen = held if len(held) <= MOST else held[np.linspace(0, len(held) - 1, MOST).astype(np.int64)]
        looked, bad, now = self._checked(first, contract, chosen)
        before = stored.holding.by_rule if stored else {}
        rules = sorted(before.keys() | now.keys())
        return {
            "batch": first.id,
            "open": len(held),
            "looked_at": looked,
            "would_pass": looked - bad,
            "still_bad": bad,
            "unreadable": len(chosen) - looked,
            "sampled": len(chosen) < len(held),
            "by_rule": [{"rule": r, "before": before.get(r, 0), "now": now[r]} for r in rules],
            "not_looked_at": ["key.conflict", "unique", "row.*", "cell.*", "office:*"],
        }

    def _checked(self, first: Batch, contract: Contract, chosen: Rows) -> tuple[int, int, Counter[str]]:
        office = self.office()
        plan = compile_plan(contract, office.ready(contract).rules if office else ())
        looked = bad = 0
        found: Counter[str] = Counter()
        with connect() as connection:
            checker = Checker(plan, connection, received_on(first))
            staged = Staged(self.staging, first.staging, Cleanser(contract))
            for block in staged.blocks([f.name for f in contract.fields]):
                places = np.flatnonzero(np.isin(block.source_rows.to_numpy(), chosen))
                if not len(places):
                    continue
                hits = checker.check(take(block, places)).hits
                wrong = np.zeros(len(places), dtype=np.bool_)
                for number, rows in hits.items():
                    rule = plan.rules[number]
                    if rule.severity == "error":
                        found[rule.id] += len(rows)
                        wrong[rows] = True
                looked += len(places)
                bad += int(wrong.sum())
        return looked, bad, found
