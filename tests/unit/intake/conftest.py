"""One receiving service over folders and memory, with a contract that has every type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.contracts.model import Contract, Field
from huitong.intake.profiles import ImportProfile, Profiles
from huitong.intake.receive import Receive
from huitong.intake.structure import structure_key
from huitong.intake.uploads import Uploads
from huitong.local.messages import ManualClock, MemoryEvents, MemoryQueue
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister

COURT = "11440300MB2C0001XX"
CLAIMS = Contract(
    id="IN-90",
    version=3,
    title="债权",
    table="in_90",
    provider=COURT,
    fields=(
        Field("claim_id", "债权编号", key=1, required=True),
        Field("creditor", "债权人", required=True),
        Field("creditor_id", "证件号码", level="L4", mask="id"),
        Field("amount", "金额", type="decimal", precision=18, scale=2),
        Field("filed", "申报日期", type="date"),
    ),
)


@dataclass
class Contracts:
    known: dict[str, Contract] = field(default_factory=lambda: {CLAIMS.id: CLAIMS})

    def find(self, id: str, version: int = 0) -> Contract | None:
        return self.known.get(id)


@dataclass
class Intake:
    root: Path
    clock: ManualClock = field(default_factory=ManualClock)
    register: MemoryRegister = field(default_factory=MemoryRegister)
    queue: MemoryQueue = field(default_factory=MemoryQueue)
    events: MemoryEvents = field(default_factory=MemoryEvents)
    contracts: Contracts = field(default_factory=Contracts)

    def __post_init__(self) -> None:
        self.landing = DiskObjects(self.root / "landing")
        self.staging = DiskObjects(self.root / "staging")
        self.uploads = Uploads(self.register, self.landing, self.clock)
        self.profiles = Profiles(self.register)
        self.batches = Batches(self.register, self.clock)
        self.receive = self.service()

    def service(self, **instead: Any) -> Receive:
        parts: dict[str, Any] = {
            "landing": self.landing,
            "staging": self.staging,
            "contracts": self.contracts,
            "uploads": self.uploads,
            "profiles": self.profiles,
            "batches": self.batches,
            "validate_queue": self.queue,
            "events": self.events,
            "clock": self.clock,
        }
        return Receive(**{**parts, **instead})

    def put(self, data: bytes, name: str = "claims.csv", unit: str = COURT, resource: str = CLAIMS.id) -> str:
        key = f"{unit}/{resource}/{name}"
        self.landing.put(key, data)
        return key

    def land(self, data: bytes, name: str = "claims.csv", **where: str) -> Batch:
        batch = self.receive.object_landed(self.put(data, name, **where), "")
        assert batch is not None
        return batch

    def upload(self, data: bytes, name: str = "claims.csv", **said: Any) -> Batch:
        id, _ = self.uploads.open(COURT, CLAIMS.id, name, by="clerk", **said)
        key = self.uploads.get(id).key
        self.landing.put(key, data)
        batch = self.receive.object_landed(key, "")
        assert batch is not None
        return batch

    def profile(self, **settings: Any) -> ImportProfile:
        return self.profiles.save(ImportProfile.read(COURT, CLAIMS.id, settings), CLAIMS)

    def rows(self, batch: Batch) -> list[dict[str, Any]]:
        """What was staged, as a list of rows."""
        found: list[dict[str, Any]] = []
        for key in batch.staging:
            with self.staging.local(key) as path:
                found += pq.read_table(path).to_pylist()
        return found

    def column(self, batch: Batch, name: str) -> list[Any]:
        return [row[name] for row in self.rows(batch)]

    def findings(self, batch: Batch) -> list[dict[str, Any]]:
        key = structure_key(batch.resource, batch.id)
        if self.staging.head(key) is None:
            return []
        with self.staging.local(key) as path:
            rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
            return rows

    def rules(self, batch: Batch) -> list[str]:
        return [finding["rule"] for finding in self.findings(batch)]


def refused(batch: Batch) -> Mapping[str, Any]:
    """The single problem of a rejected batch, which a clerk must be able to understand."""
    assert batch.status == "rejected", batch
    assert batch.decision == "rejected"
    assert batch.refusal is not None
    problems: Sequence[Mapping[str, Any]] = batch.refusal["problems"]
    assert len(problems) == 1
    assert any("\u4e00" <= c <= "\u9fff" for c in problems[0]["zh"])
    assert problems[0]["en"].isascii() or any(c.isalpha() and c.isascii() for c in problems[0]["en"])
    return problems[0]


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    return Intake(tmp_path)


@pytest.fixture(name="refused")
def _refused() -> Any:
    return refused
