"""Receiving: an object in the landing bucket becomes a registered batch of staged rows (Q-01, Q-12, Q-20).

The effects, in order, each of which can be repeated after a kill:

1. register the batch (status received)
2. note the batch on its upload
3. write staging files and findings on structure
4. move the batch to ingested, with its count
5. wake the validator

The landed object is never touched: whatever happens, it can be read again.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Final

from huitong import correlation, unnamed
from huitong.batches.following import following
from huitong.batches.model import Batch, Counts
from huitong.batches.register import Batches, Stored, batch_id
from huitong.errors import Conflict, Unavailable
from huitong.intake.ingest import Ingest
from huitong.intake.landed import ContractSource, Landed, Landings, mode_of
from huitong.intake.mends import rank_after
from huitong.intake.profiles import Profiles
from huitong.intake.uploads import Uploads
from huitong.ports import Clock, EventBus, ObjectStore, Queue

_BY: Final = "intake"
#: A batch in one of these states was not taken: the same file may be delivered again.
_NOT_TAKEN: Final = frozenset({"rejected", "superseded", "failed"})


class Receive:
    def __init__(
        self,
        landing: ObjectStore,
        staging: ObjectStore,
        contracts: ContractSource,
        uploads: Uploads,
        profiles: Profiles,
        batches: Batches,
        validate_queue: Queue,
        events: EventBus,
        clock: Clock,
    ) -> None:
        self._landings = Landings(landing, contracts, uploads, profiles, batches, events, clock)
        self._ingest = Ingest(self._landings, staging, contracts, uploads, batches, validate_queue, events)
        self._contracts = contracts
        self._batches = batches

    def object_landed(self, key: str, version: str, landed_at: str = "") -> Batch | None:
        """The whole intake of one landed object: its batch, or None when it cannot belong to any.

        ``landed_at`` is the moment that the event names (ISO 8601): it has milliseconds, where
        the object itself may know only the second.
        A repeated event for the same object (key and version) changes nothing.
        The same content again is a batch of status "duplicate". What cannot be
        read is a batch of status "rejected" with the reason. Raises only Faults
        (then the same call is to be made again) and Conflict when two calls
        work on the same batch (likewise).
        """
        if key.endswith("/"):
            return None  # what some tools put to show a folder
        landed = self._landings.find(key, version, landed_at)
        if landed is None:
            return None
        with correlation.following(correlation.of_object(key, landed.version)):
            return self._taken_in(landed)

    def _taken_in(self, landed: Landed) -> Batch:
        with self._landings.local(landed.info) as path:
            digest = _sha256(path)
            stored = self._registered(landed, digest)
            return self._ingest.carry_on(stored, landed, path)

    def resume(self, batch_id: str) -> Batch:
        """Read a batch again from its landed object: the replay of a failed or interrupted one.

        Raises NotFound for an unknown batch; a batch that intake is done with is returned as it is.
        """
        stored = self._batches.get(batch_id)
        batch = stored.batch
        if batch.status == "failed" and not batch.staging:
            stored = self._batches.move(stored, "received", by=_BY, refusal=None)
        elif batch.status not in ("received", "ingested"):
            return batch
        landed = self._landings.find(batch.landing_key, batch.landing_version)
        if landed is None:
            raise Unavailable(
                "落地对象暂不可读",
                "The landed object cannot be read now",
                key=unnamed.key(batch.landing_key),
                batch=batch_id,
            )
        with following(batch), self._landings.local(landed.info) as path:
            return self._ingest.carry_on(stored, landed, path)

    # --- registering -----------------------------------------------------------

    def _registered(self, landed: Landed, digest: str) -> Stored:
        """The batch of this landed object, new or as registered before."""
        mends = self._landings.first_of(landed.upload)
        id = batch_id(landed.unit, landed.resource, digest, landed.edition, mends)
        again = f"{id[:24]}-{landed.digest}"
        for known in (self._batches.find(again), self._batches.find(id)):
            if known is not None and _same_object(known.batch, landed):
                return known
        batch = self._new(again if self._batches.find(id) else id, landed, digest)
        original = self._original(id, batch)
        if original is not None:
            return self._duplicate(replace(batch, id=again), original)
        try:
            return self._batches.create(batch, by=_BY)
        except Conflict:
            # Another call registered it first: with this object, or with the same content under another key.
            return self._registered(landed, digest)

    def _original(self, id: str, batch: Batch) -> Batch | None:
        """The batch that took this content before, with the same meaning, if one did."""
        first = self._batches.find(id)
        if first is None:
            return None
        found = self._taken(first.batch, batch)
        if found is None:
            others = (self._taken(b, batch) for b in self._batches.of_resource(batch.resource))
            found = next((b for b in others if b is not None), None)
        return found

    def _taken(self, known: Batch, batch: Batch) -> Batch | None:
        """A batch known before, if it has the content and meaning of this one and was not turned away."""
        if _content(known) != _content(batch) or known.status in (*_NOT_TAKEN, "duplicate"):
            return None
        if known.status != "received":
            return known
        # Its rows are not counted yet. The bytes are the same: finish it, whoever began.
        known = self.resume(known.id)
        return None if known.status in _NOT_TAKEN else known

    def _duplicate(self, batch: Batch, original: Batch) -> Stored:
        rows = original.counts.received
        repeated = Conflict(
            f"与批次 {original.id} 内容相同,未再次处理;确需再次处理时请声明版本(edition)",
            f"The same content as batch {original.id}; not processed again. Declare an edition if it must be",
            batch=original.id,
        )
        batch = replace(
            batch,
            status="duplicate",
            mode=original.mode,
            counts=Counts(received=rows, duplicate=rows),
            duplicate_of=original.id,
            refusal=repeated.as_dict(),
        )
        try:
            stored = self._batches.create(batch, by=_BY)
        except Conflict:
            stored = self._batches.get(batch.id)
        return stored

    def _new(self, id: str, landed: Landed, digest: str) -> Batch:
        info, upload = landed.info, landed.upload
        contract = self._contracts.find(landed.resource)
        profile = self._landings.profile(landed)
        first = self._landings.mended(landed)
        return Batch(
            id=id,
            resource=landed.resource,
            unit=landed.unit,
            mode=mode_of(upload, profile, contract, first),
            status="received",
            landing_key=info.key,
            landing_version=landed.version,
            filename=landed.filename,
            edition=landed.edition,
            case_no=upload.case_no if upload else "",
            ticket=upload.ticket if upload else "",
            mends=self._landings.first_of(upload),
            rank=rank_after(first, landed.received_at, landed.order) if first else "",
            profile=profile.name if profile else (upload.profile if upload else ""),
            sha256=digest,
            size=info.size,
            received_at=landed.received_at,
            order=landed.order,
            contract_version=contract.version if contract else 0,
        )


def _content(batch: Batch) -> tuple[str, ...]:
    """What makes two deliveries the same: the same bytes mean another thing as a list of deletions."""
    return batch.unit, batch.sha256, batch.edition, batch.mode, batch.mends


def _same_object(batch: Batch, landed: Landed) -> bool:
    return (batch.landing_key, batch.landing_version) == (landed.info.key, landed.version)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
