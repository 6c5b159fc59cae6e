"""The files that a comparison reads: as data, cut to a bucket, and as local files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from huitong.comparison.inputs import Inputs, LocalFile
from huitong.contracts.model import Contract, Mode
from huitong.ports import ObjectStore
from huitong.warehouse.buckets import WHOLE, Bucket, bucket_of
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.local_files import LocalFiles

Refs = tuple[DataFileRef, ...]


@dataclass(frozen=True, slots=True)
class Sources:
    """``stated``: files with the keys that increments which landed later have already spoken about.
    ``quarantined``: key in the staging bucket, empty = none. See :class:`Inputs`."""

    mode: Mode
    current: Refs = ()
    delivered: Refs = ()
    deletes: Refs = ()
    stated: Refs = ()
    quarantined: str = ""

    @property
    def current_rows(self) -> int:
        return sum(r.rows for r in self.current)

    @property
    def delivered_rows(self) -> int:
        """Rows and keys to delete."""
        return sum(r.rows for r in (*self.delivered, *self.deletes))

    def of(self, bucket: Bucket) -> Sources:
        """Without files that can have no row of the bucket."""
        return replace(
            self,
            current=_meeting(self.current, bucket),
            delivered=_meeting(self.delivered, bucket),
            stated=_meeting(self.stated, bucket),
        )

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        named = ("current", "delivered", "deletes", "stated")
        return cls(**{**raw, **{name: refs_of(raw[name]) for name in named}})


@contextmanager
def opened(
    sources: Sources, contract: Contract, local: LocalFiles, staging: ObjectStore, bucket: Bucket = WHOLE
) -> Iterator[Inputs]:
    """Everything that the comparison reads, as local files. Raises NotFound, Unavailable."""
    with ExitStack() as stack:

        def files(refs: Sequence[DataFileRef]) -> tuple[LocalFile, ...]:
            paths = stack.enter_context(local.open(refs))
            return tuple(LocalFile(ref, path) for ref, path in zip(refs, paths, strict=True))

        quarantined = sources.quarantined
        yield Inputs(
            contract=contract,
            mode=sources.mode,
            current=files(sources.current),
            delivered=files(sources.delivered),
            deletes=files(sources.deletes),
            quarantined=stack.enter_context(staging.local(quarantined)) if quarantined else None,
            stated=tuple(f.path for f in files(sources.stated)),
            bucket=bucket,
        )


def _meeting(refs: Refs, bucket: Bucket) -> Refs:
    return tuple(r for r in refs if bucket.meets(bucket_of(r.key)))


def refs_of(raw: Sequence[Mapping[str, Any]]) -> Refs:
    return tuple(DataFileRef(**{**r, "partition": tuple(r["partition"])}) for r in raw)
