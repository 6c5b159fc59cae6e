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
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from huitong import correlation, unnamed
from huitong.batches.following import following
from huitong.batches.model import Batch, Counts, Decision
from huitong.batches.register import Batches, Stored, batch_id
from huitong.contracts.model import Contract, Mode
from huitong.errors import Conflict, HuitongError, Refusal, Unavailable, UnreadableFile
from huitong.intake.mends import check_mended, rank_after
from huitong.intake.profiles import DEFAULT, ImportProfile, Profiles
from huitong.intake.readers.refusals import refusal
from huitong.intake.uploads import Upload, Uploads, is_upload_id
from huitong.ports import Clock, EventBus, ObjectInfo, ObjectStore, Queue, timestamp

if TYPE_CHECKING:
    from huitong.intake.stage import Staged

_BY: Final = "intake"
_REJECTED: Final[Decision] = "rejected"
#: A batch in one of these states was not taken: the same file may be delivered again.
_NOT_TAKEN: Final = frozenset({"rejected", "superseded", "failed"})
#: A key of S3 may fill the whole of a sort key of the register; so much of it counts for order.
_ORDERED_BYTES: Final = 400


class ContractSource(Protocol):
    """What intake needs of the contracts' registry."""

    def find(self, id: str, version: int = 0) -> Contract | None: ...


@dataclass(frozen=True, slots=True)
class _Landed:
    """A landed object and what is known of it."""

    info: ObjectInfo
    version: str
    unit: str
    resource: str
    filename: str
    upload: Upload | None
    received_at: str

    @property
    def edition(self) -> str:
        return self.upload.edition if self.upload else ""

    @property
    def order(self) -> str:
        """Landing time; of what landed at one moment, the one announced first, then by key. Unique."""
        opened = self.upload.opened_at if self.upload else self.received_at
        key = self.info.key.encode()[:_ORDERED_BYTES].decode(errors="ignore")
        return "#".join((self.received_at, opened, key, _landing_digest(self)))


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
        self._landing = landing
        self._staging = staging
        self._contracts = contracts
        self._uploads = uploads
        self._profiles = profiles
        self._batches = batches
        self._validate_queue = validate_queue
        self._events = events
        self._clock = clock

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
        landed = self._known(key, version, landed_at)
        if landed is None:
            return None
        with correlation.following(correlation.of_object(key, landed.version)):
            return self._taken_in(landed)

    def _taken_in(self, landed: _Landed) -> Batch:
        with self._local(landed.info) as path:
            digest = _sha256(path)
            stored = self._registered(landed, digest)
            return self._carried_on(stored, landed, path)

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
        landed = self._known(batch.landing_key, batch.landing_version)
        if landed is None:
            raise Unavailable(
                "落地对象暂不可读",
                "The landed object cannot be read now",
                key=unnamed.key(batch.landing_key),
                batch=batch_id,
            )
        with following(batch), self._local(landed.info) as path:
            return self._carried_on(stored, landed, path)

    # --- what landed ---------------------------------------------------------

    def _known(self, key: str, version: str, landed_at: str = "") -> _Landed | None:
        info = self._landing.head(key, version)
        parts = key.split("/")
        if info is None or len(parts) < 3 or not all(parts):
            self._events.publish(
                "DeliveryRefused",
                {
                    **unnamed.landed(key, version),
                    "rule": "object.missing" if info is None else "object.key",
                    "zh": "落地对象不存在" if info is None else "对象路径应为 单位/资源/文件名",
                    "en": "The object does not exist"
                    if info is None
                    else "A key must be unit/resource/filename",
                },
            )
            return None
        unit, resource = parts[0], parts[1]
        upload = self._uploads.find(parts[2]) if len(parts) == 4 and is_upload_id(parts[2]) else None
        if upload is not None and (upload.unit, upload.resource) != (unit, resource):
            upload = None
        contract = self._contracts.find(resource)  # also by the name of its table
        resource = contract.id if contract else resource
        received_at = _moment(landed_at) or info.modified or timestamp(self._clock.now())
        return _Landed(info, version or info.version, unit, resource, parts[-1], upload, received_at)

    def _local(self, info: ObjectInfo) -> Any:
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if info.size > free:
            raise Unavailable(
                f"临时空间不足:文件 {info.size} 字节,可用 {free} 字节",
                f"Not enough temporary space: the file has {info.size} bytes, {free} are free",
                key=unnamed.key(info.key),
            )
        return self._landing.local(info.key, info.version)

    # --- registering -----------------------------------------------------------

    def _registered(self, landed: _Landed, digest: str) -> Stored:
        """The batch of this landed object, new or as registered before."""
        id = batch_id(landed.unit, landed.resource, digest, landed.edition, self._first_of(landed.upload))
        again = f"{id[:24]}-{_landing_digest(landed)}"
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

    def _new(self, id: str, landed: _Landed, digest: str) -> Batch:
        info, upload = landed.info, landed.upload
        contract = self._contracts.find(landed.resource)
        profile = self._profile_or_none(landed)
        first = self._mended(landed)
        return Batch(
            id=id,
            resource=landed.resource,
            unit=landed.unit,
            mode=_mode(upload, profile, contract, first),
            status="received",
            landing_key=info.key,
            landing_version=landed.version,
            filename=landed.filename,
            edition=landed.edition,
            case_no=upload.case_no if upload else "",
            ticket=upload.ticket if upload else "",
            mends=self._first_of(upload),
            rank=rank_after(first, landed.received_at, landed.order) if first else "",
            profile=profile.name if profile else (upload.profile if upload else ""),
            sha256=digest,
            size=info.size,
            received_at=landed.received_at,
            order=landed.order,
            contract_version=contract.version if contract else 0,
        )

    def _first_of(self, upload: Upload | None) -> str:
        """The delivery that an upload mends: the first one, also where it names one that mended that."""
        named = self._batches.find(upload.mends) if upload and upload.mends else None
        return (named.batch.mends or named.batch.id) if named else (upload.mends if upload else "")

    def _mended(self, landed: _Landed) -> Batch | None:
        first = self._first_of(landed.upload)
        found = self._batches.find(first) if first else None
        return found.batch if found else None

    def _profile_or_none(self, landed: _Landed) -> ImportProfile | None:
        first = self._mended(landed)
        name = (landed.upload.profile if landed.upload else "") or (first.profile if first else "") or DEFAULT
        return self._profiles.find(landed.unit, landed.resource, name)

    # --- reading ---------------------------------------------------------------

    def _carried_on(self, stored: Stored, landed: _Landed, path: Path) -> Batch:
        """Do what is left to do for a registered batch."""
        if landed.upload is not None and not stored.batch.replay:
            with suppress(Conflict):  # written by another call at this moment: the same value
                self._uploads.became(landed.upload.id, stored.batch.id)
        if stored.batch.status == "received":
            try:
                stored = self._ingested(stored, landed, path)
            except Refusal as error:
                if isinstance(error, Conflict):
                    raise
                return self._rejected(stored, error)
        if stored.batch.status == "ingested":
            self._validate_queue.send({"batch_id": stored.batch.id})
        return stored.batch

    def _ingested(self, stored: Stored, landed: _Landed, path: Path) -> Stored:
        contract = self._permitted(landed)
        profile = self._profile(landed)
        mode = self._replayed(stored.batch) if stored.batch.replay else self._meant(landed, profile, contract)
        batch = replace(stored.batch, mode=mode)
        staged = self._staged(batch, landed, path, contract, profile)
        return self._batches.move(
            stored,
            "ingested",
            by=_BY,
            mode=mode,
            profile=profile.name if profile else "",
            contract_version=contract.version,
            counts=Counts(received=staged.rows, unread=staged.rows),
            staging=staged.keys,
        )

    def _meant(self, landed: _Landed, profile: ImportProfile | None, contract: Contract) -> Mode:
        """Raises UnreadableFile for rows that are to mend what cannot be mended."""
        first = self._mended(landed)
        if landed.upload is not None and landed.upload.mends:
            check_mended(first, landed.unit, landed.resource, landed.upload.mends)
        return _mode(landed.upload, profile, contract, first)

    def _replayed(self, batch: Batch) -> Mode:
        """A rejected delivery is brought again as what it was, unless rows of it were mended since."""
        first = self._batches.get(batch.mends).batch
        held = self._batches.holdings.find(first)
        others = [t for t in held.holding.takes if t.batch != batch.id] if held else []
        if held is not None and held.holding.whole and not others:
            return first.mode
        return "deletion" if first.mode == "deletion" else "increment"

    def _held(self, batch: Batch) -> Any:
        """The rows of the file that a replay brings again; None = all."""
        if not batch.replay:
            return None
        from huitong.batches.held_rows import NONE, open_rows

        first = self._batches.get(batch.mends).batch
        held = self._batches.holdings.find(first)
        return open_rows(self._staging, first, held.holding) if held else NONE

    def _staged(
        self, batch: Batch, landed: _Landed, path: Path, contract: Contract, profile: ImportProfile | None
    ) -> Staged:
        # Imported here: refusals and repeats need neither pyarrow nor any reader.
        from huitong.intake.readers.chosen import only
        from huitong.intake.readers.opening import open_table
        from huitong.intake.reading import reading_of
        from huitong.intake.stage import stage

        layout, names = reading_of(batch, self._mended(landed), contract, profile, self._uploads)
        with tempfile.TemporaryDirectory(prefix="huitong-intake-") as folder:
            work = Path(folder)
            table = only(open_table(path, landed.filename, layout, names, work), self._held(batch))
            return stage(table, names, contract, profile, batch.mode, batch, self._staging, work)

    def _permitted(self, landed: _Landed) -> Contract:
        contract = self._contracts.find(landed.resource)
        if contract is None:
            raise refusal(
                "resource.unknown",
                f"没有登记资源 {landed.resource}",
                f"There is no resource {landed.resource}",
                advice=(
                    "核对资源编号,或先登记数据契约",
                    "Check the resource's id, or register its contract first",
                ),
                file=landed.filename,
            )
        if contract.provider and landed.unit != contract.provider:
            raise refusal(
                "unit.foreign",
                f"单位 {landed.unit} 不是资源 {landed.resource} 的数源单位,不能交付",
                f"Unit {landed.unit} is not the source unit of {landed.resource} and may not deliver it",
                file=landed.filename,
            )
        return contract

    def _profile(self, landed: _Landed) -> ImportProfile | None:
        """The profile that was named, or the default one if there is one."""
        named = landed.upload.profile if landed.upload else ""
        found = self._profile_or_none(landed)
        if found is None and named:
            raise refusal(
                "profile.unknown",
                f"没有名为 {named} 的导入方案",
                f"There is no import profile {named}",
                advice=("先保存导入方案,或不指定", "Save the profile first, or name none"),
                file=landed.filename,
            )
        return found

    def _rejected(self, stored: Stored, error: HuitongError) -> Batch:
        error.where.setdefault("file", stored.batch.filename)
        reason = error.as_dict()
        batch = stored.batch
        # The event first: were it second, a kill in between would swallow it.
        self._events.publish(
            "BatchRejected",
            {
                "batch_id": batch.id,
                "resource": batch.resource,
                "unit": batch.unit,
                "rules": [p.rule for p in error.problems]
                if isinstance(error, UnreadableFile)
                else [error.code],
            },
        )
        moved = self._batches.move(
            stored, "rejected", by=_BY, refusal=reason, decision=_REJECTED, counts=Counts()
        )
        return moved.batch


def _mode(
    upload: Upload | None,
    profile: ImportProfile | None,
    contract: Contract | None,
    first: Batch | None = None,
) -> Mode:
    """What the delivery says, else its profile, else the contract. Mended rows are never a whole edition."""
    if first is not None:
        return "deletion" if first.mode == "deletion" else "increment"
    said = (upload.mode if upload else "") or (profile.mode if profile else "")
    return said or (contract.mode if contract else "full")


def _moment(text: str) -> str:
    """A moment of an event as ports.timestamp writes it; empty when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return ""
    return timestamp(moment) if moment.tzinfo else ""


def _content(batch: Batch) -> tuple[str, ...]:
    """What makes two deliveries the same: the same bytes mean another thing as a list of deletions."""
    return batch.unit, batch.sha256, batch.edition, batch.mode, batch.mends


def _same_object(batch: Batch, landed: _Landed) -> bool:
    return (batch.landing_key, batch.landing_version) == (landed.info.key, landed.version)


def _landing_digest(landed: _Landed) -> str:
    return hashlib.sha256(f"{landed.info.key}{landed.version}".encode()).hexdigest()[:8]


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
