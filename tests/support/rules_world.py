"""A platform over folders whose office has rules: deliver, look at what became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from huitong.audit.trace import Traces
from huitong.batches.model import Batch
from huitong.local.platform import Platform, ports_in
from huitong.quality.rulebook.book import Change
from huitong.quality.rulebook.model import OfficeRule
from huitong.quality.rulebook.monitor import RuleMonitor

UNIT = "1144030000AA01123N"
OTHER = "1144030000AA01027D"
CASES = """
apiVersion: v3.1.0
kind: DataContract
id: cases
version: 1.0.0
status: active
name: 案件
customProperties: [{property: providerUscc, value: 1144030000AA01027D}]
schema:
  - name: cases
    properties:
      - {name: case_no, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: debtor, logicalType: string, classification: L3, customProperties: [{property: mask, value: name}]}
      - {name: stage, logicalType: string}
      - {name: total, logicalType: number, physicalType: "decimal(18,2)"}
"""
CLAIMS = """
apiVersion: v3.1.0
kind: DataContract
id: claims
version: 1.0.0
status: active
name: 债权
customProperties: [{property: providerUscc, value: 1144030000AA01123N}]
schema:
  - name: claims
    properties:
      - {name: claim_no, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: case_no, logicalType: string}
      - {name: debtor, logicalType: string, classification: L3, customProperties: [{property: mask, value: name}]}
      - {name: amount, logicalType: number, physicalType: "decimal(18,2)"}
      - {name: filed, logicalType: date}
      - {name: kind, logicalType: string}
      - {name: receipt, logicalType: string}
"""
Row = Mapping[str, Any]
BY = Change("officer", UNIT, "a test")


class RulesWorld:
    """``claims`` of one unit are checked against ``cases`` of another."""

    def __init__(self, root: Path) -> None:
        self.platform = Platform(ports_in(root / "state"))
        self.root = root
        for document in (CASES, CLAIMS):
            self.platform.contracts.put(document, by="test")
        self.book = self.platform.rulebook
        register, clock = self.platform.ports.register, self.platform.ports.clock
        self.monitor = RuleMonitor(register, Traces(register, clock), clock)
        self._files = 0

    @property
    def events(self) -> Any:
        return self.platform.ports.events

    def rule(self, id: str, kind: str, fields: Sequence[str] = (), **more: Any) -> OfficeRule:
        """An enabled rule of ``claims``."""
        parameters = more.pop("parameters", {})
        made = OfficeRule(id, "claims", kind, tuple(fields), parameters, **more)  # type: ignore[arg-type]
        self.book.create(made, BY)
        return self.book.move(id, "enabled", BY)

    def deliver(self, rows: Sequence[Row], resource: str = "claims") -> Batch:
        self._files += 1
        file = self.root / f"{resource}-{self._files}.csv"
        columns = [f.name for f in self.platform.contracts.get(resource).fields]
        lines = [",".join(columns), *(",".join(str(row.get(c, "")) for c in columns) for row in rows)]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.platform.deliver(file, resource, UNIT if resource == "claims" else OTHER)

    def cases(self, *rows: Row) -> Batch:
        return self.deliver(rows, "cases")

    def findings(self, batch: Batch) -> list[dict[str, Any]]:
        return self._read(batch.findings)

    def found(self, batch: Batch) -> list[tuple[int | None, str]]:
        """(source row, rule) of every finding."""
        return [(f["source_row"], f["rule"]) for f in self.findings(batch)]

    def disagreements(self, batch: Batch) -> list[dict[str, Any]]:
        return self._read(batch.disagreements)

    def _read(self, key: str) -> list[dict[str, Any]]:
        if not key:
            return []
        with self.platform.ports.staging.local(key) as path:
            rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows
