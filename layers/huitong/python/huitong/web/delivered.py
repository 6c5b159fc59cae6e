"""Plain values of a delivery: for the unit that delivered it, and nobody else."""

from __future__ import annotations

from typing import Any

from huitong.batches.model import Batch
from huitong.errors import NotFound, NotPermitted
from huitong.identity.authorize import may
from huitong.sharing.decide import access_for
from huitong.web.serving import Ask


def own_delivery(ask: Ask[Any], id: str) -> Batch:
    """Raises NotPermitted for everybody but the unit that delivered it, cleared for all fields; NotFound for
    those who may not know of the batch."""
    batch: Batch = ask.services.batches.get(id).batch
    if not may(ask.principal, "batch.read", batch.unit):  # not told that there is one
        raise NotFound(f"没有批次 {id}", f"There is no batch {id}", batch=id)
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
