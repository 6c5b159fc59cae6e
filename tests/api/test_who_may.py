"""Every operation × no token, a wrong token, a foreign unit (S-08, S-36)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from tests.support.api_world import BANK, BUREAU, COURT, Call, World

from huitong.web.operations import OPERATIONS, Operation

CLOSED = [o for o in OPERATIONS if not o.public]
PATH = {
    "code": "claims",
    "id": "x1",
    "unit": COURT,
    "name": "default",
    "version": "1",
    "year": "2026",
    "month": "2026-01",
    "case_no": "(2021)粤03破1号(个1)",
    "member": "m1",
}
_FILE = {"document": "d/1", "digest": "ab" * 32}
STANDING_BODIES: dict[str, dict[str, Any]] = {
    "RegistrationBody": {},
    "RegistrationStateBody": {"state": "closed", "reason": "x"},
    "AgreementBody": {
        "kind": "security", "first": COURT, "second": BANK, "starts": "2026-01-01", "ends": "2026-12-31",
        **_FILE,
    },
    "ShareListBody": {"counterpart": COURT, "resources": ["claims"]},
    "DockingBody": {
        "counterpart": COURT, "resources": ["claims"], "method": "x", "security_terms": "x", "contacts": ["x"],
    },
    "JointTestBody": {
        "counterpart": COURT, "resource": "claims", "interface": "push", "interface_version": "1",
        "result": "passed", "tested_on": "2026-01-01", "our_testers": ["x"], "their_testers": ["x"], **_FILE,
    },
    "OutsideBody": {"source": COURT, "resources": ["claims"], "reason": "x", **_FILE},
    "MatterStepBody": {"step": "sign_first"},
    "DockingLogBody": {"people": "x", "text": "x"},
    "DockingWorkBody": {"title": "x", "owner": COURT},
    "InterfaceSwitchBody": {"state": "closed", "reason": "演练"},
    "DockingWorkStateBody": {"number": 1, "state": "done"},
    "DocumentBody": {"filename": "a.pdf"},
    "RectificationBody": {"unit": COURT, "grounds": "x", "limit": "2026-02-01"},
    "ComplaintBody": {"respondent": COURT, "matter": "x"},
    "ChangeNoticeBody": {
        "kind": "upgrade", "resources": ["claims"], "starts": "2026-02-01", "ends": "2026-02-01", "impact": "x",
    },
    "ComplianceBody": {"project": "x", "prepared_on": "2026-01-01", **_FILE},
    "AnnualReportBody": {"year": 2025},
    "AnnualMonthBody": {"month": 1},
    "RestrictionBody": {"unit": COURT, "reason": "x", "effects": ["grants"]},
    "RestrictionStepBody": {"id": "ab", "step": "lift", "reason": "x"},
    "RestrictionPolicyBody": {"automatic": True, "grace_days": 0, "effects": ["grants"]},
}  # fmt: skip
CATALOG_BODIES: dict[str, dict[str, Any]] = {
    "EntryBody": {"resource": "claims"},
    "EntryContentBody": {"content": {}},
    "CatalogStepBody": {"step": "submit"},
    "EditionBody": {},
    "ViewBody": {"zh": "x", "en": "x", "group_by": "provider"},
    "ImportBody": {"workbook": ""},
    "ElementBody": {"title": "x", "type": "string"},
    "CatalogDutyBody": {"unit": COURT, "change": "law", "document": "x"},
}
CASE_BODIES: dict[str, dict[str, Any]] = {
    "CaseMemberBody": {"id": "m1", "unit": COURT},
    "StageCorrectionBody": {"stage": "30", "reason": "x"},
    "RequestBody": {"resource": "claims", "fields": ["claim_no"], "purpose": "x"},
    "RequestStepBody": {"step": "approve"},
    "VerificationBody": {"items": [{"key": {"claim_no": "1"}, "claimed": {"amount": "1"}}]},
}
TICKET_BODIES: dict[str, dict[str, Any]] = {
    "CorrectionBody": {"key": {"claim_no": "1"}, "fields": ["amount"], "wrong": "x"},
    "CorrectionStepBody": {"step": "accept"},
    "BulkCorrectionBody": {"what": "x", "reason": "x"},
    "AcknowledgeBody": {},
    "OpenReleaseBody": {"basis": "x"},
    "SubjectRequestBody": {"kind": "deletion", "number": "x", "identity_proof": "x", "agreement": "x"},
    "StatementBody": {"kind": "complaint", "text": "x", "evidence": "x", "truth_declared": False},
    "AssessmentBody": {
        "application": "a", "resource": "none", "purpose": "x", "necessity": "x", "risks": "x", "measures": "x",
        "conclusion": "acceptable",
    },
}  # fmt: skip
RULE_BODIES: dict[str, dict[str, Any]] = {
    "NewRuleBody": {"id": "r", "resource": "claims", "kind": "missing", "fields": ["amount"], "reason": "x"},
    "RuleBody": {"reason": "x"},
    "RuleStepBody": {"reason": "x"},
    "RuleTrialBody": {"resource": "claims", "rule": "r", "table": True},
    "RuleWarningStepBody": {"state": "closed", "remark": "x"},
}
QUALITY_BODIES: dict[str, dict[str, Any]] = {
    "QualityPolicyBody": {"days": 5},
    "ScoreAlertBody": {"id": "x", "metric": "quality", "kind": "below", "value": 50},
    "ScoreAlertActBody": {"month": "2026-01", "id": "x~y", "remark": "x"},
}
BODIES: dict[str, dict[str, Any]] = {
    **QUALITY_BODIES,
    **RULE_BODIES,
    **TICKET_BODIES,
    "SettleLettersBody": {"reason": "x"},
    "SecretBody": {},
    "SuspendBody": {"principal": "x", "reason": "x"},
    "ExportBody": {"format": "csv"},
    "RecipientsBody": {"resource": "claims", "key": {"claim_no": "1"}},
    "ReturnedBody": {},
    "MarksBody": {"ids": ["x"]},
    "ContractBody": {"document": "x"},
    "UploadBody": {"resource": "claims", "filename": "a.csv", "unit": COURT},
    "ProfileBody": {},
    "RecordsBody": {"rows": [{"claim_no": "1"}], "unit": COURT},
    "ReasonBody": {"reason": "no"},
    "UnitBody": {"code": COURT, "name": "x"},
    "CredentialBody": {"name": "x", "roles": ["admin"]},
    "GrantBody": {"basis": "深破管函〔2026〕1号"},
    "SubscriptionBody": {"resource": "claims", "endpoint": "https://receiver.example/in", "unit": BANK},
    "AccountBody": {"login": "wang.li", "name": "王丽", "roles": [{"role": "officer"}]},
    "RolesBody": {"roles": [{"role": "officer"}]},
    "PostBody": {"zh": "岗位", "en": "post"},
    "DutyBody": {"zh": "职责", "en": "duty", "basis": "条例第一条"},
    "QueryBody": {"sql": "SELECT 1"},
    "ApplicationBody": {"resource": "claims"},
    "ApplicationStepBody": {"step": "decide"},
    "CalendarBody": {"holidays": ["2026-01-01"], "make_up": []},
    **STANDING_BODIES,
    **CATALOG_BODIES,
    **CASE_BODIES,
}


def asked(operation: Operation) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", operation.path)
    path = {name: PATH[name] for name in names}
    return {"path": path or None, "body": BODIES[operation.body] if operation.body else None}


def answers(call: Call, **more: Any) -> dict[str, tuple[int, str]]:
    """What every closed operation answers: (status, code) by operation."""
    said = {o.id: call(o.method, o.path, **{**asked(o), **more}) for o in CLOSED}
    return {id: (one.status, one.code if one.status >= 400 else "") for id, one in said.items()}


def test_nothing_is_answered_without_a_token(call: Call) -> None:
    assert {k: v for k, v in answers(call).items() if v != (401, "not-authenticated")} == {}
    said = call("GET", "/v1/me")
    assert said.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "header", ["Bearer ht_admin_wrong", "Basic YTpi", "Bearer", f"Bearer ht_x_{'A' * 43}"]
)
def test_nothing_is_answered_to_a_wrong_token(header: str, call: Call) -> None:
    said = answers(call, headers={"Authorization": header})
    assert {k: v for k, v in said.items() if v != (401, "not-authenticated")} == {}


def test_nobody_acts_for_a_unit_that_is_not_its_own(call: Call) -> None:
    said = answers(call, as_="bureau", unit=COURT)
    assert {k: v for k, v in said.items() if v != (403, "not-permitted")} == {}


#: What a source unit that owns nothing here is told, operation by operation.
REFUSED_TO_A_FOREIGN_UNIT = {
    "create_account": 403, "list_accounts": 403, "get_account": 403, "put_roles": 403,
    "disable_account": 403, "enable_account": 403, "unlock_account": 403, "reset_account": 403,
    "issue_signing_key": 403, "list_posts": 403, "put_post": 403, "delete_post": 403, "list_duties": 403,
    "put_duty": 403, "delete_duty": 403, "end_session": 404,
    "put_contract": 403, "get_contract": 404, "get_contract_version": 404, "get_resource": 404,
    "open_upload": 404, "get_upload": 404, "put_records": 404, "put_profile": 403, "get_profile": 403,
    "get_batch": 404, "release_batch": 404, "reject_batch": 404, "replay_batch": 404, "put_unit": 403,
    "issue_credential": 403, "list_credentials": 403, "disable_credential": 403, "put_grant": 403,
    "get_grant": 403, "revoke_grant": 403, "subscribe": 403, "get_subscription": 403,
    "cancel_subscription": 403, "pause_subscription": 403, "resume_subscription": 403,
    "replay_subscription": 403, "list_deliveries": 403, "list_traces": 403, "get_changes": 404,
    "get_snapshot": 404, "get_findings": 404,
    "create_entry": 403, "get_entry": 404, "get_entry_record": 404, "put_entry": 404, "step_entry": 404,
    "get_entry_publication": 404, "get_entry_interface": 404, "publish_edition": 403, "get_edition": 404,
    "compare_editions": 404, "get_view": 404, "put_view": 403, "remove_view": 403, "import_catalog": 403,
    "put_element": 403, "seed_elements": 403, "register_duty": 403, "get_catalog_duty": 404,
    "step_catalog_duty": 404,
}  # fmt: skip
for _one, _many, _opening in (
    ("agreement", "agreements", "draft"), ("share_list", "share_lists", "propose"),
    ("docking", "dockings", "propose"), ("joint_test", "joint_tests", "record"),
    ("outside_exchange", "outside_exchanges", "file"), ("rectification", "rectifications", "issue"),
    ("complaint", "complaints", "file"), ("change_notice", "change_notices", "file"),
    ("compliance_check", "compliance_checks", "prepare"), ("annual_report", "annual_reports", "announce"),
):  # fmt: skip
    REFUSED_TO_A_FOREIGN_UNIT |= {f"{_opening}_{_one}": 403, f"get_{_one}": 404, f"step_{_one}": 403}
REFUSED_TO_A_FOREIGN_UNIT |= {
    "get_registration": 403, "put_registration": 403, "move_registration": 403,
    "list_registration_changes": 403, "list_docking_log": 404, "add_docking_log": 404,
    "list_docking_work": 404, "add_docking_work": 404, "move_docking_work": 404, "open_document": 403, "switch_interface": 404,
    "get_quality_issue": 404, "step_quality_issue": 404, "put_quality_policy": 403, "get_conflict": 404,
    "list_conflict_records": 404, "step_conflict": 404, "put_score_alert": 403, "handle_score_alert": 403,
    "get_quality_report": 403, "get_document": 403, "get_controls": 403, "list_overdue_rectifications": 403, "get_annual_figures": 403,
    "gather_annual_month": 403, "make_annual_workbook": 403, "make_annual_page": 403,
    "impose_restriction": 403, "decide_restriction": 403, "put_restriction_policy": 403,
    "get_gate": 400,
}  # fmt: skip
REFUSED_TO_A_FOREIGN_UNIT |= {
    "file_application": 403, "get_application": 404, "step_application": 404, "get_application_sheet": 404,
    "put_calendar": 403,
}  # fmt: skip
REFUSED_TO_A_FOREIGN_UNIT |= {
    "get_case": 404, "add_case_member": 403, "remove_case_member": 403, "propose_stage_correction": 403,
    "list_stage_corrections": 403, "step_stage_correction": 403, "file_request": 403, "get_request": 404,
    "step_request": 404, "get_request_persons": 404, "run_verification": 404,
}  # fmt: skip
REFUSED_TO_A_FOREIGN_UNIT |= {
    "file_correction": 404, "file_objection": 404, "file_review": 404, "get_correction": 404,
    "step_correction": 404, "get_correction_record": 404, "get_correction_report": 404,
    "request_bulk_correction": 404, "get_bulk_correction": 404, "step_bulk_correction": 404,
    "acknowledge_notice": 404, "check_open_resource": 403, "release_open_resource": 403,
    "withdraw_open_resource": 403, "list_expired_items": 403, "open_subject_request": 403,
    "list_subject_requests": 403, "get_subject_request": 403, "step_subject_request": 403,
    "issue_subject_code": 403, "declare_statement": 400, "get_statement": 404, "get_statement_text": 404,
    "step_statement": 404, "put_assessment": 404,
}  # fmt: skip
REFUSED_TO_A_FOREIGN_UNIT |= {
    "create_rule": 403, "get_rule": 404, "list_rule_versions": 404, "put_rule": 403, "enable_rule": 403,
    "disable_rule": 403, "try_rule": 403, "list_rule_runs": 400,
    "handle_rule_warning": 404,
}  # fmt: skip
REFUSED_TO_A_FOREIGN_UNIT |= {
    "second_grant": 403, "trace_marks": 403, "find_recipients": 404, "verify_evidence": 403,
    "export_evidence": 403, "list_heads": 403, "list_suspensions": 403, "suspend_use": 403,
    "lift_suspension": 403, "make_returned_file": 404, "get_returned_file": 404, "get_batch_quarantine": 404,
    "preview_quarantine_replay": 404, "replay_quarantine": 404,
    "get_cleansed": 404, "process_again": 404, "get_batch_profile": 404, "get_resource_profile": 404,
}  # fmt: skip
REFUSED_TO_A_FOREIGN_UNIT |= {
    "get_status": 403, "list_dead_letters": 403, "get_dead_letters": 403, "settle_dead_letters": 403,
    "list_platform_keys": 403, "rotate_platform_key": 403, "rotate_subscription_secret": 403,
}  # fmt: skip
OPEN_TO_ALL = {
    "search_evidence", "list_quarantine",  # of the asker's unit
    "export_query",  # of the asker's own queries (test_exports)
    "list_rules", "get_rule_summary", "list_rule_warnings",  # of the asker's resources, to the asker's unit
    "list_corrections", "list_bulk_corrections", "list_notices", "list_statements",  # of the asker's unit
    "list_assessments",
    "list_cases", "list_requests",  # those of the asker
    "list_applications", "list_breaches",  # the unit's own
    "list_disputes", "get_calendar",
    "list_agreements", "list_share_lists", "list_dockings", "list_joint_tests", "list_outside_exchanges",
    "list_rectifications", "list_complaints", "list_change_notices", "list_compliance_checks",
    "list_annual_reports", "list_restrictions", "get_restriction_policy", "list_interfaces",
    "list_quality_issues", "get_quality_policy", "list_conflicts", "get_scores", "get_ranking",
    "list_overdue", "get_exchange_statistics", "list_score_alerts",
    "sign_out", "list_sessions",  # of the asker's own
    "get_me", "list_contracts", "list_resources", "list_units", "get_unit", "list_profiles", "list_batches",
    "list_grants", "list_subscriptions", "get_ledger", "run_query", "get_query",
    "list_entries", "search_catalog", "test_conformance", "list_editions", "list_views",
    "get_catalog_template", "export_catalog", "list_elements", "list_catalog_duties",
}  # fmt: skip


def test_the_matrix_covers_every_operation() -> None:
    assert set(REFUSED_TO_A_FOREIGN_UNIT) | OPEN_TO_ALL == {o.id for o in CLOSED}


@pytest.mark.parametrize(("name", "status"), sorted(REFUSED_TO_A_FOREIGN_UNIT.items()))
def test_a_foreign_unit_is_refused(name: str, status: int, call: Call, court_things: dict[str, str]) -> None:
    """L-34: a unit writes only its own resources and reads only what it may."""
    operation = next(o for o in OPERATIONS if o.id == name)
    more = asked(operation)
    if more["path"] and "id" in more["path"]:
        more["path"]["id"] = court_things.get(operation.path.split("/")[2], "x1")
    said = call(operation.method, operation.path, as_="bureau", **more)
    assert said.status == status, said.body


def test_a_foreign_unit_finds_nothing_in_lists(call: Call, court_things: dict[str, str]) -> None:
    for path in ("/v1/contracts", "/v1/resources", "/v1/batches", "/v1/grants", "/v1/subscriptions"):
        assert call("GET", path, as_="bureau").body["items"] == [], path


@pytest.mark.parametrize(
    "path", ["/v1/batches", "/v1/grants", "/v1/subscriptions", "/v1/profiles", "/v1/ledger"]
)
def test_a_list_of_another_unit_is_refused(path: str, call: Call) -> None:
    assert call("GET", path, as_="bureau", query={"unit": COURT}).status == 403


def test_an_officer_sees_but_does_not_change_registers(call: Call, court_things: dict[str, str]) -> None:
    assert call("GET", "/v1/contracts/{code}", as_="officer", path={"code": "claims"}).status == 200
    assert call("GET", "/v1/batches", as_="officer").body["items"]
    for path, body in (
        ("/v1/contracts", "ContractBody"),
        ("/v1/units", "UnitBody"),
        ("/v1/credentials", "CredentialBody"),
    ):
        assert call("POST", path, as_="officer", body=BODIES[body]).status == 403


def test_a_disabled_credential_ends_at_once(call: Call, world: World) -> None:
    """S-10 in small: no cache between the register and the answer."""
    assert call("GET", "/v1/me", as_="court").status == 200
    id = next(c.id for c in world.credentials.list(COURT))
    assert call("DELETE", "/v1/credentials/{id}", as_="admin", path={"id": id}).body["disabled"] is True
    assert call("GET", "/v1/me", as_="court").status == 401


def test_an_administrator_acting_for_a_unit_is_told_so(call: Call) -> None:
    said = call("GET", "/v1/me", as_="admin", unit=BUREAU)
    assert said.body["acting_unit"] == BUREAU
    assert said.body["roles"] == ["admin"]
