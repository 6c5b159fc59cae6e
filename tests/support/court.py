"""A court's resources of cases and rulings, for tests: contracts, rows, and a change log without a warehouse."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa

from huitong.audit.trace import Traces
from huitong.cases.feed import Feed
from huitong.cases.register import Cases
from huitong.contracts.model import Contract, Field
from huitong.delivery.model import Position
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.sharing.access import Access

COURT = "1144030000AA01019J"
FIRM = "31440000MD0000001A"
OTHER_FIRM = "31440000MD0000002B"
CASE_NO = "(2021)粤03破230号(个1)"
DEBTOR = "440301199001010014"
KEY = "a key of tests"

STAGES = Contract(
    id="IN-01",
    version=1,
    title="案件",
    table="in_01",
    provider=COURT,
    case_field="case_no",
    case_register="stage",
    fields=(
        Field("case_no", key=1, field_id=7),
        Field("procedure_type", field_id=8),
        Field("apply_date", type="date", field_id=9),
        Field("debtor_id_no", level="L4", mask="id", semantic="citizen-id", field_id=10),
        Field("administrator_uscc", field_id=11),
        Field("case_stage", field_id=12),
        Field("stage_time", type="timestamp", field_id=13),
    ),
)
RULINGS = Contract(
    id="IN-02",
    version=1,
    title="文书",
    table="in_02",
    provider=COURT,
    case_field="case_no",
    case_register="rulings",
    fields=(
        Field("doc_no", key=1, field_id=7),
        Field("case_no", field_id=8),
        Field("doc_type", field_id=9),
        Field("doc_date", type="date", field_id=10),
    ),
)


def stage_row(stage: str, n: int = 1, **changes: Any) -> dict[str, Any]:
    row = {
        "case_no": CASE_NO,
        "procedure_type": "01",
        "apply_date": date(2021, 3, 10),
        "debtor_id_no": DEBTOR,
        "administrator_uscc": FIRM,
        "case_stage": stage,
        "stage_time": datetime(2021, 4, 1, 8, n % 60, tzinfo=UTC),
    }
    return {**row, **changes}


@dataclass(frozen=True)
class Pointer:
    seq: int


@dataclass
class Log:
    """Publications of some resources: rows of each, in order; a row may have ``_op``."""

    rows: dict[str, list[list[Mapping[str, Any]]]] = field(default_factory=dict)
    reads: int = 0

    def publish(self, resource: str, *rows: Mapping[str, Any]) -> int:
        self.rows.setdefault(resource, []).append(list(rows))
        return len(self.rows[resource])

    def get(self, resource: str) -> Pointer | None:
        return Pointer(len(self.rows[resource])) if resource in self.rows else None

    def changes(
        self, contract: Contract, access: Access, after: Position, upto: int, *, limit: int = 0
    ) -> Generator[pa.RecordBatch, None, None]:
        self.reads += 1
        for seq, rows in enumerate(self.rows[contract.id][:upto], start=1):
            found = [
                {"_op": "insert", "_changed_at": None, **row, "_seq": seq, "_ordinal": n}
                for n, row in enumerate(rows, start=1)
                if (seq, n) > tuple(after)
            ]
            for row in found:
                yield pa.RecordBatch.from_pylist([row])

    def snapshot(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError


@dataclass
class CourtWorld:
    register: Any = field(default_factory=MemoryRegister)
    clock: ManualClock = field(default_factory=ManualClock)
    log: Log = field(default_factory=Log)
    contracts: dict[str, Contract] = field(default_factory=lambda: {c.id: c for c in (STAGES, RULINGS)})

    def __post_init__(self) -> None:
        self.traces = Traces(self.register, self.clock)
        self.cases = Cases(self.register, self.traces, self.clock)
        self.feed = self.another_feed()

    def another_feed(self) -> Feed:
        return Feed(
            self.cases, self.register, self.traces, self, self.log, lambda: self.log, lambda: KEY, self.clock
        )

    def get(self, id: str, version: int = 0) -> Contract:
        return self.contracts[id]

    def say(self, *stages: str, resource: str = "IN-01") -> None:
        """The court publishes stages one after the other; each is applied."""
        for stage in stages:
            n = sum(len(rows) for rows in self.log.rows.get(resource, ())) + 1
            self.log.publish(resource, stage_row(stage, n))
            self.feed.run(resource)


# --- for the real contracts of schemas/


def citizen(n: int) -> str:
    """An identity number with a right check character (GB 11643), of nobody."""
    body = f"440301{19600101 + (n % 28)}{n % 1000:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def credit_code(first17: str) -> str:
    """A unified social credit code with a right check character (GB 32100)."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    total = sum(alphabet.index(c) * pow(3, at, 31) for at, c in enumerate(first17))
    return first17 + alphabet[(31 - total % 31) % 31]
