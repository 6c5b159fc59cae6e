"""A unit's monthly report as JSON, workbook or PDF, and the masked records of a conflict (C-09, L-06)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from chalice.app import Blueprint

from huitong.web.matters import readable
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_SHOWN: Final = 1_000


@serve(routes, "get_quality_report")
def get_quality_report(ask: Ask[QueryServices], unit: str, month: str) -> dict[str, Any]:
    ask.permit("score.read", unit)
    report, form = ask.services.quality_reports.of(unit, month), ask.query.get("format", "json")
    if form == "json":
        return {"format": form, **report.as_dict()}
    if form == "xlsx":
        from huitong.supervision.quality.workbook import workbook

        made, kind = workbook(report), _XLSX
    else:
        from huitong.supervision.quality.pdf import pdf

        made, kind = pdf(report), "application/pdf"
    kept = ask.services.documents.keep(made, form, kind)
    return {"unit": unit, "month": month, "format": form, **kept}


@serve(routes, "list_conflict_records")
def list_conflict_records(ask: Ask[QueryServices], id: str) -> dict[str, Any]:
    conflicts = ask.services.conflicts
    record = readable(ask, conflicts.desk, id, "quality.read")
    found = conflicts.records(record, _SHOWN)
    shown = ({k: v for k, v in asdict(d).items() if k not in ("record", "digest")} for d in found)
    return {"items": list(shown), "count": record.content["count"]}
