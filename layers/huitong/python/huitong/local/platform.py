"""The whole flow in one process: the services of the cloud functions on local ports.

For tests that need to stop, repeat or reorder steps, and for benchmarks. Not a
second platform: every service is the one that the functions run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huitong.audit.trace import Traces
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.batches.runs import Runs
from huitong.contracts.registry import Contracts
from huitong.local.messages import MemoryEvents, MemoryQueue
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.local.workflows import MemoryWorkflows
from huitong.ports import Clock, EventBus, Item, ObjectStore, Queue, Register, SystemClock, Workflows
from huitong.quality.rulebook.book import Rulebook
from huitong.warehouse.publication import Publications

if TYPE_CHECKING:
    from huitong.comparison.fan_out import FanOut


class KeptRegister(MemoryRegister):
    """A register in memory that can be written to a file and read back by another process."""

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
class Ports:
    """What the services reach the outside with; a test may wrap any of them."""

    landing: ObjectStore
    staging: ObjectStore
    warehouse: ObjectStore
    register: Register
    catalog: Callable[[], Any]
    validate_queue: Queue = field(default_factory=MemoryQueue)
    compare_queue: Queue = field(default_factory=MemoryQueue)
    push_queue: Queue = field(default_factory=MemoryQueue)
    events: EventBus = field(default_factory=MemoryEvents)
    workflows: Workflows = field(default_factory=MemoryWorkflows)
    clock: Clock = field(default_factory=SystemClock)


def ports_in(root: Path) -> Ports:
    """Ports over a folder: buckets as folders, a SQLite catalogue, a register that ``keep()`` writes out."""
    root.mkdir(parents=True, exist_ok=True)

    def catalog() -> Any:
        from pyiceberg.catalog.sql import SqlCatalog

        return SqlCatalog(
            "local", uri=f"sqlite:///{root / 'catalog.db'}", warehouse=f"file://{root / 'warehouse'}"
        )

    return Ports(
        landing=DiskObjects(root / "landing"),
        staging=DiskObjects(root / "staging"),
        warehouse=DiskObjects(root / "warehouse"),
        register=KeptRegister(root / "register.json"),
        catalog=catalog,
    )


class Platform:
    """The three steps from a landed object to published tables.

    ``fan_out_rows``: larger comparisons are handed to ``ports.workflows``, whose executions
    :meth:`compare_in_parts` carries out; 0 = every comparison is done by one function.
    """

    fan_out_rows = 0

    def __init__(self, ports: Ports) -> None:
        self.ports = ports
        self.batches = Batches(ports.register, ports.clock)
        self.contracts = Contracts(ports.register, ports.staging, ports.clock)
        self.publications = Publications(ports.register)
        self.rulebook = Rulebook(
            ports.register, Traces(ports.register, ports.clock), ports.clock, self.contracts, self._rows,
            self._served,
        )  # fmt: skip

    def _rows(self, resource: str) -> int:
        found = self.publications.get(resource)
        return found.rows if found else 0

    def _served(self, resource: str) -> int:
        found = self.publications.get(resource)
        return found.seq if found else 0

    def land(self, file: Path, resource: str, unit: str, *, upload: str = "") -> str:
        """Put a file where a unit would; returns its key."""
        key = f"{unit}/{resource}/{upload or 'u' + file.stem}/{file.name}"
        self.ports.landing.put_file(key, file)
        return key

    def ingest(self, key: str) -> Batch | None:
        from huitong.intake.profiles import Profiles
        from huitong.intake.receive import Receive
        from huitong.intake.uploads import Uploads

        p = self.ports
        return Receive(
            landing=p.landing,
            staging=p.staging,
            contracts=self.contracts,
            uploads=Uploads(p.register, p.landing, p.clock),
            profiles=Profiles(p.register),
            batches=self.batches,
            validate_queue=p.validate_queue,
            events=p.events,
            clock=p.clock,
        ).object_landed(key, "")

    def validate(self, batch_id: str) -> Batch:
        from huitong.quality.rulebook.checking import Office
        from huitong.quality.rulebook.tables import PublishedTables
        from huitong.quality.validate import Validate
        from huitong.warehouse.lakehouse import Lakehouse

        p = self.ports
        house = Lakehouse(p.catalog, "huitong", p.warehouse)
        tables = PublishedTables(house, self.publications, self.batches)
        return Validate(
            staging=p.staging,
            warehouse=p.warehouse,
            contracts=self.contracts,
            batches=self.batches,
            compare_queue=p.compare_queue,
            events=p.events,
            clock=p.clock,
            office=Office(self.rulebook.of, self.rulebook.known, tables),
            fan_out_rows=self.fan_out_rows,
        ).run(batch_id)

    def compare(self, resource: str) -> list[Batch]:
        from huitong.comparison.compare import Compare
        from huitong.warehouse.lakehouse import Lakehouse

        p = self.ports
        return Compare(
            warehouse=p.warehouse,
            staging=p.staging,
            lakehouse=Lakehouse(p.catalog, "huitong", p.warehouse),
            contracts=self.contracts,
            batches=self.batches,
            publications=self.publications,
            push_queue=p.push_queue,
            compare_queue=p.compare_queue,
            events=p.events,
            clock=p.clock,
            fan_out=self._fan_out() if self.fan_out_rows else None,
        ).run(resource)

    def _fan_out(self) -> FanOut:
        from huitong.batches.failure import Failures
        from huitong.comparison.fan_out import FanOut

        p = self.ports
        failures = Failures(self.batches, p.events, p.compare_queue)
        return FanOut(Runs(p.register), p.workflows, p.staging, failures, p.clock, self.fan_out_rows)

    def compare_in_parts(self, given: Mapping[str, Any]) -> Batch:
        """What the state machine does with what it was started with: every part, then the commit."""
        for item in json.loads(self.ports.staging.read(given["items"])):
            self.compare_part(given["plan"], item["number"])
        return self.commit_comparison(given["plan"])

    def compare_part(self, plan: str, number: int) -> Mapping[str, Any]:
        from huitong.comparison.part import ComparePart

        return ComparePart(self.ports.warehouse, self.ports.staging, self.contracts).run(plan, number)

    def commit_comparison(self, plan: str) -> Batch:
        from huitong.comparison.commit import CommitComparison
        from huitong.comparison.publishing import Publishing
        from huitong.warehouse.lakehouse import Lakehouse

        p = self.ports
        house = Lakehouse(p.catalog, "huitong", p.warehouse)
        publishing = Publishing(house, self.batches, self.publications, p.push_queue, p.events)
        return CommitComparison(
            p.staging, self.contracts, Runs(p.register), publishing, p.compare_queue, p.clock
        ).run(plan)

    def deliver(self, file: Path, resource: str, unit: str) -> Batch:
        """Land a file and take it through all three steps; the batch as it ended."""
        batch = self.ingest(self.land(file, resource, unit))
        if batch is None:
            raise ValueError(f"{file} was refused before it became a batch")
        self.validate(batch.id)
        self.compare(resource)
        return self.batches.get(batch.id).batch
