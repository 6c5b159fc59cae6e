"""What is wrong with the rows of a batch (Q-22)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve
from query_routes.about_batches import batch_asked, page_about

routes = Blueprint(__name__)


@serve(routes, "get_findings")
def get_findings(ask: Ask[QueryServices], id: str) -> dict[str, Any]:
    batch = batch_asked(ask, id)
    return page_about(ask, batch, batch.findings, "findings", column="field", values=("value",))
