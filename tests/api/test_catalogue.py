"""The catalogue through the API and the command line."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import BANK, BUREAU, COURT, Call, World
from tests.support.catalog_world import REVIEWED, ROOT, seed
from tests.support.terminal import Result, invoke

from huitong.identity.model import DATA_DEPARTMENT, OPERATOR

CONTENT = {
    **seed()["entries"]["IN-01"],
    "code": "34440301/00001",
    "title": "债权申报信息",
    "share_type": "2",
    "share_condition": "一案一申请",
    "methods": ["query", "interface"],
    "service": {"url": "/v1/resources/claims", "type": "REST"},
    "frequency": "daily",
    "exceptions": {"L-51": "债权人以申报编号识别"},
}
Run = Callable[..., Result]


@pytest.fixture
def desk(world: World) -> World:
    """The court's contract with titles, and people for every step."""
    people: dict[str, tuple[str, list[Any]]] = {
        "editor": (OPERATOR, ["editor"]),
        "reviewer": (OPERATOR, ["reviewer"]),
        "court-approver": (COURT, ["approver"]),
        "department": (DATA_DEPARTMENT, ["approver"]),
        "bureau-editor": (BUREAU, ["editor"]),
        "bank-analyst": (BANK, ["analyst"]),
    }
    for code, name in (
        (OPERATOR, "深圳市破产事务管理署"),
        (DATA_DEPARTMENT, "市数据局"),
        (COURT, "市中级人民法院"),
    ):
        world.units.put(code, name, "0755-1")
    for name, (unit, roles) in people.items():
        world.tokens[name] = world.credentials.issue(name, unit, roles, by="test")[1]
    document = world.contracts.document(world.contracts.get("claims"))
    for field, title in (("claim_no", "债权编号"), ("debtor_id", "债务人证件"), ("amount", "申报金额")):
        document = document.replace(f"- name: {field}\n", f"- name: {field}\n        businessName: {title}\n")
    world.contracts.put(document, by="test", provider=COURT)
    return world


Step = Callable[..., Any]


@pytest.fixture
def step(call: Call) -> Step:
    def taken(name: str, as_: str, given: dict[str, Any] | None = None, **more: Any) -> Any:
        body = {"step": name, "given": given or {}, **more}
        return call("POST", "/v1/catalog/entries/{code}/steps", as_=as_, path={"code": "claims"}, body=body)

    return taken


@pytest.fixture
def published(desk: World, call: Call, step: Step) -> World:
    assert call("POST", "/v1/catalog/elements/seed", as_="editor").status == 200
    body = {"resource": "claims", "content": CONTENT}
    made = call("POST", "/v1/catalog/entries", as_="editor", body=body)
    assert made.status == 201, made.body
    for name, who, given in (
        ("submit", "editor", {}),
        ("review", "reviewer", REVIEWED),
        ("agree", "court-approver", {}),
        ("consent", "department", {}),
        ("publish", "reviewer", {}),
    ):
        said = step(name, who, given)
        assert said.status == 200, said.body
    return desk


def test_an_entry_goes_from_draft_to_an_edition_by_http(published: World, call: Call, step: Step) -> None:
    """C-01, X-16, X-17, Q-43, Q-44, L-10, L-14."""
    hits = call("GET", "/v1/catalog/search", as_="bank-analyst", query={"q": "债权编号"}).body
    assert [(h["resource"], h["provider_name"], h["frequency_zh"]) for h in hits["items"]] == [
        ("claims", "市中级人民法院", "每日")
    ]
    assert "申请" in hits["items"][0]["how_zh"]
    described = call(
        "GET", "/v1/catalog/entries/{code}/interface", as_="bank-analyst", path={"code": "claims"}
    ).body
    assert [f["name"] for f in described["table_schema"]["fields"]] == ["claim_no", "debtor_id", "amount"]
    assert described["table_schema"]["primaryKey"] == ["claim_no"]
    assert "run_query" in [o["operation"] for o in described["operations"]]

    assert call("POST", "/v1/catalog/editions", as_="editor", body={}).status == 403
    first = call("POST", "/v1/catalog/editions", as_="reviewer", body={"note": "首版"})
    assert (first.status, first.body["id"]) == (201, "2026.1")
    assert step("revise", "editor", {"reason": "改名"}).status == 200
    body = {"content": {"title": "债权申报与审查信息", "keywords": None}}
    saved = call("PUT", "/v1/catalog/entries/{code}", as_="editor", path={"code": "claims"}, body=body)
    assert saved.body["content"]["entry"]["title"] == "债权申报与审查信息"
    for name, who, given in (
        ("submit", "editor", {}),
        ("review", "reviewer", REVIEWED),
        ("agree", "court-approver", {}),
        ("consent", "department", {}),
        ("publish", "reviewer", {}),
    ):
        assert step(name, who, given).status == 200
    path = "/v1/catalog/editions/{name}/difference"
    change = call("GET", path, as_="bank-analyst", path={"name": "current"}).body
    assert change["from"] == "2026.1"
    assert {c["path"][0] for c in change["changed"][0]["changes"]} == {"title", "keywords", "edition"}
    old = call("GET", "/v1/catalog/editions/{name}", as_="bank-analyst", path={"name": "2026.1"}).body
    assert [d["title"] for d in old["items"]] == ["债权申报信息"]


def test_a_draft_is_seen_by_its_units_and_the_desk_alone(desk: World, call: Call) -> None:
    """C-31."""
    call("POST", "/v1/catalog/entries", as_="editor", body={"resource": "claims"})
    record = "/v1/catalog/entries/{code}/record"
    for who, status in (
        ("editor", 200),
        ("court-approver", 200),
        ("bureau-editor", 404),
        ("bank-analyst", 404),
    ):
        assert call("GET", record, as_=who, path={"code": "claims"}).status == status, who
    found = {}
    for who in ("editor", "court-approver", "bank-analyst"):
        hits = call("GET", "/v1/catalog/search", as_=who, query={"q": "债权", "drafts": "true"}).body["items"]
        found[who] = [(h["resource"], h["state"]) for h in hits]
    assert found == {
        "editor": [("claims", "draft")],
        "court-approver": [("claims", "draft")],
        "bank-analyst": [],
    }
    body = {"content": {"title": "x"}}
    assert (
        call(
            "PUT", "/v1/catalog/entries/{code}", as_="bureau-editor", path={"code": "claims"}, body=body
        ).status
        == 404
    )
    assert call("POST", "/v1/catalog/entries", as_="bureau-editor", body={"resource": "claims"}).status == 403


def test_a_refused_publication_lists_every_problem(desk: World, call: Call, step: Step) -> None:
    """Q-19."""
    call("POST", "/v1/catalog/entries", as_="editor", body={"resource": "claims"})
    step("submit", "editor")
    step("review", "reviewer", REVIEWED)
    step("agree", "court-approver")
    step("consent", "department")
    refused = step("publish", "reviewer")
    assert (refused.status, refused.code) == (400, "bad-request")
    assert {p["rule"] for p in refused.body["problems"]} >= {"GB3-3", "GB3-6", "GB3-8", "G17-9.1", "L-52"}
    tested = call("GET", "/v1/catalog/conformance", as_="editor", query={"resource": "claims"}).body["items"]
    assert not tested[0]["conforms"]
    assert {f["rule"] for f in tested[0]["findings"]} >= {"GB3-3", "L-52"}


def test_without_sign_in_only_what_is_open_is_shown(published: World, call: Call, step: Step) -> None:
    """L-53."""
    said = call("GET", "/v1/open/catalogue")
    assert (said.status, said.body["items"]) == (200, [])
    step("revise", "editor", {"reason": "开放"})
    body = {"content": {"open": True, "open_condition": "注明来源", "disclosure": "public"}}
    call("PUT", "/v1/catalog/entries/{code}", as_="editor", path={"code": "claims"}, body=body)
    for name, who, given in (
        ("submit", "editor", {}), ("review", "reviewer", REVIEWED), ("agree", "court-approver", {}),
        ("consent", "department", {}), ("publish", "reviewer", {}),
    ):  # fmt: skip
        assert step(name, who, given).status == 200
    said = call("GET", "/v1/open/catalogue")
    assert [d["resource"] for d in said.body["items"]] == ["claims"]
    text = json.dumps(said.body, ensure_ascii=False)
    assert "0755-1" not in text
    assert "一案一申请" not in text


def test_views_are_kept_by_the_desk(published: World, call: Call) -> None:
    """X-18."""
    body = {"zh": "法院", "en": "court", "group_by": "share_type", "filters": {"unit": COURT}}
    path = {"name": "court"}
    assert call("PUT", "/v1/catalog/views/{name}", as_="court-approver", path=path, body=body).status == 403
    assert call("PUT", "/v1/catalog/views/{name}", as_="editor", path=path, body=body).status == 200
    shown = call("GET", "/v1/catalog/views/{name}", as_="bank-analyst", path=path).body
    assert [(g["title"], len(g["entries"])) for g in shown["groups"]] == [("有条件共享", 1)]
    assert call("DELETE", "/v1/catalog/views/{name}", as_="editor", path=path).status == 200
    assert call("GET", "/v1/catalog/views/{name}", as_="editor", path=path).status == 404


def test_a_workbook_that_is_none_is_told_so(desk: World, call: Call) -> None:
    for content in ("***", base64.b64encode(b"no").decode()):
        said = call("POST", "/v1/catalog/import", as_="editor", body={"workbook": content})
        assert said.status in (400, 422)


@pytest.fixture
def run(apps: dict[str, Any], desk: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.delenv("HUITONG_PROFILE", raising=False)
    with serving(Gateway(apps, lambda _key, _body: None)) as gateway:
        monkeypatch.setenv("HUITONG_API_URL", gateway.url)

        def made(*arguments: str, as_: str = "editor") -> Result:
            monkeypatch.setenv("HUITONG_TOKEN", desk.tokens[as_])
            return invoke(["catalog", *arguments])

        yield made


def test_the_command_line_takes_the_seed_to_an_edition_and_a_dcat_file(
    run: Run, desk: World, tmp_path: Path
) -> None:
    """C-01, L-12, L-13: the seed of three resources, by commands alone."""
    for id in ("IN-01", "IN-15"):
        made = desk.contracts.put((ROOT / f"schemas/{id}.yaml").read_text(), by="test")
        desk.units.put(made.provider, made.provider_name, "0755-2")
    desk.tokens["bar"] = desk.credentials.issue(
        "bar", desk.contracts.get("IN-15").provider, ["approver"], by="test"
    )[1]
    seeded = run("seed", str(ROOT / "schemas/catalog/entries.yaml"), "--json")
    assert json.loads(seeded.stdout)["made"] == ["IN-01", "IN-15"], seeded.output
    assert json.loads(run("seed", str(ROOT / "schemas/catalog/entries.yaml"), "--json").stdout)["made"] == []
    assert run("conformance", "--json").exit_code == 0
    reviewed = [f"--given={name}=true" for name in REVIEWED]
    for name, who, given in (
        ("submit", "editor", []), ("review", "reviewer", reviewed), ("agree", "bar", []),
        ("consent", "department", []), ("publish", "reviewer", []),
        ("file", "reviewer", ["--given=platform=省平台", "--given=filing_no=粤1", "--given=filing_date=2026-01-05"]),
    ):  # fmt: skip
        done = run("step", "IN-15", name, *given, as_=who)
        assert done.exit_code == 0, done.output
    assert run("edition", "publish", as_="reviewer").exit_code == 0
    out = tmp_path / "catalogue.jsonld"
    assert run("export", "--format", "dcat", "--edition", "2026.1", "--out", str(out)).exit_code == 0
    kinds = [node["@type"] for node in json.loads(out.read_text())["@graph"]]
    assert kinds.count("dcat:Dataset") == 1
    assert "IN-15" in run("search", "律师", as_="bank-analyst").stdout
    assert "律师" in run("view", "get", "open").stdout
    for arguments in (["edition", "list"], ["edition", "diff", "current"], ["element", "list"], ["list"],
                      ["interface", "IN-15"], ["get", "IN-15"], ["record", "IN-15"], ["duty", "list"]):  # fmt: skip
        done = run(*arguments)
        assert done.exit_code == 0, (arguments, done.output)


def test_a_workbook_goes_out_and_comes_back_by_command(run: Run, tmp_path: Path) -> None:
    """X-17."""
    empty, back = tmp_path / "t.xlsx", tmp_path / "back.xlsx"
    assert run("template", "--out", str(empty)).exit_code == 0
    from openpyxl import load_workbook

    book = load_workbook(empty)
    sheet = book["目录 Catalogue"]
    sheet.append(["claims", "34440301/00001", "债权申报"])
    sheet.append(["nowhere"])
    book.save(empty)
    done = run("import", str(empty), "--out", str(back), "--json")
    assert done.exit_code == 1
    assert {k: v for k, v in json.loads(done.stdout).items() if k in ("created", "refused")} == {
        "created": 1,
        "refused": 1,
    }
    assert "错误 Errors" in [c.value for c in load_workbook(back)["目录 Catalogue"][1]]
    assert run("import", str(empty), "--all").exit_code == 1


def test_a_change_of_law_is_registered_and_completed_by_command(run: Run, desk: World) -> None:
    """L-09."""
    done = run("duty", "register", COURT, "law", "条例修订", "--json")
    assert done.exit_code == 0, done.output
    duty = json.loads(done.stdout)
    assert duty["clocks"]["update"]["due"]
    early = run("duty", "step", duty["id"], "complete", '--given=entries=["claims"]', as_="court-approver")
    assert early.exit_code == 1
    assert "L-09" in early.output or "claims" in early.output
