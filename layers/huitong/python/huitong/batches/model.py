"""A batch: one delivery on its way from the landing bucket to the warehouse.

States and the step that moves a batch out of each::

    received ──ingest──▶ ingested ──validate──▶ validated ──compare──▶ published
        │                    │                      ├──▶ held ──release──▶ validated
        │                    │                      │       └──reject──▶ rejected
        ├──▶ duplicate       └──▶ rejected          └──▶ superseded
        └──▶ rejected   (unreadable, or beyond the contract's limits)
    any state but a final one ──▶ failed ──replay──▶ the state it failed in

The counts balance at every state (``Counts.balanced``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, Self

from huitong import correlation
from huitong.contracts.model import Mode

Status = Literal[
    "received", "ingested", "validated", "held", "published", "rejected", "duplicate", "superseded", "failed"
]
Decision = Literal["", "accepted", "accepted in part", "rejected"]

FINAL: frozenset[Status] = frozenset({"published", "rejected", "duplicate", "superseded"})

#: Batches that still move by themselves; they are published in landing order.
IN_FLIGHT: frozenset[Status] = frozenset({"received", "ingested", "validated"})

TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    "received": frozenset({"ingested", "duplicate", "rejected", "failed"}),
    "ingested": frozenset({"validated", "rejected", "failed"}),
    "validated": frozenset({"published", "held", "superseded", "failed"}),
    "held": frozenset({"validated", "rejected"}),
    "failed": frozenset({"received", "ingested", "validated"}),
    "published": frozenset(),
    "rejected": frozenset(),
    "duplicate": frozenset(),
    "superseded": frozenset(),
}


@dataclass(frozen=True, slots=True)
class Counts:
    """Rows of one batch.

    received = accepted + quarantined + duplicate (+ unread, while not yet validated);
    accepted = inserted + updated + unchanged + withheld, plus for increments
    the deleted, which are then rows of the delivery. ``withheld`` are accepted
    rows that are not (or not yet) published: in flight, held, superseded, or
    rejected by an officer. ``retained`` counts current rows kept because their
    new version sits in quarantine.
    """

    received: int = 0
    unread: int = 0
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    withheld: int = 0
    retained: int = 0

    def balanced(self, mode: Mode) -> bool:
        of_rows = self.inserted + self.updated + self.unchanged + self.withheld
        if mode != "full":
            of_rows += self.deleted
        return (
            self.received == self.accepted + self.quarantined + self.duplicate + self.unread
            and self.accepted == of_rows
        )

    def plus(self, other: Counts) -> Counts:
        return Counts(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)})


@dataclass(frozen=True, slots=True)
class Quality:
    """The quality evaluation of one batch (Q-22): violations per criterion, and a score of 0 to 100.

    A row can count under several criteria; ``rows_with_warnings`` are accepted rows.
    ``score`` = 100 × (1 − quarantined rows / received rows), two decimals.
    """

    missing: int = 0
    conflicting: int = 0
    constraint: int = 0
    format: int = 0
    warnings: int = 0
    score: float = 100.0
    by_rule: Mapping[str, int] = field(default_factory=dict)
    #: violations by "severity|criterion|column|rule"; those of structure stand in ``by_rule`` only
    checks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    id: str
    resource: str
    unit: str
    mode: Mode
    status: Status
    landing_key: str
    landing_version: str = ""
    filename: str = ""
    edition: str = ""
    case_no: str = ""  # the case the whole delivery was obtained for, if declared
    ticket: str = ""  # the correction that it carries, if it says so
    mends: str = ""  # the first delivery whose rows in quarantine this one brings again
    replay: bool = False  # those rows as they were, because a rule changed; else mended by their unit
    rank: str = ""  # of such a delivery: right after the first one; see ``placed``
    profile: str = ""
    sha256: str = ""
    size: int = 0
    received_at: str = ""  # when the object landed (ports.timestamp)
    order: str = ""  # sorts the batches of a resource by landing: received_at + tie-breaker
    contract_version: int = 0
    rules_version: str = ""  # of all rules that it was checked by; quality.rulebook.model.RuleSet
    decision: Decision = ""
    counts: Counts = field(default_factory=Counts)
    quality: Quality = field(default_factory=Quality)
    refusal: Mapping[str, Any] | None = None  # HuitongError.as_dict() of a rejected or failed batch
    preview: Mapping[str, Any] | None = None  # why an edition is held and what it would do
    released_by: str = ""
    duplicate_of: str = ""
    staging: tuple[str, ...] = ()  # keys in the staging bucket: text columns, row numbers
    good: tuple[
        str, ...
    ] = ()  # JSON of warehouse.files.DataFileRef: typed rows, already where Iceberg will own them
    findings: str = ""  # key in the staging bucket; empty = none
    quarantine: str = ""  # key in the staging bucket; empty = none
    held_keys: int = 0  # keys of quarantined rows that lie beside it
    keyless: int = 0  # rows in quarantine whose key is missing or broke a rule: they may mean any row
    cleansing: str = ""  # key in the staging bucket: what cleansing changed; empty = nothing
    cleansed: Mapping[str, int] = field(default_factory=dict)  # values changed, by cleansing step
    disagreements: str = ""  # key in the staging bucket: values that differ from another unit's
    hold_for: tuple[str, ...] = ()  # rules by whose breach it waits for a decision
    seq: int = 0  # publication number within the resource
    published_at: str = ""
    history: tuple[tuple[str, str, str], ...] = ()  # (status, at, by)

    @property
    def placed(self) -> str:
        """Its place among the batches of its resource: what has a later one has the last word on a key.

        Rows that are brought again belong where the first delivery landed: whatever was
        delivered after that is newer than they are.
        """
        return self.rank or self.order

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        raw = dict(body)
        raw["counts"] = Counts(**raw["counts"])
        raw["quality"] = Quality(**raw["quality"])
        raw["staging"] = tuple(raw["staging"])
        raw["good"] = tuple(raw["good"])
        raw["hold_for"] = tuple(raw.get("hold_for", ()))
        raw["history"] = tuple((s, at, by) for s, at, by in raw["history"])
        return cls(**raw)

    def summary(self) -> dict[str, Any]:
        """What the API and the command line show: status, decision, flat counts, quality, reasons."""
        shown = self.as_dict()
        for internal in ("staging", "good", "counts", "landing_version", "order", "rank"):
            del shown[internal]
        shown["correlation"] = correlation.of_object(self.landing_key, self.landing_version)
        return {**shown, **asdict(self.counts), "balanced": self.counts.balanced(self.mode)}
