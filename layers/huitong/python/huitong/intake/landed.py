"""A landed object and what is declared of it: unit, resource, upload, what it mends, profile and mode."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from huitong import unnamed
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.contracts.model import Contract, Mode
from huitong.errors import Unavailable
from huitong.intake.profiles import DEFAULT, ImportProfile, Profiles
from huitong.intake.uploads import Upload, Uploads, is_upload_id
from huitong.ports import Clock, EventBus, ObjectInfo, ObjectStore, timestamp

#: A key of S3 may fill the whole of a sort key of the register; so much of it counts for order.
_ORDERED_BYTES: Final = 400


class ContractSource(Protocol):
    """What intake needs of the contracts' registry."""

    def find(self, id: str, version: int = 0) -> Contract | None: ...


@dataclass(frozen=True, slots=True)
class Landed:
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
        return "#".join((self.received_at, opened, key, self.digest))

    @property
    def digest(self) -> str:
        """Of the object's place: tells apart what landed with the same content."""
        return hashlib.sha256(f"{self.info.key}{self.version}".encode()).hexdigest()[:8]


class Landings:
    """Finds landed objects, and what is known of them beside."""

    def __init__(
        self,
        landing: ObjectStore,
        contracts: ContractSource,
        uploads: Uploads,
        profiles: Profiles,
        batches: Batches,
        events: EventBus,
        clock: Clock,
    ) -> None:
        self._landing = landing
        self._contracts = contracts
        self._uploads = uploads
        self._profiles = profiles
        self._batches = batches
        self._events = events
        self._clock = clock

    def find(self, key: str, version: str, landed_at: str = "") -> Landed | None:
        """None, with the event DeliveryRefused, for an object that can belong to no batch."""
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
        return Landed(info, version or info.version, unit, resource, parts[-1], upload, received_at)

    def local(self, info: ObjectInfo) -> AbstractContextManager[Path]:
        """The object as a file for a while. Raises Unavailable when the temporary space is too small."""
        free = shutil.disk_usage(tempfile.gettempdir()).free
        if info.size > free:
            raise Unavailable(
                f"临时空间不足:文件 {info.size} 字节,可用 {free} 字节",
                f"Not enough temporary space: the file has {info.size} bytes, {free} are free",
                key=unnamed.key(info.key),
            )
        return self._landing.local(info.key, info.version)

    def first_of(self, upload: Upload | None) -> str:
        """The delivery that an upload mends: the first one, also where it names one that mended that."""
        named = self._batches.find(upload.mends) if upload and upload.mends else None
        return (named.batch.mends or named.batch.id) if named else (upload.mends if upload else "")

    def mended(self, landed: Landed) -> Batch | None:
        """The delivery whose rows it brings again, if it is there."""
        first = self.first_of(landed.upload)
        found = self._batches.find(first) if first else None
        return found.batch if found else None

    def profile(self, landed: Landed) -> ImportProfile | None:
        """The profile that was named for it, or for the delivery that it mends, or the default one."""
        first = self.mended(landed)
        name = (landed.upload.profile if landed.upload else "") or (first.profile if first else "") or DEFAULT
        return self._profiles.find(landed.unit, landed.resource, name)


def mode_of(
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
