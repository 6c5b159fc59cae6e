"""What must hold of a delivery that mends another one, and where it stands in the order of landing."""

from __future__ import annotations

from huitong.batches.held import may_be_mended
from huitong.batches.model import Batch
from huitong.errors import Conflict
from huitong.intake.readers.refusals import refusal


def rank_after(first: Batch, received_at: str, order: str) -> str:
    """Right after the first delivery, and before all that landed later; among its mends by landing.

    The last part of an order makes it unique; a sort key of the register has no room for two whole ones.
    """
    return f"{first.order}~{received_at}#{order.rsplit('#', 1)[-1]}"


def check_mended(first: Batch | None, unit: str, resource: str, named: str) -> None:
    """Raises UnreadableFile where the delivery that is to be mended is another's, unknown, or not through."""
    if first is None or (first.unit, first.resource) != (unit, resource):
        raise refusal(
            "mend.batch-unknown",
            f"本单位在资源 {resource} 中没有批次 {named}",
            f"The unit has no batch {named} of resource {resource}",
            advice=("核对批次号(huitong batch list)", "Check the batch id (huitong batch list)"),
            batch=named,
        )
    try:
        may_be_mended(first)
    except Conflict as error:
        raise refusal("mend.not-open", error.zh, error.en, batch=first.id) from error
