"""What is wrong with the rows of a batch (Q-22)."""

from __future__ import annotations

from typing import Any, Final

from chalice.app import Blueprint

from huitong.audit.trace import Trace
from huitong.batches.model import Batch
from huitong.errors import BadRequest, NotPermitted
from huitong.sharing.decide import access_for
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 500


@serve(routes, "get_findings")
def get_findings(ask: Ask[QueryServices], id: str) -> dict[str, Any]:
    ask.services.area("suspensions").check(ask.principal)
    batch = ask.services.batches.get(id).batch
    ask.permit("batch.read", batch.unit)
    after, limit = ask.query.get("after", "0"), ask.query.get("limit", PAGE)
    if not after.isdecimal() or len(after) > 12:
        raise BadRequest("after 不是续页标记", "after is no token of this list")
    if not batch.findings:
        return {"items": [], "next": None, "total": 0}
    items, total = read_page(ask, batch.findings, int(after), limit)
    sees = sees_values(ask, batch)
    ask.services.traces.write(
        Trace(
            "access",
            ask.by,
            ask.unit,
            resource=batch.resource,
            fields=tuple(sorted({str(i["field"]) for i in items if i.get("field")})) if sees else (),
            batch=batch.id,
            count=len(items),
            request=ask.request_id,
            source=ask.source,
            path="read",
            detail="findings",
        )
    )
    if not sees:
        items = [{**item, "value": None} for item in items]
    end = int(after) + len(items)
    return {"items": items, "next": str(end) if end < total else None, "total": total}


def sees_values(ask: Ask[QueryServices], batch: Batch) -> bool:
    """As in SQL: the unit that must mend them, and the operator's desks under a duty; auditors never."""
    contract = ask.services.contracts.find(batch.resource)
    if contract is None:
        return False
    units = (batch.unit,) if ask.principal.may_act_for(batch.unit) else (ask.unit,)
    try:
        accesses = [
            access_for(ask.principal, contract, ask.services.grants, acting_unit=u, use=ask.use("read"))
            for u in units
        ]
    except NotPermitted:
        return False
    return any(a is not None and (a.owner or not (a.grant or a.case_no)) for a in accesses)


def read_page(ask: Ask[QueryServices], key: str, start: int, limit: int) -> tuple[list[dict[str, Any]], int]:
    """Rows ``start`` to ``start + limit`` of a Parquet file; only the row groups that hold them are read."""
    import pyarrow.parquet

    items: list[dict[str, Any]] = []
    with ask.services.staging.local(key) as path, pyarrow.parquet.ParquetFile(path) as file:
        first = 0
        for group in range(file.num_row_groups):
            rows = file.metadata.row_group(group).num_rows
            low, high = max(start - first, 0), min(start + limit - first, rows)
            if low < high:
                items += file.read_row_group(group).slice(low, high - low).to_pylist()
            first += rows
        return items, file.metadata.num_rows
