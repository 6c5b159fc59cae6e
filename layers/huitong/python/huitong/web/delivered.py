"""Deliveries that a request names: who may know of them, and who may have their plain values."""

from __future__ import annotations

from typing import Any

from huitong.batches.model import Batch
from huitong.batches.register import no_batch
from huitong.errors import Concealed, NotPermitted
from huitong.identity.authorize import may
from huitong.sharing.decide import access_for
from huitong.web.serving import Ask


def known_batch(ask: Ask[Any], id: str, operation: str = "batch.read") -> Batch:
    """The batch, for who may do the operation on it. Raises NotFound, in the same words, for one that is not
    there and for one of others: ids are made of contents, and whoever guesses one is not told so (S-08)."""
    batch: Batch = ask.services.batches.get(id).batch
    if not may(ask.principal, operation, batch.unit):
        raise Concealed.like(no_batch(id))
    return batch


def own_delivery(ask: Ask[Any], id: str) -> Batch:
    """Raises NotPermitted for everybody but the unit that delivered it, cleared for all fields; NotFound for
    those who may not know of the batch."""
    batch = known_batch(ask, id)
    ask.permit("batch.returned", batch.unit)
    ask.services.area("suspensions").check(ask.principal)
    contract = ask.services.contracts.get(batch.resource)
    access = access_for(
        ask.principal, contract, ask.services.grants, acting_unit=batch.unit, use=ask.use("export")
    )
    plain = access is not None and access.owner and len(access.fields) == len(contract.fields)
    if not plain:
        raise NotPermitted(
            "退回文件含原始数据,只交给报送单位中密级足够的人员",
            "A returned file holds plain values: only its unit may have it, cleared for all fields",
            batch=id,
        )
    return batch
