"""Pull: changes and snapshots as CloudEvents, by cursor (X-06)."""

from __future__ import annotations

from typing import Any, Final

from chalice.app import Blueprint

from huitong.audit.trace import Act, Trace
from huitong.delivery.pull import Page
from huitong.sharing.access import Access
from huitong.web.resources import readable
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 500


@serve(routes, "get_changes")
def get_changes(ask: Ask[QueryServices], code: str) -> dict[str, Any]:
    contract, access = readable(ask, code)
    after, limit = ask.query.get("after", ""), ask.query.get("limit", PAGE)
    return _shown(
        ask, access, "share", ask.services.pull.changes(access, contract, contract.id, after, limit)
    )


@serve(routes, "get_snapshot")
def get_snapshot(ask: Ask[QueryServices], code: str) -> dict[str, Any]:
    contract, access = readable(ask, code)
    after, limit = ask.query.get("after", ""), ask.query.get("limit", PAGE)
    return _shown(
        ask, access, "download", ask.services.pull.snapshot(access, contract, contract.id, after, limit)
    )


def _shown(ask: Ask[QueryServices], access: Access, act: Act, page: Page) -> dict[str, Any]:
    """The page, once its use is on record (Q-04)."""
    ask.services.traces.write(
        Trace(
            act,
            actor=ask.by,
            unit=ask.unit,
            resource=access.resource,
            fields=access.fields,
            seq=page.seq,
            count=len(page.events),
            request=ask.request_id,
        )
    )
    return {"items": page.events, "next": page.next, "has_more": page.has_more, "seq": page.seq}
