"""The ledger: what came in, what became of it, what went out, and whether that adds up (X-12, C-16).

Every number is kept where it arose (batches, publications, deliveries); the
ledger only adds them up, in more than one way, and names each equation that
does not hold. Light to import.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Protocol

from huitong.batches.held_accounts import Held, HeldAccounts, Imbalance, accounts_of
from huitong.batches.model import Batch, Counts
from huitong.batches.register import Batches
from huitong.contracts.model import Mode
from huitong.ports import EventBus

_PUBLISHED: Final = ("inserted", "updated", "deleted", "unchanged", "retained")


class Totals(Protocol):
    """Events that receivers were to get, and what became of them."""

    @property
    def due(self) -> int: ...
    @property
    def acknowledged(self) -> int: ...
    @property
    def failed(self) -> int: ...
    @property
    def pending(self) -> int: ...


class Sent(Protocol):
    """A delivery, as far as statistics need it."""

    @property
    def resource(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def count(self) -> int: ...
    @property
    def state(self) -> str: ...
    @property
    def created_at(self) -> str: ...


class DeliveryTotalsSource(Protocol):
    """:class:`huitong.delivery.accounts.Deliveries`."""

    def totals(
        self, resource: str = "", unit: str = "", low: str = "", high: str = "", *, seq: int = 0
    ) -> Totals: ...

    def of_resource(
        self, resource: str, *, low: str = "", high: str = "", limit: int = 0
    ) -> Sequence[Sent]: ...


class Published(Protocol):
    """A publication, as far as the ledger needs it."""

    @property
    def seq(self) -> int: ...
    @property
    def batch_id(self) -> str: ...
    @property
    def rows(self) -> int: ...
    @property
    def mode(self) -> Mode: ...
    @property
    def counts(self) -> Mapping[str, int]: ...
    @property
    def order(self) -> str: ...
    @property
    def received_high(self) -> str: ...


class PublicationSource(Protocol):
    """:class:`huitong.warehouse.publication.Publications`."""

    def get(self, resource: str) -> Published | None: ...

    def list(self, resource: str, *, after: int = 0, limit: int = 0) -> Sequence[Published]: ...


@dataclass(frozen=True, slots=True)
class Sum:
    due: int = 0
    acknowledged: int = 0
    failed: int = 0
    pending: int = 0

    def plus(self, more: Totals) -> Sum:
        return Sum(
            self.due + more.due,
            self.acknowledged + more.acknowledged,
            self.failed + more.failed,
            self.pending + more.pending,
        )


@dataclass(frozen=True, slots=True)
class LedgerReport:
    """Sums over a scope; empty members of the scope mean all."""

    scope: Mapping[str, str]
    batches: int
    by_status: Mapping[str, int]
    counts: Counts
    due: int
    acknowledged: int
    failed: int
    pending: int
    broken: tuple[Imbalance, ...] = ()
    held: Held = field(default_factory=Held)
    family: tuple[Mapping[str, Any], ...] = ()  # of one batch: what brought its rows again

    @property
    def balanced(self) -> bool:
        return not self.broken

    def as_dict(self) -> dict[str, Any]:
        """Flat, as the API shows it."""
        return {
            "scope": dict(self.scope),
            "batches": self.batches,
            "by_status": dict(self.by_status),
            **asdict(self.counts),
            "due": self.due,
            "acknowledged": self.acknowledged,
            "failed": self.failed,
            "pending": self.pending,
            "held": self.held.as_dict(),
            "family": [dict(member) for member in self.family],
            "balanced": self.balanced,
            "broken": [b.as_dict() for b in self.broken],
        }


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a unit provided of a resource, or obtained of it, in one month (C-16)."""

    unit: str
    resource: str
    month: str  # 2026-01
    batches: int = 0
    rows_provided: int = 0  # accepted rows of its deliveries
    deliveries: int = 0
    events_obtained: int = 0  # acknowledged by it


@dataclass(frozen=True, slots=True)
class Ledger:
    """``resources`` gives the ids of all resources."""

    batches: Batches
    deliveries: DeliveryTotalsSource
    publications: PublicationSource
    resources: Callable[[], Iterable[str]]
    events: EventBus | None = field(default=None)

    def report(
        self, *, batch: str = "", resource: str = "", unit: str = "", low: str = "", high: str = ""
    ) -> LedgerReport:
        """The sums of one batch, or of all of a resource and unit that landed from ``low`` to ``high``.

        With a unit, deliveries are those that it receives; without, those of the
        resources. The period is of landing for batches, of planning for
        deliveries. Raises NotFound for an unknown batch.
        """
        scope = {"batch": batch, "resource": resource, "unit": unit, "from": low, "to": high}
        if batch:
            found = self.batches.get(batch).batch
            broken = [*imbalances_of(found), *self._against_publication(found)]
            held = accounts_of([found], self.batches)
            broken += held.broken
            seq = found.seq if found.status == "published" else -1
            totals = self.deliveries.totals(found.resource, seq=seq)
            return self._summed(scope, [found], broken, totals, held)
        batches = self._batches(resource, unit, low, high)
        broken = [b for one in batches for b in self._confirmed(one)]
        for name in sorted({b.resource for b in batches} | ({resource} if resource else set())):
            broken += self._history_of(name)
        held = accounts_of(batches, self.batches)
        broken += held.broken
        return self._summed(scope, batches, broken, self._sent(resource, unit, low, high), held)

    def check_all(self, resources: Iterable[str] = (), *, low: str = "") -> list[Imbalance]:
        """Every equation of every resource (X-12); an event ``LedgerImbalance`` for each that does not hold.

        ``low`` leaves out batches that landed before it.
        """
        found: list[Imbalance] = []
        for resource in resources or self.resources():
            batches = self.batches.of_resource(resource, low=low)
            for batch in batches:
                found += self._confirmed(batch)
            found += accounts_of(batches, self.batches).broken
            found += self._history_of(resource)
            found += _of_deliveries(resource, self.deliveries.totals(resource))
        if self.events is not None:
            for imbalance in found:
                self.events.publish("LedgerImbalance", imbalance.as_dict())
        return found

    def statistics(self, *, low: str = "", high: str = "", resource: str = "") -> list[Exchange]:
        """Provided and obtained by unit, resource and month (C-16), sorted."""
        table: dict[tuple[str, str, str], Exchange] = {}

        def of(unit: str, name: str, moment: str) -> Exchange:
            key = (unit, name, moment[:7])
            return table.get(key) or Exchange(*key)

        def put(row: Exchange) -> None:
            table[row.unit, row.resource, row.month] = row

        for name in [resource] if resource else self.resources():
            for batch in self.batches.of_resource(name, low=low, high=high):
                row = of(batch.unit, name, batch.received_at)
                rows = row.rows_provided + batch.counts.accepted
                put(replace(row, batches=row.batches + 1, rows_provided=rows))
            for sent in self.deliveries.of_resource(name, low=low, high=high):
                if sent.state == "acknowledged":
                    row = of(sent.unit, name, sent.created_at)
                    events = row.events_obtained + sent.count
                    put(replace(row, deliveries=row.deliveries + 1, events_obtained=events))
        return [row for _, row in sorted(table.items())]

    def _sent(self, resource: str, unit: str, low: str, high: str) -> Totals:
        if resource or unit:
            return self.deliveries.totals(resource, unit, low, high)
        total = Sum()
        for name in self.resources():
            total = total.plus(self.deliveries.totals(name, "", low, high))
        return total

    def _batches(self, resource: str, unit: str, low: str, high: str) -> list[Batch]:
        if unit:
            found = self.batches.of_unit(unit, low=low, high=high)
            return [b for b in found if resource in ("", b.resource)]
        names = [resource] if resource else self.resources()
        return [b for name in names for b in self.batches.of_resource(name, low=low, high=high)]

    def _confirmed(self, batch: Batch) -> list[Imbalance]:
        """What does not hold of a batch; read again first, since lists lag behind."""
        if not (imbalances_of(batch) or self._against_publication(batch)):
            return []
        stored = self.batches.find(batch.id)
        batch = stored.batch if stored else batch
        return [*imbalances_of(batch), *self._against_publication(batch)]

    def _against_publication(self, batch: Batch) -> list[Imbalance]:
        if batch.status != "published":
            return []
        listed = self.publications.list(batch.resource, after=batch.seq - 1, limit=1)
        published = listed[0] if listed else None
        if published is None or published.seq != batch.seq or published.batch_id != batch.id:
            name = "publications of the batch = 1"
            return [Imbalance(name, 0, 1, batch.resource, batch.id, batch.seq)]
        return [
            Imbalance(
                f"{name} of the publication = {name} of the batch",
                there,
                here,
                batch.resource,
                batch.id,
                batch.seq,
            )
            for name in (f.name for f in fields(Counts))
            if name in published.counts
            and (there := published.counts[name]) != (here := getattr(batch.counts, name))
        ]

    def _history_of(self, resource: str) -> Iterator[Imbalance]:
        """Each publication follows from the one before, up to the one that is served."""
        rows = seq = 0
        for p in self.publications.list(resource):
            for name, left, right in _of_publication(p, rows, seq):
                if left != right:
                    yield Imbalance(name, left, right, resource, p.batch_id, p.seq)
            rows, seq = p.rows, p.seq
        now = self.publications.get(resource)
        if (now.seq if now else 0) < seq:  # one more may have come between the two reads
            yield Imbalance("publication served = the last one", now.seq if now else 0, seq, resource)

    def _summed(
        self,
        scope: Mapping[str, str],
        batches: Sequence[Batch],
        broken: Sequence[Imbalance],
        sent: Totals,
        held: HeldAccounts,
    ) -> LedgerReport:
        counts = Counts()
        by_status: dict[str, int] = {}
        for batch in batches:
            counts = counts.plus(batch.counts)
            by_status[batch.status] = by_status.get(batch.status, 0) + 1
        broken = [*broken, *_of_deliveries(scope["resource"], sent)]
        return LedgerReport(
            scope=scope,
            batches=len(batches),
            by_status=dict(sorted(by_status.items())),
            counts=counts,
            due=sent.due,
            acknowledged=sent.acknowledged,
            failed=sent.failed,
            pending=sent.pending,
            broken=tuple(dict.fromkeys(broken)),
            held=held.held,
            family=held.family if scope["batch"] else (),
        )


def imbalances_of(batch: Batch) -> list[Imbalance]:
    """The equations of one batch that do not hold."""
    c = batch.counts
    full = batch.mode == "full"
    of_rows = c.inserted + c.updated + c.unchanged + c.withheld + (0 if full else c.deleted)
    plus = "" if full else " + deleted"
    equations = [
        (
            "received = accepted + quarantined + duplicate + unread",
            c.received,
            c.accepted + c.quarantined + c.duplicate + c.unread,
        ),
        (f"accepted = inserted + updated + unchanged + withheld{plus}", c.accepted, of_rows),
    ]
    if batch.status == "published":  # rows that later ones had overtaken stay withheld
        equations.append(("unread of a published batch = 0", c.unread, 0))
    else:
        changed = sum(getattr(c, name) for name in _PUBLISHED)
        equations.append(("changes of a batch that is not published = 0", changed, 0))
    equations += [(f"{f.name} ≥ 0", min(getattr(c, f.name), 0), 0) for f in fields(Counts)]
    return [
        Imbalance(name, left, right, batch.resource, batch.id, batch.seq)
        for name, left, right in equations
        if left != right
    ]


def _of_publication(p: Published, rows: int, seq: int) -> Iterator[tuple[str, int, int]]:
    yield "number of the publication = the one before + 1", p.seq, seq + 1
    expected = rows + p.counts.get("inserted", 0) - p.counts.get("deleted", 0)
    yield "rows = rows before + inserted - deleted", p.rows, expected
    late = p.order != p.received_high  # then rows that landed later stay as well
    if p.mode == "full" and not late and "unchanged" in p.counts:
        parts = sum(p.counts.get(n, 0) for n in ("inserted", "updated", "unchanged", "retained"))
        yield "rows of a full edition = inserted + updated + unchanged + retained", p.rows, parts


def _of_deliveries(resource: str, sent: Totals) -> list[Imbalance]:
    told = sent.acknowledged + sent.failed + sent.pending
    if sent.due == told:
        return []
    return [Imbalance("due = acknowledged + failed + pending", sent.due, told, resource)]
