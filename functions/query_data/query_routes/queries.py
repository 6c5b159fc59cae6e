"""Queries by SQL: one SELECT, and the pages of its result (C-11)."""

from __future__ import annotations

from typing import Any, Final

from chalice.app import Blueprint

from huitong.audit.trace import Trace
from huitong.errors import BadRequest
from huitong.identity.authorize import acting_unit
from huitong.query.run import Format, Page, QueryResult
from huitong.sharing.decide import is_personal
from huitong.web.operations import ARROW
from huitong.web.services import QueryServices
from huitong.web.serving import Answer, Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 1_000


@serve(routes, "run_query")
def run_query(ask: Ask[QueryServices]) -> Answer:
    ask.services.area("suspensions").check(ask.principal)
    body = ask.body
    unit = acting_unit(ask.principal, body["unit"]) if body.get("unit") else ask.declared
    form = _form(ask, body.get("format", "json"))
    result = ask.services.queries.run(ask.principal, body["sql"], acting_unit=unit, use=ask.use("sql"))
    _counted(ask, result, unit or ask.unit)
    _trace(ask, result, unit or ask.unit)
    page = ask.services.queries.page(
        result.id, ask.principal, limit=body.get("limit", PAGE), format=form, safe=body.get("safe", False)
    )
    more = {"tables": list(result.tables), "engine": result.engine, "expires_at": result.expires_at}
    more["engine_reason"] = result.engine_reason
    return _answer(page, form, more)


@serve(routes, "get_query")
def get_query(ask: Ask[QueryServices], id: str) -> Answer:
    """A further page: its evidence is that of the query, which was written for all of its rows."""
    ask.services.area("suspensions").check(ask.principal)
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


@serve(routes, "export_query")
def export_query(ask: Ask[QueryServices], id: str) -> Answer:
    """C-21, L-38: by a grant that names exports; the file is marked and its use on record before."""
    ask.services.area("suspensions").check(ask.principal)
    body = ask.body
    made = ask.services.exports.make(
        id,
        ask.principal,
        ask.unit,
        body["format"],
        purpose=body.get("purpose", "") or ask.use("export").purpose,
        request=ask.request_id,
        source=ask.source,
    )
    return Answer(made.as_dict(), headers={"X-Huitong-Mark": made.mark.id})


@serve(routes, "trace_marks")
def trace_marks(ask: Ask[QueryServices]) -> dict[str, Any]:
    """S-33: where a leaked file came from. The file itself stays with who found it."""
    ask.permit("trace.read")
    found = ask.services.exports.trace(ask.body["ids"], ask.body.get("bits", ""))
    return {"items": [mark.as_dict() for mark in found], "next": None}


def _form(ask: Ask[QueryServices], form: Format) -> Format:
    """Raises BadRequest where the gateway would spoil the bytes: it passes binary only to who accepts it."""
    if form == "arrow" and ARROW not in ask.headers.get("accept", ""):
        raise BadRequest(
            f"获取 Arrow 结果须带请求头 Accept: {ARROW}",
            f"For Arrow, send the header Accept: {ARROW}",
            accept=ARROW,
        )
    return form


def _counted(ask: Ask[QueryServices], result: QueryResult, unit: str) -> None:
    """C-19, C-22: a batch without a licence, or beyond its volume, ends here, and is on record as refused."""
    for access in result.accesses:
        contract = ask.services.contracts.get(access.resource)
        rows = result.carried.get(access.resource, result.total_rows)
        ask.services.volumes.take(unit, access, rows, query=True, personal=is_personal(contract))


def _trace(ask: Ask[QueryServices], result: QueryResult, unit: str) -> None:
    """One record for each resource read, before anything of it is shown (Q-04); without it nothing is."""
    known = {d.resource: d for d in result.disclosed}
    for access in result.accesses:
        of = known.get(access.resource)
        told = Trace(
            "query",
            actor=ask.by,
            unit=unit,
            resource=access.resource,
            fields=access.fields,
            masked=tuple(access.masks),
            case_no=access.case_no,
            duty=access.duty,
            purpose=access.purpose,
            count=result.carried.get(access.resource, result.total_rows),
            request=ask.request_id,
            detail=_detail(result, of is None or of.exact),
            path="sql",
            grant=access.grant,
            source=ask.source,
        )
        ask.services.traces.write(told, of.subjects if of else None)


def _detail(result: QueryResult, exact: bool) -> str:
    """The query's id, where it ran when not in this function, and whether more is named than was given."""
    ran = "" if result.engine == "duckdb" else f":{result.engine}"
    return f"{result.id}{ran}" if exact else f"{result.id}{ran}:could-read"


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
