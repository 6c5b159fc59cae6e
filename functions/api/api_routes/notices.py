"""Notices to the asker's unit: reading and acknowledging them."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from chalice.app import Blueprint

from huitong.errors import Conflict
from huitong.identity.model import OPERATOR
from huitong.procedures.deciding import Actor
from huitong.tickets.telling import notice_named
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "list_notices")
def list_notices(ask: Ask[ApiServices]) -> dict[str, Any]:
    unit, query = _unit(ask), ask.query
    ask.permit("notice.read", unit)
    limit = query.get("limit", 100)
    found = ask.services.notices.of_unit(
        unit, unread=query.get("unread") == "true", after=query.get("after", ""), limit=limit + 1
    )
    page = found[:limit]
    end = f"{page[-1].at}#{page[-1].id}" if len(found) > limit else None
    return {"items": [n.as_dict() for n in page], "next": end}


@serve(routes, "acknowledge_notice")
def acknowledge_notice(ask: Ask[ApiServices], id: str) -> dict[str, Any]:
    """Of a correction notice this is the receiver's statement that its own copies are corrected (Q-53)."""
    unit, notices = _unit(ask), ask.services.notices
    ask.permit("notice.acknowledge", unit)
    notice = notices.get(unit, id)
    named = notice_named(notice)
    if named and not notice.read_at:
        record = ask.services.telling.acknowledge(
            named, Actor(ask.principal, unit), (ask.body or {}).get("remark", "")
        )
        with suppress(Conflict):  # another acknowledgement closes the ticket at this moment
            ask.services.corrections.acknowledged(record, ask.services.telling)
        return notices.get(unit, id).as_dict()
    return notices.acknowledge(unit, id, by=ask.by).as_dict()


def _unit(ask: Ask[ApiServices]) -> str:
    return ask.unit or OPERATOR
