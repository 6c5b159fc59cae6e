"""Returned files, and what a replay of quarantine would do (C-07, C-13)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.batches.model import Batch
from huitong.errors import NotFound
from huitong.quality.returning.give_back import GiveBack, Returned, shown
from huitong.web.delivered import known_batch, own_delivery
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "get_returned_file")
def get_returned_file(ask: Ask[QueryServices], id: str) -> dict[str, Any]:
    batch = own_delivery(ask, id)
    found = _desk(ask).find(batch, whole=ask.query.get("all") == "true")
    if found is None:
        raise NotFound(
            f"批次 {id} 的退回文件尚未生成", f"The returned file of batch {id} was not made yet", batch=id
        )
    return _told(ask, batch, found)


@serve(routes, "preview_quarantine_replay")
def preview_quarantine_replay(ask: Ask[QueryServices], id: str) -> dict[str, Any]:
    batch = known_batch(ask, id)
    first = ask.services.batches.get(batch.mends).batch if batch.mends else batch
    found: dict[str, Any] = ask.services.area("replay_preview").run(
        first, ask.services.contracts.get(first.resource)
    )
    return found


def _desk(ask: Ask[QueryServices]) -> GiveBack:
    desk: GiveBack = ask.services.area("give_back")
    return desk


def _told(ask: Ask[QueryServices], batch: Batch, returned: Returned) -> dict[str, Any]:
    url = _desk(ask).link(
        returned, batch, by=ask.by, unit=batch.unit, request=ask.request_id, source=ask.source
    )
    return shown(returned, url)
