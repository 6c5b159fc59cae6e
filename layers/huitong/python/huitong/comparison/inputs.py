"""What a comparison reads and what it finds. Plain values."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal

from huitong.contracts.model import Contract, Mode
from huitong.warehouse.buckets import WHOLE, Bucket
from huitong.warehouse.files import DataFileRef

Op = Literal["insert", "update", "delete"]


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A warehouse file and where its bytes lie on this machine."""

    ref: DataFileRef
    path: Path


@dataclass(frozen=True, slots=True)
class Inputs:
    """One delivery and what it is compared with.

    ``deletes`` are files of keys to delete (increments only). ``quarantined`` has
    the readable keys of the delivery's quarantined rows: their current rows are
    kept. ``stated`` are files whose keys batches that landed later have already
    spoken about: this delivery says nothing about those any more. Only rows of
    ``bucket`` are compared; files may have others too.
    """

    contract: Contract
    mode: Mode
    current: tuple[LocalFile, ...] = ()
    delivered: tuple[LocalFile, ...] = ()
    deletes: tuple[LocalFile, ...] = ()
    quarantined: Path | None = None
    stated: tuple[Path, ...] = ()
    bucket: Bucket = WHOLE

    @property
    def current_rows(self) -> int:
        return sum(f.ref.rows for f in self.current)


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rows by what happens to them. The names are those of ``batches.model.Counts``."""

    inserted: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    withheld: int = 0
    retained: int = 0

    @property
    def changed(self) -> int:
        return self.inserted + self.updated + self.deleted

    def plus(self, other: Outcome) -> Outcome:
        return Outcome(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Outcome)))
