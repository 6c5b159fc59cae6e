"""The whole flow in one process over a folder: the services that run in the cloud, on the ports of huitong.local.

State is kept in the folder, so that a measured process can start where another ended.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from huitong.batches.register import Batches
from huitong.contracts.registry import Contracts
from huitong.local.messages import MemoryEvents, MemoryQueue
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.ports import Item, SystemClock

if TYPE_CHECKING:
    from huitong.batches.model import Batch
    from huitong.warehouse.lakehouse import Lakehouse


class KeptRegister(MemoryRegister):
    """A register in memory that can be written to and read from a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            for raw in json.loads(path.read_text()):
                item = Item(**{**raw, "index1": _pair(raw["index1"]), "index2": _pair(raw["index2"])})
                self._items[item.pk, item.sk] = item

    def keep(self) -> None:
        self._path.write_text(json.dumps([asdict(i) for i in self._items.values()], ensure_ascii=False))


def _pair(value: list[str] | None) -> tuple[str, str] | None:
    return (value[0], value[1]) if value else None


@dataclass
class Platform:
    """Everything that the three steps need, with queues that are drained by hand."""

    root: Path

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        self.clock = SystemClock()
        self.register = KeptRegister(self.root / "register.json")
        self.landing = DiskObjects(self.root / "landing")
        self.staging = DiskObjects(self.root / "staging")
        self.warehouse = DiskObjects(self.root / "warehouse")
        self.batches = Batches(self.register, self.clock)
        self.contracts = Contracts(self.register, self.staging, self.clock)
        self.events = MemoryEvents()
        self.validate_queue, self.compare_queue, self.push_queue = MemoryQueue(), MemoryQueue(), MemoryQueue()

    def lakehouse(self) -> Lakehouse:
        from huitong.warehouse.lakehouse import Lakehouse

        def catalog():  # type: ignore[no-untyped-def]
            from pyiceberg.catalog.sql import SqlCatalog

            uri = f"sqlite:///{self.root / 'catalog.db'}"
            return SqlCatalog("bench", uri=uri, warehouse=f"file://{self.root / 'warehouse'}")

        return Lakehouse(catalog, "huitong", self.warehouse)

    def ingest(self, key: str) -> Batch | None:
        from huitong.intake.profiles import Profiles
        from huitong.intake.receive import Receive
        from huitong.intake.uploads import Uploads

        service = Receive(
            landing=self.landing,
            staging=self.staging,
            contracts=self.contracts,
            uploads=Uploads(self.register, self.landing, self.clock),
            profiles=Profiles(self.register, self.clock),
            batches=self.batches,
            validate_queue=self.validate_queue,
            events=self.events,
            clock=self.clock,
        )
        return service.object_landed(key, "")

    def validate(self, batch_id: str) -> Batch:
        from huitong.quality.validate import Validate

        service = Validate(
            staging=self.staging,
            warehouse=self.warehouse,
            contracts=self.contracts,
            batches=self.batches,
            compare_queue=self.compare_queue,
            events=self.events,
            clock=self.clock,
        )
        return service.run(batch_id)

    def compare(self, resource: str) -> list[Batch]:
        from huitong.comparison.compare import Compare
        from huitong.warehouse.publication import Publications

        service = Compare(
            warehouse=self.warehouse,
            staging=self.staging,
            lakehouse=self.lakehouse(),
            contracts=self.contracts,
            batches=self.batches,
            publications=Publications(self.register),
            push_queue=self.push_queue,
            compare_queue=self.compare_queue,
            events=self.events,
            clock=self.clock,
        )
        return service.run(resource)

    def deliver(self, file: Path, resource: str, unit: str) -> Batch:
        """Land a file and take it through all three steps."""
        key = f"{unit}/{resource}/u{file.stem}/{file.name}"
        self.landing.put_file(key, file)
        batch = self.ingest(key)
        if batch is None:
            raise RuntimeError(f"{file} was not taken in")
        self.validate(batch.id)
        self.compare(resource)
        return self.batches.get(batch.id).batch
