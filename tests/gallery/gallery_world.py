"""One resource as units deliver it, and the three real steps that a file goes through."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from huitong.batches.model import Batch
from huitong.local.platform import Platform, ports_in

UNIT = "1144030000AA01019J"
RESOURCE = "IN-90"
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: IN-90
name: 债权
version: 1.0.0
status: active
customProperties:
  - {property: providerUscc, value: 1144030000AA01019J}
  - {property: deliveryMode, value: increment}
schema:
  - name: claims
    properties:
      - {name: claim_no, businessName: 债权编号, logicalType: string, primaryKey: true, required: true}
      - {name: creditor, businessName: 债权人, logicalType: string, required: true}
      - {name: id_no, businessName: 身份证号, logicalType: string, semanticType: "huitong:citizen-id", classification: L4}
      - {name: account, businessName: 账号, logicalType: string}
      - {name: amount, businessName: 金额, logicalType: number, required: true, physicalType: "decimal(18,2)"}
      - {name: filed, businessName: 申报日期, logicalType: date}
      - {name: secured, businessName: 是否有担保, logicalType: boolean}
      - {name: note, businessName: 备注, logicalType: string}
"""
HEADER = ["债权编号", "债权人", "身份证号", "账号", "金额", "申报日期", "是否有担保", "备注"]
ID = "440304190002280012"


def row(n: int, **changed: Any) -> list[Any]:
    """A good row; by field name what is different."""
    whole = {
        "claim_no": f"C{n:03}",
        "creditor": "甲某",
        "id_no": ID,
        "account": f"62220000{n:08}",
        "amount": "1000.50",
        "filed": "2024-01-05",
        "secured": "是",
        "note": None,
        **changed,
    }
    return list(whole.values())


@dataclass(frozen=True)
class Outcome:
    """What became of a file: ``found`` as (row, column, rule), ``rows`` as published by key."""

    batch: Batch
    found: list[tuple[int | None, str, str]]
    rows: dict[str, dict[str, Any]]
    words: dict[str, str]  # rule → what is said of it first, in both languages
    refused: str  # rule of a file that cannot be read

    @property
    def rules(self) -> set[str]:
        return {rule for _, _, rule in self.found}


class Gallery:
    """A platform in a folder; each file is a delivery of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.ports = ports_in(root / "platform")
        self.platform = Platform(self.ports)
        self.platform.contracts.put(CONTRACT, by="test")

    def deliver(self, data: bytes, name: str) -> Outcome:
        file = self.root / name
        file.write_bytes(data)
        batch = self.platform.ingest(self.platform.land(file, RESOURCE, UNIT))
        assert batch is not None
        if batch.status == "ingested":
            batch = self.platform.validate(batch.id)
        findings = self._read(batch.findings) if batch.findings else []
        rows = {r["claim_no"]: r for r in self._good(batch)}
        counts = batch.counts
        assert counts.received == counts.accepted + counts.quarantined + counts.duplicate, counts
        assert len(rows) == counts.accepted or batch.decision == "rejected"
        problems = (batch.refusal or {}).get("problems") or [{"rule": ""}]
        return Outcome(
            batch,
            [(f["source_row"], f["column"], f["rule"]) for f in findings],
            rows,
            {f["rule"]: f"{f['zh']} / {f['en']}" for f in reversed(findings)},
            problems[0]["rule"],
        )

    def _read(self, key: str) -> list[dict[str, Any]]:
        with self.ports.staging.local(key) as path:
            rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return rows

    def _good(self, batch: Batch) -> list[dict[str, Any]]:
        from huitong.warehouse.files import DataFileRef

        found: list[dict[str, Any]] = []
        for text in batch.good:
            with self.ports.warehouse.local(DataFileRef.from_json(text).key) as path:
                found += pq.read_table(path).to_pylist()
        return found
