"""Registers and units for tests of standing and supervision, without apps."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.support.standing import standing_areas

from huitong.audit.trace import Traces
from huitong.batches.register import Batches
from huitong.contracts.registry import Contracts
from huitong.identity.model import DATA_DEPARTMENT, OPERATOR
from huitong.identity.units import Units
from huitong.local.messages import ManualClock
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notices
from huitong.procedures.calendar import Calendar
from huitong.sharing.grants import Grants

COURT = "1144030000AA01019J"
BUREAU = "1144030000AA01027D"
BANK = "91440300708461136T"
SERVICE = "5144030000AA01115P"
CONTRACT = """
apiVersion: v3.1.0
kind: DataContract
id: claims
version: {version}
status: active
name: 债权申报
slaProperties:
  - property: frequency
    value: daily
schema:
  - name: claims
    physicalName: claims_table
    properties:
      - name: claim_no
        logicalType: string
        primaryKey: true
        primaryKeyPosition: 1
        required: true
{fields}
"""
AMOUNT = "      - name: amount\n        logicalType: number\n        physicalType: decimal(18,2)\n"
NOTE = "      - name: note\n        logicalType: string\n"


@dataclass
class StandingWorld:
    """Attributes as tests.support.standing.standing_areas makes them, beside these."""

    path: Path
    register: MemoryRegister = field(default_factory=MemoryRegister)
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        register, clock = self.register, self.clock
        self.traces = Traces(register, clock)
        self.calendar = Calendar(register)
        self.units = Units(register)
        self.staging = DiskObjects(self.path / "staging")
        self.contracts = Contracts(register, self.staging, clock)
        self.grants = Grants(register, clock)
        self.batches = Batches(register, clock)
        self.notices = Notices(register, clock)
        self.subscriptions = SimpleNamespace(of_unit=lambda unit: [])
        for code, name in (
            (COURT, "市中级人民法院"), (BUREAU, "市市场监督管理局"), (BANK, "某银行"), (SERVICE, "某技术公司"),
            (OPERATOR, "市破产事务管理署"), (DATA_DEPARTMENT, "市政务服务和数据管理局"),
        ):  # fmt: skip
            self.units.put(code, name)
        self.contracts.put(document(1, AMOUNT), by="test", provider=COURT)
        standing_areas(self)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)


def document(version: int, *fields: str) -> str:
    return CONTRACT.format(version=f"{version}.0.0", fields="".join(fields))
