"""Standing and supervision over HTTP and from the command line (Q-02, Q-40, Q-48 to Q-51, L-36, L-39 to L-48)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import BANK, BUREAU, CONTRACT, COURT, Call, World
from tests.support.grounds import DUTY
from tests.support.standing import SIGNED
from tests.support.standing_http import complete_over_http
from tests.support.terminal import Result, invoke

from huitong.errors import NotPermitted
from huitong.identity.model import OPERATOR
from huitong.sharing.grants import Grant
from huitong.web.checking import check
from huitong.web.schemas import SCHEMAS

#: A resource whose standing nobody has prepared.
OTHER = CONTRACT.replace("id: claims", "id: debts").replace("claims", "debts_of").replace("债权申报", "债务")


@pytest.fixture
def fresh(world: World) -> World:
    world.clock.moment = datetime.now(UTC)
    for name, (unit, roles) in {
        "court-officer": (COURT, ["approver"]),
        "bank-officer": (BANK, ["resource_admin"]),
        "desk": (OPERATOR, ["officer"]),
        "second": (OPERATOR, ["officer"]),
    }.items():
        world.tokens[name] = world.credentials.issue(name, unit, roles, by="test")[1]
    for name in ("admin", "bank", "bureau", "court", "auditor"):  # the clock has moved on
        old = next(c for c in world.credentials.list() if c.name == name)
        world.tokens[name] = world.credentials.issue(
            name, old.unit, old.roles, acts_for=old.acts_for, by="test"
        )[1]
    world.contracts.put(OTHER, by="test", provider=BUREAU)
    return world


def later(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def over(call: Call) -> Callable[..., Any]:
    """As the first administrator, for a unit."""

    def made(method: str, path: str, body: Any, unit: str) -> Any:
        parts = path.strip("/").split("/")
        names = {"units": "unit"}
        template, given = path, {}
        if len(parts) > 2:
            name = names.get(parts[1], "id")
            template = "/".join(["", parts[0], parts[1], f"{{{name}}}", *parts[3:]])
            given = {name: parts[2]}
        said = call(method, template, as_="admin", unit=unit, body=body, path=given or None)
        assert said.status < 300, said.body
        return said.body

    return made


def test_nothing_is_enabled_before_every_step_was_taken_and_all_is_after(call: Call, fresh: World) -> None:
    grant = {"path": {"unit": BANK, "code": "debts"}, "body": {"basis": "文号", "duty": DUTY}}
    refused = call("PUT", "/v1/grants/{unit}/{code}", as_="admin", **grant)
    assert (refused.status, refused.code) == (403, "not-permitted")
    assert {p["rule"] for p in refused.body["problems"]} == {
        "gate.sharing-agreement",
        "gate.security-agreement",
    }
    subscription = {"resource": "debts", "endpoint": "https://receiver.example/in", "duty": DUTY}
    fresh.grants.put(Grant(BANK, "debts", duty=DUTY), fresh.contracts.get("debts"), by="test")
    refused = call("POST", "/v1/subscriptions", as_="bank", body=subscription)
    assert {p["rule"] for p in refused.body["problems"]} >= {"gate.joint-test", "gate.docking-record"}
    complete_over_http(over(call), BANK, BUREAU, "debts")
    gate = call("GET", "/v1/gates", as_="bank", query={"resource": "debts", "interface": "push"})
    assert (gate.body["open"], gate.body["problems"]) == (True, [])
    assert call("PUT", "/v1/grants/{unit}/{code}", as_="admin", **grant).status == 200
    assert call("POST", "/v1/subscriptions", as_="bank", body=subscription).status == 201


def test_answers_have_the_form_that_is_published(call: Call, fresh: World) -> None:
    complete_over_http(over(call), BANK, BUREAU, "debts")
    for path, answer in (
        ("/v1/agreements", "Matters"),
        ("/v1/share-lists", "Matters"),
        ("/v1/dockings", "Matters"),
        ("/v1/joint-tests", "Matters"),
        ("/v1/interfaces", "Interfaces"),
        ("/v1/restrictions", "Restrictions"),
        ("/v1/restriction-policy", "RestrictionPolicy"),
    ):
        said = call("GET", path, as_="admin")
        assert (said.status, check(said.body, SCHEMAS[answer])) == (200, []), path
        assert said.body.get("items", True) or "restrict" in path or "interf" in path


def test_a_party_sees_its_agreements_and_a_stranger_none(call: Call, fresh: World) -> None:
    complete_over_http(over(call), BANK, BUREAU, "debts")
    of_bank = call("GET", "/v1/agreements", as_="bank").body["items"]
    mine = [a for a in of_bank if a["parties"]["first"] == BUREAU]
    assert [a["content"]["kind"] for a in mine] == ["security"]
    one = {"id": mine[0]["id"]}
    assert call("GET", "/v1/agreements/{id}", as_="bank-officer", path=one).status == 200
    assert call("GET", "/v1/agreements/{id}", as_="court", path=one).status == 404
    step = {"step": "end_second", "given": {"reason": "x"}}
    assert call("POST", "/v1/agreements/{id}/steps", as_="bank", path=one, body=step).status == 403
    assert call("POST", "/v1/agreements/{id}/steps", as_="court-officer", path=one, body=step).status == 404
    stale = {**step, "seen": 1}
    said = call("POST", "/v1/agreements/{id}/steps", as_="bank-officer", path=one, body=stale)
    assert (said.status, said.code) == (409, "conflict")
    said = call("POST", "/v1/agreements/{id}/steps", as_="bank-officer", path=one, body=step)
    assert said.body["state"] == "ended"


def test_one_sharing_shows_its_controls_before_during_and_after(call: Call, fresh: World) -> None:
    """L-44."""
    path = {"unit": BANK, "code": "claims"}
    fresh.grants.put(Grant(BANK, "claims", volume=500), fresh.contracts.get("claims"), by="test")
    said = call("GET", "/v1/sharings/{unit}/{code}/controls", as_="bank", path=path)
    assert said.status == 200, said.body
    assert said.body["before"]["gates"]["push"] == {"open": True, "lacks": []}
    assert [g["in_force"] for g in said.body["before"]["grants"]] == [True]
    assert said.body["during"]["rows_a_day"] == [500]
    assert {i["interface"]: bool(i["joint_test"]) for i in said.body["during"]["interfaces"]} == {
        "push": True,
        "pull": True,
        "read": True,
        "comparison": True,
        "sql": False,  # on the platform itself: nothing to test, but a switch of its own
        "request": False,
    }
    assert set(said.body["after"]) >= {"acts", "rows", "complete", "last"}


def test_restrictions_are_shown_to_their_unit_with_the_reason(call: Call, fresh: World) -> None:
    """L-36."""
    body = {"unit": BANK, "reason": "违规使用", "effects": ["grants"]}
    assert call("POST", "/v1/restrictions", as_="bank-officer", body=body).status == 403
    made = call("POST", "/v1/restrictions", as_="desk", body=body)
    assert made.status == 201, made.body
    (shown,) = call("GET", "/v1/restrictions", as_="bank").body["items"]
    assert shown["reason_zh"] == "违规使用"
    assert call("GET", "/v1/restrictions", as_="court").body["items"] == []
    said = call(
        "PUT",
        "/v1/grants/{unit}/{code}",
        as_="admin",
        path={"unit": BANK, "code": "claims"},
        body={"basis": "文号"},
    )
    assert [p["rule"] for p in said.body["problems"]] == ["gate.restricted"]
    lift = {"id": made.body["id"], "step": "lift", "reason": "已改正"}
    path = {"unit": BANK}
    assert call("POST", "/v1/restrictions/{unit}/steps", as_="desk", path=path, body=lift).status == 200
    (shown,) = call("GET", "/v1/restrictions", as_="bank").body["items"]
    assert (shown["state"], shown["end_reason"]) == ("ended", "已改正")


def test_comparing_many_persons_at_once_needs_a_licence_with_room(
    fresh: World,
) -> None:
    """C-19, by the rule that the route asks: one person needs none, the owner needs none, many need it."""
    take = fresh.licences.take_batch
    take(BANK, "debts", BUREAU, 1)
    take(BUREAU, "debts", BUREAU, 50)
    with pytest.raises(NotPermitted):
        take(BANK, "debts", BUREAU, 2)
    take(BANK, "claims", COURT, 2)


def test_numbers_with_a_point_in_a_steps_content_are_kept_as_text(call: Call, fresh: World) -> None:
    body = {"unit": COURT, "grounds": "x", "limit": later(30)}
    made = call("POST", "/v1/rectifications", as_="desk", body=body)
    assert made.status == 201, made.body
    step = {"step": "answer", "given": {"text": [1.5]}}
    path = {"id": made.body["id"]}
    said = call("POST", "/v1/rectifications/{id}/steps", as_="court-officer", path=path, body=step)
    assert said.status == 200, said.body
    assert said.body["history"][-1]["given"] == {"text": ["1.5"]}


# --- the command line -------------------------------------------------------

Run = Callable[..., Result]


@pytest.fixture
def run(fresh: World, apps: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    gateway = Gateway(apps, lambda key, body: fresh.staging.put(key, body))
    with serving(gateway):
        fresh.staging.presign_put = gateway.presigned  # type: ignore[method-assign]
        monkeypatch.delenv("HUITONG_PROFILE", raising=False)
        monkeypatch.setenv("HUITONG_API_URL", gateway.url)

        def made(*arguments: str, as_: str = "admin") -> Result:
            monkeypatch.setenv("HUITONG_TOKEN", fresh.tokens[as_])
            return invoke(arguments)

        yield made


def done(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_unit_is_registered_and_an_agreement_signed_from_the_command_line(run: Run, tmp_path: Path) -> None:
    """L-40, L-39: a file is uploaded, digested by the platform, and signed by its digest."""
    made = done(run("unit", "register", BUREAU, "--officer", "leader=赵六/副局长", "--json"))
    assert (made["officers"]["leader"]["name"], "leader" in made["unnamed"]) == ("赵六", False)
    assert done(run("unit", "register", BUREAU, "--address", "深圳", "--json"))["officers"]["leader"]
    assert done(run("unit", "changes", BUREAU, "--json"))["items"]
    text = tmp_path / "协议.pdf"
    text.write_bytes(b"agreement")
    settings = {
        "kind": "security",
        "first": COURT,
        "second": BANK,
        "starts": "2026-01-01",
        "ends": "2099-01-01",
    }
    arguments = [part for k, v in settings.items() for part in ("--set", f"{k}={v}")]
    draft = done(
        run("agreement", "draft", *arguments, "--document", str(text), "--json", as_="court-officer")
    )
    assert draft["content"]["document"].startswith("documents/")
    digest = draft["content"]["digest"]
    signature = ["--signatory", "张三", "--post", "局长", "--digest", digest, "--json"]
    assert (
        done(run("agreement", "sign", draft["id"], *signature, as_="court-officer"))["state"]
        == "first_signed"
    )
    again = run("agreement", "sign", draft["id"], *signature, as_="court-officer")
    assert again.exit_code == 1
    assert done(run("agreement", "sign", draft["id"], *signature, as_="bank-officer"))["state"] == "signed"
    shown = run("agreement", "show", draft["id"], as_="bank-officer")
    assert "双方已签" in shown.stdout
    assert "双方已签" in run("agreement", "list", as_="bank-officer").stdout


def test_gates_tell_what_lacks_and_end_with_one(run: Run) -> None:
    closed = run("gate", "check", "debts", "--unit", BANK, "--interface", "push")
    assert closed.exit_code == 1
    assert "协商一致" in closed.stdout
    assert run("gate", "check", "claims", "--unit", BANK, "--interface", "push").exit_code == 0
    assert done(run("sharing", "controls", BANK, "claims"))["resource"] == "claims"
    assert run("interface", "list").exit_code == 0


def test_docking_and_joint_test_from_the_command_line(run: Run) -> None:
    """Q-48 to Q-51."""
    both = ["--set", f"counterpart={OPERATOR}", "--set", "resources=debts", "--json"]
    listed = done(run("share-list", "propose", *both, as_="bank-officer"))
    assert (
        done(run("share-list", "step", listed["id"], "confirm", "--json", as_="desk"))["state"] == "confirmed"
    )
    more = ["--set", "method=API", "--set", "security_terms=SM4", "--set", "contacts=甲,乙"]
    docking = done(run("docking", "propose", *both, *more, as_="bank-officer"))
    assert docking["content"]["contacts"] == ["甲", "乙"]
    work = ["docking", "work", docking["id"], "--json"]
    done(run(*work, "--add", "开通网络", "--owner", BANK, as_="bank-officer"))
    items = done(run(*work, "--number", "1", "--state", "done", as_="desk"))["items"]
    assert [i["state"] for i in items] == ["done"]
    said = done(
        run("docking", "log", docking["id"], "--people", "甲", "--text", "约定", "--json", as_="desk")
    )
    assert [e["text"] for e in said["items"]] == ["约定"]
    content = {
        "counterpart": OPERATOR, "resource": "debts", "interface": "push", "interface_version": "1",
        "result": "passed", "tested_on": "2026-01-01", "our_testers": "甲", "their_testers": "乙",
        "document": "T-1", "digest": SIGNED["digest"],
    }  # fmt: skip
    settings = [part for k, v in content.items() for part in ("--set", f"{k}={v}")]
    tested = done(run("joint-test", "record", *settings, "--json", as_="bank-officer"))
    assert (
        done(run("joint-test", "step", tested["id"], "confirm", "--json", as_="desk"))["state"] == "confirmed"
    )


def test_supervision_from_the_command_line(run: Run) -> None:
    """L-36, L-46, L-47, L-48."""
    issue = ["--set", f"unit={COURT}", "--set", "grounds=质量", "--set", f"limit={later(30)}", "--json"]
    made = done(run("rectification", "issue", *issue, as_="desk"))
    step = ["rectification", "step", made["id"], "answer", "--set", "text=已改", "--json"]
    assert done(run(*step, as_="court-officer"))["state"] == "answered"
    assert done(run("rectification", "overdue", "--json", as_="desk")) == {"items": []}
    filed = ["--set", f"respondent={COURT}", "--set", "matter=接口不可用", "--json"]
    assert done(run("complaint", "file", *filed, as_="bank-officer"))["state"] == "filed"
    change = {
        "kind": "upgrade",
        "resources": "claims",
        "starts": later(20),
        "ends": later(21),
        "impact": "x",
    }
    settings = [part for k, v in change.items() for part in ("--set", f"{k}={v}")]
    assert done(run("change-notice", "file", *settings, "--json", as_="court-officer"))["state"] == "filed"
    project = {"project": "新系统", "prepared_on": "2026-01-01", "document": "d", "digest": SIGNED["digest"]}
    settings = [part for k, v in project.items() for part in ("--set", f"{k}={v}")]
    assert done(run("compliance", "prepare", *settings, "--json", as_="court-officer"))["state"] == "prepared"
    imposed = done(run("restriction", "impose", BANK, "--reason", "x", "--json", as_="desk"))
    assert "x" in run("restriction", "list", as_="desk").stdout
    lifted = run("restriction", "lift", BANK, imposed["id"], "--reason", "y", "--json", as_="desk")
    assert done(lifted)["state"] == "ended"
    policy = done(run("restriction", "policy", "--by-decision", "--grace-days", "3", "--json", as_="desk"))
    assert (policy["automatic"], policy["grace_days"]) == (False, 3)
    assert run("restriction", "policy", "--automatic", as_="bank-officer").exit_code == 1


def test_the_annual_report_from_the_command_line(run: Run, fresh: World) -> None:
    """L-45: figures, a workbook, a page; announced, drafted, reviewed by another person, submitted."""
    year = str(fresh.clock.now().year - 1)
    fresh.staging.presign_get = lambda key, *, seconds: f"https://s3.example/{key}"  # type: ignore[method-assign]
    assert len(done(run("report", "annual", year, "--no-count", "--json", as_="desk"))["missing"]) == 12
    made = done(run("report", "annual", year, "--as", "workbook", "--json", as_="desk"))
    assert made["missing"] == []
    assert fresh.staging.read(made["file"]["document"]).startswith(b"PK")
    printed = done(run("report", "annual", year, "--as", "page", "--json", as_="auditor"))
    assert "年度公共数据共享报告" in fresh.staging.read(printed["file"]["document"]).decode()
    assert "登记单位" in run("report", "annual", year, as_="desk").stdout
    done(run("annual-report", "announce", "--set", f"year={year}", "--json", as_="desk"))
    draft = ["annual-report", "step", year, "draft", "--set", "assessment=良好", "--json"]
    assert done(run(*draft, as_="desk"))["state"] == "drafted"
    assert run("annual-report", "step", year, "review", as_="desk").exit_code == 1
    assert done(run("annual-report", "step", year, "review", "--json", as_="second"))["state"] == "reviewed"
    assert run("report", "annual", year, as_="bank").exit_code == 1
