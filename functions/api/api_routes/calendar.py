"""The calendar of working days (standards.md 2.10)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.procedures.calendar import Year
from huitong.web.services import ApiServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "get_calendar")
def get_calendar(ask: Ask[ApiServices], year: str) -> dict[str, Any]:
    ask.permit("data.read")
    return ask.services.calendar.get(int(year)).as_dict()


@serve(routes, "put_calendar")
def put_calendar(ask: Ask[ApiServices], year: str) -> dict[str, Any]:
    ask.permit("calendar.put")
    body = ask.body
    table = Year.of(int(year), body["holidays"], body["make_up"], body.get("source", ""))
    return ask.services.calendar.put(table, ask.services.traces, by=ask.by, unit=ask.unit).as_dict()
