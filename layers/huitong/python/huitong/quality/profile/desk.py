"""Profiles of batches and of published tables: made when first asked for, then kept (Q-17, Q-22).

A batch's rows and a publication never change, so that a profile does not either. Kept profiles hold values
under the masks of the contract's version with which they were made.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

from huitong.batches.model import Batch
from huitong.contracts.model import Contract
from huitong.errors import NotFound
from huitong.ports import Clock, ObjectStore
from huitong.quality.profile.drift import drift
from huitong.quality.profile.model import VERSION, Profile

if TYPE_CHECKING:
    from huitong.warehouse.publication import Publication, Publications

_FOLDER: Final = "documents/profiles"
Made = Callable[[], Profile]


class Tables(Protocol):
    def relation(
        self, contract: Contract, table: Literal["current", "changes"], snapshot_id: int
    ) -> AbstractContextManager[tuple[str, Any]]: ...


class Profiling:
    """Heavy when it makes a profile: of functions/query_data only."""

    def __init__(
        self, objects: ObjectStore, publications: Publications, tables: Callable[[], Tables], clock: Clock
    ) -> None:
        self._objects = objects
        self._publications = publications
        self._tables = tables
        self._clock = clock

    def of_batch(self, batch: Batch, contract: Contract) -> Profile:
        """Of the rows as they were staged. Raises NotFound while a batch has none, or where they are gone."""
        if not batch.staging or any(self._objects.head(key) is None for key in batch.staging):
            raise NotFound("该批次没有可剖析的数据行", "The batch has no rows to be profiled", batch=batch.id)

        def made() -> Profile:
            from huitong.quality.profile.measure import measured
            from huitong.quality.staged import Staged

            staged = Staged(self._objects, batch.staging)
            blocks = (b.columns for b in staged.blocks([f.name for f in contract.fields]))
            today = datetime.fromisoformat(batch.received_at).date()
            about = {"resource": batch.resource, "batch": batch.id, "contract": contract.version}
            return measured(blocks, today=today, contract=contract, of=about)

        return self._kept(f"{batch.resource}/{batch.id}", contract, made)

    def of_table(self, contract: Contract, publication: Publication) -> Profile:
        """Of a resource's rows as of a publication."""

        def made() -> Profile:
            from huitong.quality.profile.measure import measured
            from huitong.quality.profile.source import table_blocks

            names = [f.name for f in contract.fields]
            today = datetime.fromisoformat(publication.published_at).date()
            about = {"resource": contract.id, "seq": publication.seq, "contract": contract.version}
            with self._tables().relation(contract, "current", publication.current_snapshot) as (sql, _):
                blocks = table_blocks(sql, contract, names)
                return measured(blocks, today=today, contract=contract, of=about)

        return self._kept(f"{contract.id}/seq-{publication.seq:06}", contract, made)

    def drift_of_table(self, contract: Contract, publication: Publication) -> list[dict[str, Any]]:
        """What changed since the publication before; empty for the first."""
        if publication.seq <= 1:
            return []
        before = self._publications.at(contract.id, seq=publication.seq - 1)
        found = drift(self.of_table(contract, before), self.of_table(contract, publication))
        return [asdict(one) for one in found]

    def drift_of_batch(self, batch: Batch, contract: Contract) -> list[dict[str, Any]]:
        """How a delivery of a whole edition differs from what is served, or from what it followed."""
        last = self._publications.get(contract.id)
        if last is not None and last.batch_id == batch.id:
            last = self._publications.at(contract.id, seq=last.seq - 1) if last.seq > 1 else None
        if last is None or batch.mode != "full":
            return []
        found = drift(self.of_table(contract, last), self.of_batch(batch, contract))
        return [asdict(one) for one in found]

    def _kept(self, name: str, contract: Contract, made: Made) -> Profile:
        key = f"{_FOLDER}/{name}-c{contract.version}-p{VERSION}.json"
        if self._objects.head(key) is not None:
            return Profile.from_dict({**json.loads(self._objects.read(key))})
        profile = made()
        body = json.dumps(profile.as_dict(), ensure_ascii=False, separators=(",", ":"))
        self._objects.put(key, body.encode(), content_type="application/json")
        return profile
