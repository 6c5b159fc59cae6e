"""Operations of sharing: applications, disputes, missed deadlines, the calendar of working days."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import FROM, OF_RESOURCE, OF_UNIT, PAGED, TO, Operation, o
from huitong.web.schemas import one_of, text

_STATE: Final = text("only in this state", most=40, pattern="^[a-z_]+$")

SHARING: Final[tuple[Operation, ...]] = (
    o("file_application", "POST /v1/applications", "填写共享申请", "Draft a sharing application",
       "Application", "application.file", body="ApplicationBody", status=201),
    o("list_applications", "GET /v1/applications", "共享申请列表", "Applications of a unit and to it",
       "Applications", "application.read",
       query={"unit": OF_UNIT, "state": _STATE, "resource": OF_RESOURCE, **PAGED}),
    o("get_application", "GET /v1/applications/{id}", "一份共享申请", "One application", "Application",
       "application.read"),
    o("step_application", "POST /v1/applications/{id}/steps", "办理共享申请", "Take a step of an application",
       "Application", "application.step", body="ApplicationStepBody"),
    o("get_application_sheet", "GET /v1/applications/{id}/sheet", "实施单", "The implementation sheet",
       "ApplicationSheet", "application.read", query={"format": one_of("json", "html")},
       media=("application/json", "text/html")),
    o("list_disputes", "GET /v1/disputes", "争议处理结果", "Disputes, their stages and results, as published",
       "Disputes", "data.read"),
    o("list_breaches", "GET /v1/breaches", "逾期记录", "Missed deadlines", "Breaches", "breach.read",
       query={"unit": OF_UNIT, "from": FROM, "to": TO}),
    o("get_calendar", "GET /v1/calendar/{year}", "工作日历", "The calendar of working days", "CalendarYear",
       "data.read"),
    o("put_calendar", "PUT /v1/calendar/{year}", "维护工作日历", "Set a year's holidays and make-up days",
       "CalendarYear", "calendar.put", body="CalendarBody"),
)  # fmt: skip
