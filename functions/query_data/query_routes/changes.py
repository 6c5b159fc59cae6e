"""Pull: changes and snapshots as CloudEvents, by cursor (X-06)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

from chalice.app import Blueprint

from huitong.audit.trace import Act, Trace
from huitong.delivery.pull import Page
from huitong.sharing.access import Access
from huitong.web.resources import readable
from huitong.web.services import QueryServices
from huitong.web.serving import Answer, Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 500
#: An answer of a function may have 6 MB; the rest is room for the gateway's envelope.
MOST_BYTES: Final = 4_500_000


@serve(routes, "get_changes")
def get_changes(ask: Ask[QueryServices], code: str) -> Answer:
    contract, access = readable(ask, code)
    after, pull = ask.query.get("after", ""), ask.services.pull
    return _shown(ask, access, "share", lambda most: pull.changes(access, contract, contract.id, after, most))


@serve(routes, "get_snapshot")
def get_snapshot(ask: Ask[QueryServices], code: str) -> Answer:
    contract, access = readable(ask, code)
    after, pull = ask.query.get("after", ""), ask.services.pull
    return _shown(
        ask, access, "download", lambda most: pull.snapshot(access, contract, contract.id, after, most)
    )


def _shown(ask: Ask[QueryServices], access: Access, act: Act, read: Callable[[int], Page]) -> Answer:
    """The page, with fewer events than asked for where they are large, once its use is on record (Q-04)."""
    limit = ask.query.get("limit", PAGE)
    page, body = _page(read, limit)
    while len(body) > MOST_BYTES and limit > 1:
        limit = max(1, min(limit, len(page.events)) * MOST_BYTES // (2 * len(body)))
        page, body = _page(read, limit)
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
    return Answer(body)


def _page(read: Callable[[int], Page], limit: int) -> tuple[Page, bytes]:
    page = read(limit)
    shown: dict[str, Any] = {
        "items": page.events,
        "next": page.next,
        "has_more": page.has_more,
        "seq": page.seq,
    }
    return page, json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode()
