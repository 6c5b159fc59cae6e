"""Queries by SQL: one SELECT, and the pages of its result (C-11)."""

from __future__ import annotations

from typing import Any, Final

from chalice.app import Blueprint

from huitong.audit.trace import Trace
from huitong.errors import BadRequest
from huitong.identity.authorize import acting_unit
from huitong.query.run import Format, Page, QueryResult
from huitong.web.operations import ARROW
from huitong.web.services import QueryServices
from huitong.web.serving import Answer, Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 1_000


@serve(routes, "run_query")
def run_query(ask: Ask[QueryServices]) -> Answer:
    body = ask.body
    unit = acting_unit(ask.principal, body["unit"]) if body.get("unit") else ask.declared
    form = _form(ask, body.get("format", "json"))
    result = ask.services.queries.run(ask.principal, body["sql"], acting_unit=unit, use=ask.use("sql"))
    _trace(ask, result, unit or ask.unit)
    page = ask.services.queries.page(
        result.id, ask.principal, limit=body.get("limit", PAGE), format=form, safe=body.get("safe", False)
    )
    more = {"tables": list(result.tables), "engine": result.engine, "expires_at": result.expires_at}
    return _answer(page, form, more)


@serve(routes, "get_query")
def get_query(ask: Ask[QueryServices], id: str) -> Answer:
    query = ask.query
    form = _form(ask, query.get("format", "json"))
    page = ask.services.queries.page(
        id,
        ask.principal,
        after=query.get("after", ""),
        limit=query.get("limit", PAGE),
        format=form,
        safe=query.get("safe") == "true",
    )
    return _answer(page, form, {})


def _form(ask: Ask[QueryServices], form: Format) -> Format:
    """Raises BadRequest where the gateway would spoil the bytes: it passes binary only to who accepts it."""
    if form == "arrow" and ARROW not in ask.headers.get("accept", ""):
        raise BadRequest(
            f"获取 Arrow 结果须带请求头 Accept: {ARROW}",
            f"For Arrow, send the header Accept: {ARROW}",
            accept=ARROW,
        )
    return form


def _trace(ask: Ask[QueryServices], result: QueryResult, unit: str) -> None:
    """One record for each resource read, before anything of it is shown (Q-04)."""
    for resource in result.tables:
        ask.services.traces.write(
            Trace(
                "query",
                actor=ask.by,
                unit=unit,
                resource=resource,
                count=result.total_rows,
                request=ask.request_id,
                detail=result.id,
            )
        )


def _answer(page: Page, form: Format, more: dict[str, Any]) -> Answer:
    headers = {"Huitong-Query": page.id, "Huitong-Total-Rows": str(page.total_rows)}
    headers |= {"Huitong-Next": page.next} if page.next else {}
    if form == "arrow":
        return Answer(page.body, ARROW, headers)
    if form == "csv":
        return Answer(page.body.decode(), page.media_type, headers)
    shown = {
        "query_id": page.id,
        "columns": list(page.columns),
        "rows": page.rows,
        "total_rows": page.total_rows,
        "next": page.next,
    }
    return Answer({**shown, **more}, headers=headers)
