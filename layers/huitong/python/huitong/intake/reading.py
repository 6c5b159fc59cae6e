"""How the file of a batch is read: the one answer, for taking it in and for giving it back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huitong.batches.model import Batch
from huitong.contracts.model import Contract
from huitong.intake.layout import Layout
from huitong.intake.profiles import ImportProfile
from huitong.intake.uploads import Uploads, upload_of

if TYPE_CHECKING:
    from huitong.intake.readers.header import Names


def reading_of(
    batch: Batch, first: Batch | None, contract: Contract, profile: ImportProfile | None, uploads: Uploads
) -> tuple[Layout, Names]:
    """Layout and names of columns: what the delivery says, then what the one that it mends said (a returned
    file is laid out like that), then the profile."""
    from huitong.intake.columns import OPERATION
    from huitong.intake.readers.header import Names

    layout = Layout()
    for delivery in (batch, first):
        upload = uploads.find(upload_of(delivery.landing_key)) if delivery else None
        if upload is not None and (upload.unit, upload.resource) == (batch.unit, batch.resource):
            layout = layout.over(upload.layout)
    layout = layout.over(profile.layout if profile else Layout())
    operation = (profile.operation_column if profile else "") or OPERATION
    extra = (operation,) if batch.mode == "increment" else ()
    mends = bool(batch.mends) and not batch.replay
    return layout, Names(contract, profile.columns if profile else {}, extra, mends=mends)
