"""What is told about the rows of a batch: who may ask, page by page, with values for whom, all on record."""

from __future__ import annotations

from typing import Any, Final

from huitong.audit.trace import Trace
from huitong.batches.model import Batch
from huitong.errors import BadRequest, NotPermitted
from huitong.sharing.decide import access_for
from huitong.web.delivered import known_batch
from huitong.web.services import QueryServices
from huitong.web.serving import Ask

PAGE: Final = 500


def batch_asked(ask: Ask[QueryServices], id: str) -> Batch:
    """The batch, for who may look at it now. Raises NotFound, NotPermitted while its use is suspended."""
    ask.services.area("suspensions").check(ask.principal)
    return known_batch(ask, id)


def page_about(
    ask: Ask[QueryServices], batch: Batch, key: str, detail: str, *, column: str, values: tuple[str, ...]
) -> dict[str, Any]:
    """The page that was asked for of the entries that lie under ``key`` of the staging bucket ("" = none).

    ``column`` is the member that names an entry's column, ``values`` are those that quote the data: empty for
    whom :func:`sees_values` says no. On record before it leaves. Raises BadRequest.
    """
    after, limit = ask.query.get("after", "0"), ask.query.get("limit", PAGE)
    if not after.isdecimal() or len(after) > 12:
        raise BadRequest("after 不是续页标记", "after is no token of this list")
    if not key:
        return {"items": [], "next": None, "total": 0}
    items, total = _read(ask, key, int(after), limit)
    sees = sees_values(ask, batch)
    columns = sorted({str(i[column]) for i in items if i.get(column)}) if sees else []
    note(ask, batch.resource, detail, len(items), tuple(columns), batch.id)
    if not sees:
        items = [{**item, **dict.fromkeys(values)} for item in items]
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


def _read(ask: Ask[QueryServices], key: str, start: int, limit: int) -> tuple[list[dict[str, Any]], int]:
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


def note(
    ask: Ask[QueryServices], resource: str, detail: str, count: int, fields: tuple[str, ...], batch: str = ""
) -> None:
    """The record that somebody looked; ``fields`` are the columns whose values were shown."""
    ask.services.traces.write(
        Trace(
            "access",
            ask.by,
            ask.unit,
            resource=resource,
            fields=fields,
            batch=batch,
            count=count,
            request=ask.request_id,
            source=ask.source,
            path="read",
            detail=detail,
        )
    )
