"""One resource taken through real steps, with what must hold of it after any of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faulty import Fuse, Killed, fused

from huitong.batches.failure import Failures
from huitong.batches.ledger import Ledger
from huitong.batches.model import Batch
from huitong.batches.replay import Replay
from huitong.comparison.compare import Compare
from huitong.comparison.decide import Hold
from huitong.delivery.accounts import Deliveries
from huitong.intake.profiles import Profiles
from huitong.intake.receive import Receive
from huitong.intake.uploads import Uploads
from huitong.local.messages import ManualClock, MemoryQueue
from huitong.local.platform import Platform, Ports, ports_in
from huitong.warehouse.lakehouse import Lakehouse

UNIT = "1144030000AA01123N"
Row = Mapping[str, Any]


def contract(*properties: str, id: str = "flow-items", custom: Mapping[str, Any] | None = None) -> str:
    """A contract's text; ``properties`` are members of ODCS as flow mappings without braces."""
    listed = "\n".join(f"      - {{{p}}}" for p in properties)
    settings = "\n".join(f"  - {{property: {k}, value: {v!r}}}" for k, v in (custom or {}).items())
    tail = f"customProperties:\n{settings}\n" if settings else ""
    return (
        f"apiVersion: v3.1.0\nkind: DataContract\nid: {id}\nversion: 1.0.0\nstatus: active\n"
        f"schema:\n  - name: {id.replace('-', '_')}\n    properties:\n{listed}\n{tail}"
    )


KEY = "name: item, logicalType: string, primaryKey: true, primaryKeyPosition: 1"
AMOUNT = 'name: amount, logicalType: number, physicalType: "decimal(18,2)"'
ITEMS = contract(KEY, AMOUNT)


def csv_text(rows: Sequence[Row], columns: Sequence[str] = ()) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns or list(rows[0]), lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


class Flow(Platform):
    """Services that live as long as in a warm function; the test decides which step comes when."""

    def __init__(self, root: Path | None, document: str = ITEMS, *, ports: Ports | None = None) -> None:
        """Over a folder, or over ``ports``; without a ``document`` the contract is registered already."""
        if ports is None:
            assert root is not None
            ports = replace(ports_in(root), clock=ManualClock())
        super().__init__(ports)
        known = self.contracts.put(document, by="test", provider=UNIT).id if document else "flow-items"
        self.resource = known
        self.uploads = Uploads(self.ports.register, self.ports.landing, self.ports.clock)
        self.profiles = Profiles(self.ports.register)
        self.ingest_queue = MemoryQueue()
        p = self.ports
        self.receive = Receive(
            p.landing, p.staging, self.contracts, self.uploads, self.profiles, self.batches,
            p.validate_queue, p.events, p.clock,
        )  # fmt: skip
        self.lakehouse = Lakehouse(p.catalog, "huitong", p.warehouse)
        self.comparing = Compare(
            p.warehouse, p.staging, self.lakehouse, self.contracts, self.batches, self.publications,
            p.push_queue, p.compare_queue, p.events, p.clock,
        )  # fmt: skip
        self.hold = Hold(self.batches, p.compare_queue, p.events)
        self.replays = Replay(self.batches, self.ingest_queue, p.validate_queue, p.compare_queue)
        self.failures = Failures(self.batches, p.events, p.compare_queue)
        self._files = 0

    # --- steps -------------------------------------------------------------

    def put(self, text: str, *, name: str = "f.csv", **said: Any) -> str:
        """Announce a file and put it; its key. The clock goes on a second, as landing times must."""
        self._files += 1
        self.tick()
        key = self.opened(name, **said)
        self.ports.landing.put(key, text.encode())
        return key

    def opened(self, name: str = "f.csv", **said: Any) -> str:
        id, _ = self.uploads.open(UNIT, self.resource, name, by="test", **said)
        return self.uploads.get(id).key

    def tick(self) -> None:
        assert isinstance(self.ports.clock, ManualClock)
        self.ports.clock.advance(seconds=1)

    def ingest(self, key: str, at: str = "") -> Batch | None:
        return self.receive.object_landed(key, "", at) if at else self.receive.object_landed(key, "")

    def staged(self, text: str, **said: Any) -> Batch:
        batch = self.ingest(self.put(text, **said))
        assert batch is not None
        return batch

    def checked(self, text: str, **said: Any) -> Batch:
        """Delivered and validated, not yet compared."""
        return self.validate(self.staged(text, **said).id)

    def compare(self, resource: str = "") -> list[Batch]:
        return self.comparing.run(resource or self.resource)

    def stuck(self, text: str, status: str, **said: Any) -> Batch:
        """Delivered to a function that died: right after registering, or before validation."""
        key = self.put(text, **said)
        if status == "ingested":
            batch = self.ingest(key)
            assert batch is not None
            self.ports.validate_queue.drain()  # type: ignore[attr-defined]
            return batch
        with pytest.raises(Killed):
            Flow(None, "", ports=fused(self.ports, Fuse(1, after=True))).ingest(key)
        (batch,) = [b for b in self.batches.of_resource(self.resource) if b.landing_key == key]
        assert batch.status == "received"
        return batch

    def published(self, text: str, **said: Any) -> Batch:
        """Delivered and taken through all steps; the batch as it is then."""
        batch = self.checked(text, **said)
        self.compare()
        return self.now(batch)

    def published_file(self, path: Path, **said: Any) -> Batch:
        """As :meth:`published`, with a file as it stands, under its own name."""
        self.tick()
        key = self.opened(path.name, **said)
        self.ports.landing.put_file(key, path)
        batch = self.ingest(key)
        assert batch is not None
        self.validate(batch.id)
        self.compare()
        return self.now(batch)

    def work_off(self) -> None:
        """Handle every wake-up there is."""
        while True:
            for message in self.ingest_queue.drain():
                self.receive.resume(message["batch_id"])
            found = self.ports.validate_queue.drain()  # type: ignore[attr-defined]
            for message in found:
                self.validate(message["batch_id"])
            woken = self.ports.compare_queue.drain()  # type: ignore[attr-defined]
            for message in woken:
                self.compare(message["resource"])
            if not (found or woken or self.ingest_queue.sent):
                return

    # --- what is -----------------------------------------------------------

    def now(self, batch: Batch) -> Batch:
        return self.batches.get(batch.id).batch

    def told(self, batch: Batch) -> tuple[int, int, int, int]:
        """(inserted, updated, deleted, unchanged)"""
        c = self.now(batch).counts
        return c.inserted, c.updated, c.deleted, c.unchanged

    def rows(self) -> list[dict[str, Any]]:
        """What is served, without the platform's columns, by key."""
        return sorted(map(self._own, self._table("current")), key=self._key)

    def changes(self) -> list[dict[str, Any]]:
        return sorted(self._table("changes"), key=lambda r: (r["_seq"], r["_ordinal"]))

    def values(self, column: str) -> dict[Any, Any]:
        """One column by key."""
        return {k[0] if len(k := self._key(r)) == 1 else k: r[column] for r in self.rows()}

    def _table(self, which: Any) -> list[dict[str, Any]]:
        pointer = self.publications.get(self.resource)
        assert pointer is not None
        name = self.contracts.get(self.resource).table + ("__changes" if which == "changes" else "")
        table = self.ports.catalog().load_table(f"huitong.{name}")
        snapshot = pointer.changes_snapshot if which == "changes" else pointer.current_snapshot
        rows: list[dict[str, Any]] = table.scan(snapshot_id=snapshot).to_arrow().to_pylist()
        return rows

    def _own(self, row: Row) -> dict[str, Any]:
        return {f.name: row[f.name] for f in self.contracts.get(self.resource).fields}

    def _key(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[f.name] for f in self.contracts.get(self.resource).keys)

    def check_heads(self) -> None:
        """Both tables end at what is served: engines that know only the tables see the same."""
        pointer = self.publications.get(self.resource)
        assert pointer is not None
        table = self.contracts.get(self.resource).table
        for name, snapshot in (
            (table, pointer.current_snapshot),
            (f"{table}__changes", pointer.changes_snapshot),
        ):
            head = self.ports.catalog().load_table(f"huitong.{name}").current_snapshot()
            assert head is not None
            assert head.snapshot_id == snapshot, name

    def check(self) -> None:
        """The ledger balances, and the change log tells how the rows that are served came about."""
        ledger = Ledger(
            self.batches, Deliveries(self.ports.register), self.publications, lambda: [self.resource]
        )
        assert ledger.check_all() == []
        assert ledger.report(resource=self.resource).balanced
        served: dict[tuple[Any, ...], dict[str, Any]] = {}
        for change in self.changes():
            key, own, before = self._key(change), self._own(change), change["_before"]
            assert (before is None) == (key not in served) == (change["_op"] == "insert")
            assert before is None or before == served[key]
            differing = [n for n in own if before is not None and own[n] != before[n]]
            if change["_op"] == "update":
                assert sorted(change["_changed_columns"]) == sorted(differing) != []
            else:
                assert differing == []
            if change["_op"] == "delete":
                del served[key]
            else:
                served[key] = own
        assert self.rows() == [served[key] for key in sorted(served)]
