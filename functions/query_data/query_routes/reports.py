"""The annual report as a workbook: here, where the library for workbooks is (L-45)."""

from __future__ import annotations

from typing import Any, Final

from chalice.app import Blueprint

from huitong.errors import BadRequest
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@serve(routes, "make_annual_workbook")
def make_annual_workbook(ask: Ask[QueryServices], id: str) -> dict[str, Any]:
    ask.permit("report.annual")
    from huitong.supervision.rendering import workbook

    if not (id.isdecimal() and len(id) == 4):
        raise BadRequest("年度有误", "The report is named by its year, e.g. 2025", id=id)
    services = ask.services
    record = services.supervision.desks["annual_report"].find(id)
    assessment = str(record.content.get("assessment", "")) if record else ""
    made = workbook(services.annual.of(int(id)), assessment)
    return dict(services.documents.keep(made, "xlsx", _XLSX))
