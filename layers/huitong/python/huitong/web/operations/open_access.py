"""Operations of open access: without sign-in, of the data subject, of statements and assessments."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import AFTER, OF_RESOURCE, Operation, o
from huitong.web.schemas import ID, number, text

OPEN_ACCESS: Final[tuple[Operation, ...]] = (
    # public
    o("list_open_resources", "GET /v1/open/resources", "公开资源", "Resources that are public",
      "OpenResources", public=True),
    o("read_open_resource", "GET /v1/open/resources/{code}", "公开数据", "Rows of a public resource",
      "OpenRows", public=True, app="query_data",
      query={"after": AFTER, "limit": number("most rows of the answer", low=1, high=200)}),
    o("read_own_record", "POST /v1/open/own-record", "查阅本人信息",
      "A person's own rows, by authorisation code and number", "OwnRecord", public=True,
      app="query_data", body="OwnRecordBody", per_minute=6),
    # what is public
    o("check_open_resource", "GET /v1/open/resources/{code}/check", "公开规则核对",
      "What the rules of publication say of a resource", "OpenCheck", "open.read"),
    o("release_open_resource", "POST /v1/open/resources/{code}/release", "准予公开",
      "Make a resource public, when it passes the rules", "OpenRelease", "open.release",
      body="OpenReleaseBody", status=201),
    o("withdraw_open_resource", "DELETE /v1/open/resources/{code}/release", "停止公开",
      "End the publication of a resource at once", "OpenCheck", "open.release"),
    o("list_expired_items", "GET /v1/open/expired", "公示到期清单",
      "How many items have ended and are no longer shown", "ExpiredItems", "open.read",
      app="query_data"),
    # data subjects
    o("open_subject_request", "POST /v1/subject-requests", "登记个人信息主体请求",
      "Register a request of a data subject", "SubjectRequest", "subject.desk", body="SubjectRequestBody",
      status=201),
    o("list_subject_requests", "GET /v1/subject-requests", "个人信息主体请求列表",
      "Requests of data subjects", "SubjectRequests", "subject.desk"),
    o("get_subject_request", "GET /v1/subject-requests/{id}", "一项请求", "One request", "SubjectRequest",
      "subject.desk"),
    o("step_subject_request", "POST /v1/subject-requests/{id}/steps", "请求办理",
      "Take a step of a request", "SubjectRequest", "subject.desk", body="CorrectionStepBody"),
    o("issue_subject_code", "POST /v1/subject-requests/{id}/code", "发放授权码",
      "An authorisation code for the person, shown once", "SubjectCode", "subject.desk", status=201),
    # statements and assessments
    o("declare_statement", "POST /v1/statements", "提交自主申报或投诉",
      "Hand in what a person declares, or a complaint", "Statement", "statement.file",
      body="StatementBody", status=201),
    o("list_statements", "GET /v1/statements", "自主申报与投诉列表", "Statements", "Statements",
      "statement.file"),
    o("get_statement", "GET /v1/statements/{id}", "一项申报", "One statement", "Statement",
      "statement.file"),
    o("get_statement_text", "GET /v1/statements/{id}/text", "申报内容", "The statement itself",
      "StatementText", "statement.file"),
    o("step_statement", "POST /v1/statements/{id}/steps", "申报办理", "Take a step of a statement",
      "Statement", "statement.file", body="CorrectionStepBody"),
    o("put_assessment", "POST /v1/assessments", "登记影响评估",
      "Keep an impact assessment of a sharing", "Assessment", "assessment.put", body="AssessmentBody",
      status=201),
    o("list_assessments", "GET /v1/assessments", "影响评估列表", "Impact assessments", "Assessments",
      "assessment.read", query={"application": text(most=128, pattern=ID), "resource": OF_RESOURCE}),
)  # fmt: skip
