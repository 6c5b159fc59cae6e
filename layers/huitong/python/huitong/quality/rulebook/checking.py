"""The office's rules within the validation of one delivery: before, during and after its one pass."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa

from huitong.batches.model import Batch
from huitong.contracts.model import Contract
from huitong.ports import ObjectStore
from huitong.quality.check import Checker, Rows
from huitong.quality.compile import Plan
from huitong.quality.duplicates import Repeated
from huitong.quality.evaluation import Tally
from huitong.quality.files import ParquetFiles
from huitong.quality.findings import FINDING_TYPES, Report
from huitong.quality.keys import staging_key
from huitong.quality.rulebook.binding import Known
from huitong.quality.rulebook.bound import BoundSet, RulesOf, bind_all
from huitong.quality.rulebook.outcome import Judged, error_words, judged, unbound
from huitong.quality.rulebook.running import DISAGREEMENT_TYPES, Found, SetRules
from huitong.quality.rulebook.tables import Tables
from huitong.quality.rules import Rule
from huitong.quality.staged import Source

DISAGREEMENTS = "disagreements.parquet"


@dataclass(frozen=True, slots=True)
class Office:
    """Where the rules of the office come from, and the tables that they read."""

    rules: RulesOf
    known: Known
    tables: Tables

    def ready(self, contract: Contract) -> BoundSet:
        """The rules in force, as they fit this version of the contract."""
        return bind_all(self.rules(contract), contract, self.known)


@dataclass
class OfficeChecks:
    """Of one delivery. ``plan`` was compiled with the rules of ``bound``."""

    plan: Plan
    bound: BoundSet
    checker: Checker
    batch: Batch
    found: Found = field(default_factory=Found)
    violations: Counter[int] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    def look(
        self, source: Source, repeated: Repeated, folder: Path, tables: Tables | None, today: Any
    ) -> None:
        """Carry out the rules that look at all rows. Raises Unavailable."""
        if tables is not None and self.plan.sets:
            rules = SetRules(self.plan, self.checker, tables, self.batch, today)
            self.found = rules.find(source, repeated, folder)

    def hits(self, start: int, rows: int) -> Mapping[int, Rows]:
        """What these rules found in a block."""
        return self.found.within(start, rows)

    def count(self, hits: Mapping[int, Rows]) -> None:
        self.violations.update({n: len(rows) for n, rows in hits.items() if n in self.plan.office})

    def close(self, report: Report, tally: Tally) -> Judged:
        """Findings on the delivery as a whole and on rules that failed; then how every rule went."""
        rules = self.plan.rules
        for said in self.found.said:
            rule = rules[said.number]
            self.violations[said.number] += 1
            self._tell(report, tally, rule, said.zh, said.en, said.value)
        carried = {n: (c.state, c.ms, c.why) for n, c in self.found.carried.items()}
        carried |= dict.fromkeys(self.checker.failed, ("failed", -1, "it cannot be evaluated"))
        failed = [
            (self.plan.office[n].finding, why) for n, (state, _, why) in carried.items() if state == "failed"
        ]
        failed += [(rule.finding, why) for rule, why in self.bound.unusable]
        for name, why in failed:
            self._tell(report, tally, rules[self.plan.failed], *error_words(name, why), name)
        ms = round((time.monotonic() - self.began) * 1000)
        # rows that are brought again are no edition: no share of them says anything
        rows = 0 if self.batch.mends else tally.received - tally.duplicate
        outcome = judged(self.plan.office, self.violations, rows, carried, ms)
        breaches = () if self.batch.mends else outcome.breaches
        tally.refused = tuple(r.finding for r, _ in breaches if r.on_breach == "reject")
        return Judged((*outcome.runs, *unbound(self.bound.unusable)), breaches, ms)

    def keep_disagreements(self, store: ObjectStore, folder: Path) -> str:
        """Values that differ from another unit's, for those who settle it; the key, empty without any."""
        key = staging_key(self.batch.resource, self.batch.id, DISAGREEMENTS)
        files = ParquetFiles(store, folder, lambda: key, DISAGREEMENT_TYPES, file_rows=0)
        try:
            for columns in self.found.disagreements:
                files.add(columns)
            written = files.close()
        finally:
            files.abandon()
        return written[0].key if written else ""

    def _tell(self, report: Report, tally: Tally, rule: Rule, zh: str, en: str, value: str) -> None:
        batch = self.batch
        told: dict[str, Any] = {"batch_id": batch.id, "resource": batch.resource, "unit": batch.unit}
        told |= {"column": rule.column, "rule": rule.id, "criterion": rule.criterion}
        told |= {"severity": rule.severity, "source_row": None, "value": value, "zh": zh, "en": en}
        report.add_findings({name: pa.array([told[name]], kind) for name, kind in FINDING_TYPES.items()})
        tally.count(rule, 1)
