"""Operations of supervision: rectification, complaints, changes, new projects, restrictions, the report."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import OF_UNIT, Operation, o
from huitong.web.operations.standing import matters

SUPERVISION: Final[tuple[Operation, ...]] = (
    *matters("rectification", "rectifications", "rectifications", "整改通知", "rectification notices",
             "RectificationBody", "issue", "supervision"),
    *matters("complaint", "complaints", "complaints", "投诉", "complaints", "ComplaintBody", "file",
             "supervision"),
    *matters("change_notice", "change_notices", "change-notices", "系统变更备案",
             "planned changes of source systems", "ChangeNoticeBody", "file", "supervision"),
    *matters("compliance_check", "compliance_checks", "compliance-checks", "新建项目合规检查",
             "compliance checks of new projects", "ComplianceBody", "prepare", "supervision"),
    *matters("annual_report", "annual_reports", "annual-reports", "年度报告", "annual reports",
             "AnnualReportBody", "announce", "supervision"),
    o("list_overdue_rectifications", "GET /v1/overdue-rectifications", "逾期整改", "Overdue rectifications",
      "Matters", "supervision.read"),
    o("get_annual_figures", "GET /v1/annual-reports/{id}/figures", "年度统计", "The figures of a year",
      "AnnualFigures", "report.annual"),
    o("gather_annual_month", "POST /v1/annual-reports/{id}/months", "统计一个月", "Count one month",
      "AnnualMonth", "report.gather", body="AnnualMonthBody"),
    o("make_annual_workbook", "POST /v1/annual-reports/{id}/workbook", "年度报告工作簿",
      "The report as a workbook", "AnnualFile", "report.annual", app="query_data"),
    o("make_annual_page", "POST /v1/annual-reports/{id}/page", "年度报告打印稿",
      "The report as a page to print", "AnnualFile", "report.annual"),
    o("list_restrictions", "GET /v1/restrictions", "限制名单", "Restrictions of units", "Restrictions",
      "restriction.read", query={"unit": OF_UNIT}),
    o("impose_restriction", "POST /v1/restrictions", "限制单位", "Restrict a unit by decision",
      "Restriction", "restriction.decide", body="RestrictionBody", status=201),
    o("decide_restriction", "POST /v1/restrictions/{unit}/steps", "确认或解除限制",
      "Confirm or lift a restriction", "Restriction", "restriction.decide", body="RestrictionStepBody"),
    o("get_restriction_policy", "GET /v1/restriction-policy", "限制办法", "When units are restricted",
      "RestrictionPolicy", "restriction.read"),
    o("put_restriction_policy", "PUT /v1/restriction-policy", "设定限制办法", "Set when units are restricted",
      "RestrictionPolicy", "restriction.decide", body="RestrictionPolicyBody"),
)  # fmt: skip
