"""Taking a delivery in once more by the present contract: so cleansing steps are undone or redone (C-12).

The landed object is what it always was; the new batch is one of its own, with the contract's version in its
edition. Only the newest delivery of a resource can be taken again: an older one would bring back old values.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol

from huitong.batches.model import Batch, Counts, Quality
from huitong.batches.register import Batches, batch_id
from huitong.contracts.model import Contract
from huitong.errors import Conflict
from huitong.ports import Clock, Queue, timestamp

_PASSED = frozenset({"rejected", "duplicate", "superseded"})
_MADE = " / v"


def taken_again(batch: Batch) -> bool:
    """Whether the platform made it of a delivery that had come before."""
    return _MADE in batch.edition


class ContractSource(Protocol):
    def get(self, id: str, version: int = 0) -> Contract: ...


@dataclass(frozen=True, slots=True)
class Again:
    batches: Batches
    contracts: ContractSource
    ingest_queue: Queue
    clock: Clock

    def take(self, id: str, *, by: str) -> Batch:
        """The batch that the delivery becomes under the newest version of its contract.

        Asked twice under one version it is the same batch. Raises NotFound; Conflict when the batch is not
        published, brings mended rows, is not the newest of its resource, or the contract is the same.
        """
        batch = self.batches.get(id).batch
        contract = self.contracts.get(batch.resource)
        self._check(batch, contract)
        edition = f"{batch.edition.partition(_MADE)[0]}{_MADE}{contract.version}"
        made = batch_id(batch.unit, batch.resource, batch.sha256, edition)
        known = self.batches.find(made)
        if known is None:
            now = max(timestamp(self.clock.now()), batch.received_at)
            fresh = replace(
                batch,
                id=made,
                status="received",
                edition=edition,
                received_at=now,
                order=f"{now}#~{made}",  # after whatever landed at that moment
                contract_version=contract.version,
                decision="",
                counts=Counts(),
                quality=Quality(),
                refusal=None,
                preview=None,
                released_by="",
                staging=(),
                good=(),
                findings="",
                quarantine="",
                cleansing="",
                cleansed={},
                seq=0,
                published_at="",
            )
            try:
                known = self.batches.create(fresh, by=by)
            except Conflict:  # another call came first
                known = self.batches.get(made)
        if known.batch.status == "received":
            self.ingest_queue.send({"batch_id": made})
        return known.batch

    def _check(self, batch: Batch, contract: Contract) -> None:
        if batch.status != "published" or batch.mends or not batch.sha256:
            raise Conflict(
                f"批次 {batch.id} 不是已发布的原始交付,不能重新处理",
                f"Batch {batch.id} is no published delivery of its own and cannot be taken again",
                batch=batch.id,
                status=batch.status,
            )
        if contract.version == batch.contract_version:
            raise Conflict(
                f"批次 {batch.id} 已按契约现行版本 {contract.version} 处理",
                f"Batch {batch.id} was taken by the present version {contract.version} of the contract",
                batch=batch.id,
            )
        made = f"{_MADE}{contract.version}"
        for other in self.batches.of_resource(batch.resource, limit=50):
            newer = other.order > batch.order and other.status not in _PASSED
            if newer and not (other.sha256 == batch.sha256 and other.edition.endswith(made)):
                raise Conflict(
                    f"批次 {other.id} 更新,重新处理 {batch.id} 会带回旧数据;请重新处理最新的批次",
                    f"Batch {other.id} is newer; taking {batch.id} again would bring old values back",
                    batch=other.id,
                )
