"""Operations of cases: the register, its teams and corrections, requests, comparison without release."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import OF_UNIT, PAGED, Operation, o
from huitong.web.schemas import text

_STATE: Final = text("only in this state", most=40, pattern="^[a-z_]+$")
_STAGE: Final = text("only in this stage", most=2, pattern="^[0-9]{2}$")
_OF_CASE: Final = text("only of this case", most=200)

CASES: Final[tuple[Operation, ...]] = (
    o("list_cases", "GET /v1/cases", "案件列表", "Cases to which the asker is bound; all for supervisors",
       "Cases", "case.read", query={"stage": _STAGE, **PAGED}),
    o("get_case", "GET /v1/cases/{case_no}", "一个案件", "One case, its stages and its team", "Case",
       "case.read"),
    o("add_case_member", "POST /v1/cases/{case_no}/team", "加入办案组", "Bind somebody to a case",
       "CaseMember", "case.team", body="CaseMemberBody", status=201),
    o("remove_case_member", "DELETE /v1/cases/{case_no}/team/{member}", "移出办案组",
       "Somebody is no longer bound to a case", "CaseMember", "case.team"),
    o("propose_stage_correction", "POST /v1/cases/{case_no}/corrections", "提出阶段更正",
       "Propose another stage, with the reason", "StageCorrection", "case.correct",
       body="StageCorrectionBody", status=201),
    o("list_stage_corrections", "GET /v1/stage-corrections", "阶段更正列表", "Corrections of stages",
       "StageCorrections", "case.correct", query={"state": _STATE, "unit": OF_UNIT, **PAGED}),
    o("step_stage_correction", "POST /v1/stage-corrections/{id}/steps", "复核阶段更正",
       "Confirm or drop a correction: a second person", "StageCorrection", "case.correct",
       body="RequestStepBody"),
    o("file_request", "POST /v1/requests", "提出查询核对申请", "File a request for information in a case",
       "Request", "request.file", body="RequestBody", status=201),
    o("list_requests", "GET /v1/requests", "查询核对申请列表", "Requests of a unit and to it", "Requests",
       "request.read", query={"unit": OF_UNIT, "state": _STATE, "case_no": _OF_CASE, **PAGED}),
    o("get_request", "GET /v1/requests/{id}", "一份查询核对申请", "One request and its state", "Request",
       "request.read"),
    o("step_request", "POST /v1/requests/{id}/steps", "办理查询核对申请", "Take a step of a request",
       "Request", "request.step", body="RequestStepBody"),
    o("get_request_persons", "GET /v1/requests/{id}/persons", "被查询人",
       "Who is asked about: for the two units, while the request runs", "RequestPersons", "request.read"),
    o("run_verification", "POST /v1/resources/{code}/verifications", "数据不落地比对",
       "Compare claims: agree, differ or unknown, and nothing else", "Verification", "verification.run",
       body="VerificationBody", app="query_data"),
)  # fmt: skip
