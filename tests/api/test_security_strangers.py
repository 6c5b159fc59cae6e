"""Units A and B have things of every kind; what a unit C is told of each (L-34, S-08).

Every operation whose path names a thing × every role bound to a unit: refused, told nothing, and of what is
secret by itself not even told that it is there. A new operation takes part by being in the table.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args
from urllib.parse import quote

import pytest
from case_town import ASKED, DEBTOR, FIRM, Publish, case_row, made_town  # noqa: F401 (fixtures)
from test_who_may import BODIES
from tests.support.api_world import BANK, COURT, Call, World
from tests.support.catalog_world import EDITOR
from tests.support.court import CASE_NO
from tests.support.grounds import DUTY
from tests.support.standing import DIGEST, agreed, joint_test, person
from tests.support.tickets import ticket_reading

from huitong.identity.model import OPERATOR, Principal, Role
from huitong.identity.roles import RoleGrant
from huitong.intake.profiles import ImportProfile
from huitong.procedures.deciding import Actor
from huitong.quality.rulebook.book import Change
from huitong.quality.rulebook.model import OfficeRule
from huitong.quality.rulebook.monitor import RuleWarning, _item
from huitong.sharing.applications import Asker
from huitong.sharing.grants import Grant
from huitong.supervision.quality.conflicts import BY_CLOCK
from huitong.web.operations import OPERATIONS, Operation

C = "1144030000AA0106XM"
STAFF = {"admin", "security", "auditor", "officer"}  # duties of the platform, not bound to a unit
ROLES = [role for role in get_args(Role) if role not in STAFF]
NAMED = [o for o in OPERATIONS if "{" in o.path]
MARK, TEXT = (
    "债权标记",
    "claim_no,debtor_id,amount\n001,440300199001011234,10.50\n002,440300199001015678,abc\n",
)
SECRET = re.compile(r"44030019900101|债权标记|张某某|市中级人民法院|某银行")

MORE_BODIES: dict[str, dict[str, Any]] = {
    "ExportBody": {"format": "csv"},
    "ReturnedBody": {},
    "SuspendBody": {"principal": "court", "reason": "x"},
}
#: What everybody signed in may see, or may ask of oneself; by operation, with the reason.
EVERYBODYS = {
    "get_unit": "the list of units is everybody's (L-10)",
    "get_calendar": "working days are everybody's",
    "get_edition": "published", "compare_editions": "published", "get_view": "published",
    "read_open_resource": "public by its release; here none is released",
}  # fmt: skip
#: Kinds of things whose existence is a secret of those they concern: hidden and absent are told alike.
SECRET_KINDS = {
    "cases", "requests", "corrections", "bulk-corrections", "applications", "subject-requests", "statements",
    "agreements", "share-lists", "dockings", "joint-tests", "outside-exchanges", "rectifications", "complaints",
    "change-notices", "compliance-checks", "annual-reports", "stage-corrections", "quality-issues", "conflicts",
    "rules", "queries", "notices", "sessions", "batches", "uploads",
}  # fmt: skip


@pytest.fixture
def things(world: World, platform: Any, town: Publish, call: Call, tmp_path: Path) -> dict[str, str]:
    """A real thing of each kind, by the segment of its path."""
    desk, court, bank = person(OPERATOR, "desk-1"), person(COURT), person(BANK)
    world.units.put(C, "社保")
    town("IN-01", case_row("21"))
    ticket_reading(world, platform.ports)
    made = {"cases": CASE_NO}
    file = tmp_path / "claims.csv"
    file.write_text(TEXT)
    upload, _ = world.uploads.open(COURT, "claims", "claims.csv", by="court")
    world.landing.put(world.uploads.get(upload).key, TEXT.encode())
    batch = platform.ingest(world.uploads.get(upload).key)
    platform.validate(batch.id)
    platform.compare("claims")
    world.give_back.make(world.batches.get(batch.id).batch, whole=False)
    made |= {"uploads": upload, "batches": batch.id}
    made |= _rights(world, call)
    made |= _tickets(world, call, court, bank)
    made |= _standing(world, desk, court, bank)
    made |= _quality(world, batch.id)
    world.catalog.entries.open("claims", {}, EDITOR)
    made["catalog/duties"] = world.catalog.duties.register(COURT, "law", "法规", EDITOR).id
    return made


def _rights(world: World, call: Call) -> dict[str, str]:
    contract = world.contracts.get("claims")
    given = Grant(BANK, "claims", duty=DUTY, basis=MARK, methods=("sql", "push", "export"), volume=100)
    world.grants.put(given, contract, by="test")
    body = {"sql": f"SELECT * FROM {contract.table}"}
    query = call("POST", "/v1/queries", as_="bank", duty=DUTY, body=body)
    assert query.status == 200, query.body
    body = {"resource": "claims", "endpoint": "https://receiver.example/in"}
    route = call("POST", "/v1/subscriptions", as_="bank", duty=DUTY, body=body)
    assert route.status == 201, route.body
    world.profiles.save(ImportProfile.read(COURT, "claims", {"name": "default"}), contract, by="t")
    security = Principal("s", "", frozenset({"security"}))
    account, _ = world.accounts.create("wang.li", MARK, COURT, [RoleGrant("approver")], by=security)
    court = next(c for c in world.credentials.list(COURT) if c.name == "court")
    session, _ = world.sessions.open_system(
        Principal(court.id, COURT, frozenset({"source"})), minutes=15, source="x"
    )
    world.suspensions.suspend("suspended", MARK, by="s")
    return {
        "queries": query.body["query_id"], "subscriptions": route.body["id"], "accounts": account.id,
        "credentials": court.id, "sessions": session.id, "suspensions": "suspended",
    }  # fmt: skip


def _tickets(world: World, call: Call, court: Actor, bank: Actor) -> dict[str, str]:
    asker = Asker(Principal("ann", BANK, frozenset({"applicant"})), BANK)
    application = world.applications.file(asker, {
        "resource": "claims", "fields": ["claim_no"], "purpose": MARK, "matter": MARK, "duty": DUTY,
        "users": ["bank"], "methods": ["pull"], "volume": 10, "frequency": "每日", "ends": "2026-06-30",
        "reason": MARK,
    })  # fmt: skip
    request = call("POST", "/v1/requests", as_="lawyer", body={**ASKED, "purpose": MARK})
    assert request.status == 201, request.body
    body = {"key": {"claim_no": "001"}, "fields": ["amount"], "wrong": MARK, "found_on": "2026-01-05"}
    correction = call(
        "POST", "/v1/resources/{code}/corrections", as_="bank", path={"code": "claims"}, body=body, duty=DUTY
    )
    assert correction.status == 201, correction.body
    asked = {"what": MARK, "reason": MARK}
    bulk = world.bulk_corrections.request(court, "claims", COURT, asked)
    text = {"kind": "complaint", "evidence": "P-1", "truth_declared": True}
    statement = world.statements.declare(bank, MARK, text)
    subject = call("POST", "/v1/subject-requests", as_="officer", body={
        "kind": "deletion", "number": DEBTOR, "identity_proof": "ZJ", "agreement": "SQ"})  # fmt: skip
    assert subject.status == 201, subject.body
    body = {"stage": "30", "reason": MARK}
    stage = call(
        "POST", "/v1/cases/{case_no}/corrections", as_="desk", path={"case_no": quote(CASE_NO)}, body=body
    )
    assert stage.status == 201, stage.body
    notice = next(iter(world.notices.of_unit(COURT)))
    return {
        "applications": application.id, "requests": request.body["id"], "corrections": correction.body["id"],
        "bulk-corrections": bulk.id, "statements": statement.id, "subject-requests": subject.body["id"],
        "stage-corrections": stage.body["id"], "notices": notice.id,
    }  # fmt: skip


def _standing(world: World, desk: Actor, court: Actor, bank: Actor) -> dict[str, str]:
    listed = {"counterpart": COURT, "resources": ["claims"]}
    docking = {**listed, "counterpart": OPERATOR, "method": MARK, "security_terms": "SM4", "contacts": [MARK]}
    file = {"document": "d/1", "digest": DIGEST}
    change = {"kind": "upgrade", "resources": ["claims"], "starts": "2026-02-01", "ends": "2026-02-01",
              "impact": MARK}  # fmt: skip
    opened = {
        "share-lists": world.standing.open("share-lists", bank, listed),
        "dockings": world.standing.open("dockings", bank, docking),
        "joint-tests": world.standing.open(
            "joint-tests", bank, {"counterpart": OPERATOR, **joint_test("claims")}
        ),
        "outside-exchanges": world.standing.open(
            "outside-exchanges", bank, {"source": COURT, "resources": ["claims"], "reason": MARK, **file}
        ),
        "rectifications": world.supervision.open(
            "rectifications", desk, {"unit": COURT, "grounds": MARK, "limit": "2026-02-01"}
        ),
        "complaints": world.supervision.open("complaints", bank, {"respondent": COURT, "matter": MARK}),
        "change-notices": world.supervision.open("change-notices", court, change),
        "compliance-checks": world.supervision.open(
            "compliance-checks", court, {"project": MARK, "prepared_on": "2026-01-01", **file}
        ),
        "annual-reports": world.supervision.open("annual-reports", desk, {"year": 2025}),
        "agreements": agreed(world, COURT, BANK, "security", []),
    }
    world.docking.say(opened["dockings"].id, bank, people=MARK, text=MARK)
    return {kind: record.id for kind, record in opened.items()}


def _quality(world: World, batch: str) -> dict[str, str]:
    world.quality_issues.tick()
    issue = world.quality_issues.list(COURT)[0]
    content = {"rule": "r", "resource": "claims", "other": "IN-04", "field": "amount", "count": 1,
               "responsible": "claims", "decided": "", "records": "conflicts/c1.parquet", "note": MARK}  # fmt: skip
    parties = {"collector": COURT, "other": BANK}
    conflict = world.conflicts.desk.open("c1", BY_CLOCK, parties=parties, content=content, resource="claims")
    rule = OfficeRule("court-rule", "claims", "missing", ("amount",), zh=MARK, en="x")
    world.rulebook.create(rule, Change("t", OPERATOR, MARK))
    warning = RuleWarning(
        f"{batch}-court-rule",
        "court-rule",
        1,
        "claims",
        batch,
        COURT,
        COURT,
        "serious",
        1,
        2,
        MARK,
        "x",
        "2026",
    )
    world.register.create(_item(warning))
    return {
        "quality-issues": issue.id, "conflicts": conflict.id, "rules": "court-rule",
        "rule-warnings": warning.id,
    }  # fmt: skip


def _kind(operation: Operation) -> str:
    parts = operation.path.split("/")[2:]
    return "/".join(parts[:2]) if parts[0] == "catalog" else parts[0]


def _asked(operation: Operation, things: dict[str, str]) -> dict[str, Any]:
    path = {
        "code": "claims", "unit": COURT, "name": "default", "version": "1", "year": "2026", "month": "2026-01",
        "member": "lawyer", "case_no": quote(CASE_NO), "id": things.get(_kind(operation), ""),
    }  # fmt: skip
    names = re.findall(r"{(\w+)}", operation.path)
    body = {**BODIES, **MORE_BODIES}[operation.body] if operation.body else None
    return {"path": {name: path[name] for name in names}, "body": body}


def _absent(path: dict[str, str]) -> dict[str, str]:
    """The same shape, of a thing that is not there."""
    other = dict(path)
    if "id" in other:
        other["id"] = re.sub(r"[0-9a-z](?=[^0-9a-zA-Z]*$)", lambda m: "7" if m[0] != "7" else "3", path["id"])
        assert other["id"] != path["id"]
    if "case_no" in other:
        other["case_no"] = quote(CASE_NO.replace("230", "231"))
    return other


def _told(body: Any, path: dict[str, str]) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False)
    for value in path.values():
        text = text.replace(value, "…")
    return text


def test_every_named_thing_has_one_of_its_kind_here(things: dict[str, str]) -> None:
    """A new kind of thing fails here until units A and B have one of it."""
    kinds = {_kind(o) for o in NAMED if "{id}" in o.path} - {"documents"}
    assert kinds <= set(things), kinds - set(things)
    assert set(things) >= SECRET_KINDS


def test_a_stranger_is_refused_whatever_it_names_and_learns_nothing(
    things: dict[str, str], call: Call, world: World
) -> None:
    """L-34, S-07, S-08: 403 or 404, with nothing of the thing; hidden and absent alike where that is secret."""
    wrong: list[Any] = []
    for role in ROLES:
        world.tokens["who"] = world.credentials.issue(f"who-{role}", C, [role], by="test")[1]
        for operation in NAMED:
            if operation.id in EVERYBODYS:
                continue
            more = _asked(operation, things)
            said = call(operation.method, operation.path, as_="who", **more)
            told = _told(said.body, more["path"])
            if said.status not in (403, 404):
                wrong.append((role, operation.id, said.status, told[:160]))
            elif SECRET.search(told) or BANK in told or FIRM in told or COURT in told:
                wrong.append((role, operation.id, "tells", told))
            elif _kind(operation) in SECRET_KINDS:
                absent = _absent(more["path"])
                other = call(operation.method, operation.path, as_="who", path=absent, body=more["body"])
                if (other.status, _told(other.body, absent)) != (said.status, told):
                    wrong.append((role, operation.id, "differs", told, _told(other.body, absent)))
        world.clock.advance(minutes=1)
    assert not wrong, (len(wrong), wrong[:40])


def test_those_whose_things_they_are_do_see_them(things: dict[str, str], call: Call) -> None:
    """Or the test above would prove nothing."""
    seen = {
        "court": ["corrections", "agreements", "rectifications", "quality-issues", "conflicts",
                  "rules", "batches", "uploads", "bulk-corrections", "complaints", "change-notices"],
        "bank": ["applications", "statements", "queries", "subscriptions", "share-lists", "joint-tests", "dockings"],
        "lawyer": ["requests"],
    }  # fmt: skip
    for who, kinds in seen.items():
        for kind in kinds:
            said = call("GET", f"/v1/{kind}/{{id}}", as_=who, path={"id": things[kind]})
            assert said.status == 200, (who, kind, said.body)
    assert call("GET", "/v1/cases/{case_no}", as_="lawyer", path={"case_no": quote(CASE_NO)}).status == 200
