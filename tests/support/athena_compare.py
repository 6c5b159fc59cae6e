"""A resource whose batches are compared by the stand-in for Athena; everything else as in CompareWorld."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.support.athena_local import AthenaStaging, LocalAthena, snapshot_relation
from tests.support.compare_world import CompareWorld

from huitong.comparison.on_athena import OnAthena
from huitong.warehouse.work_tables import WorkTables


@dataclass
class AthenaCompareWorld(CompareWorld):
    runs: Any = None
    judged: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        self.staging = AthenaStaging(self.root / "s3", "staging")
        self.runs = LocalAthena(snapshot_relation(self.catalog, "test"), self.root / "s3", judged=self.judged)
        self.connect()

    def connect(self) -> None:
        super().connect()
        if self.runs is None:
            return
        self.work = WorkTables(self.catalog, "test", self.warehouse)
        self.on_athena = OnAthena(
            "athena", self.runs, self.work, self.lakehouse, self.staging, self.warehouse, "test", pause=_never
        )
        self.compare = self.comparing(athena=self.on_athena)

    def work_tables(self) -> list[str]:
        return [name for _, name in self.catalog().list_tables("test") if name.startswith("work_")]


def _never(_: float) -> None:
    raise AssertionError("nothing is waited for")
