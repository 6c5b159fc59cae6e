"""Operations of corrections, objections and reviews, of bulk corrections, of statements, and of notices."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import OF_RESOURCE, PAGED, Operation, o
from huitong.web.schemas import one_of

_KIND: Final = one_of("correction", "review", "objection")

CORRECTIONS: Final[tuple[Operation, ...]] = (
    o("file_correction", "POST /v1/resources/{code}/corrections", "提出数据校核",
      "Report a wrong or missing record to its source unit", "Correction", "correction.file",
      body="CorrectionBody", status=201, app="query_data"),
    o("file_objection", "POST /v1/resources/{code}/objections", "提出异议",
      "Object to a record, also for the person it is about", "Correction", "correction.file",
      body="CorrectionBody", status=201, app="query_data"),
    o("file_review", "POST /v1/resources/{code}/reviews", "向平台申请核查",
      "Ask the platform's manager to check a record", "Correction", "correction.file",
      body="CorrectionBody", status=201, app="query_data"),
    o("list_corrections", "GET /v1/corrections", "校核、核查与异议列表",
      "Corrections, reviews and objections", "Corrections", "correction.read",
      query={"kind": _KIND, "resource": OF_RESOURCE, **PAGED}),
    o("get_correction", "GET /v1/corrections/{id}", "一项校核", "One of them", "Correction",
      "correction.read"),
    o("step_correction", "POST /v1/corrections/{id}/steps", "校核办理", "Take a step of it", "Correction",
      "correction.step", body="CorrectionStepBody"),
    o("get_correction_record", "GET /v1/corrections/{id}/record", "所涉记录",
      "Which record it is about and what is said to be wrong: for its two units", "CorrectionRecord",
      "correction.step"),
    o("get_correction_report", "GET /v1/corrections/{id}/report", "办结报告", "Its closing report",
      "CorrectionReport", "correction.read"),
    # bulk corrections
    o("request_bulk_correction", "POST /v1/resources/{code}/bulk-corrections", "申请批量更正",
      "Apply for a bulk correction", "BulkCorrection", "correction.bulk", body="BulkCorrectionBody",
      status=201),
    o("list_bulk_corrections", "GET /v1/bulk-corrections", "批量更正列表", "Bulk corrections",
      "BulkCorrections", "correction.read"),
    o("get_bulk_correction", "GET /v1/bulk-corrections/{id}", "一项批量更正", "One bulk correction",
      "BulkCorrection", "correction.read"),
    o("step_bulk_correction", "POST /v1/bulk-corrections/{id}/steps", "批量更正办理",
      "Take a step of a bulk correction", "BulkCorrection", "correction.bulk", body="CorrectionStepBody"),
    # notices
    o("list_notices", "GET /v1/notices", "通知列表", "Notices to the asker's unit", "Notices", "notice.read",
      query={"unread": one_of("true", "false"), **PAGED}),
    o("acknowledge_notice", "POST /v1/notices/{id}/acknowledge", "确认通知", "Acknowledge a notice",
      "Notice", "notice.acknowledge", body="AcknowledgeBody"),
)  # fmt: skip
