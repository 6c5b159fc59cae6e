"""Every way out × every kind of field and row: one grant binds on all of them (S-08, issue 3 item 5).

Each cell of the table holds a text of its own, so what turns up anywhere is
traced to its cell. A new operation over data fails the first test until it
stands in the matrix, or among those that give no row of a shared resource.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, get_args
from zipfile import ZipFile

import pyarrow.parquet
import pytest
from tests.support.api_world import BANK, COURT, SUBJECTS_KEY, Call, Said, World
from tests.support.court import citizen
from tests.support.grounds import DUTY, Bound
from tests.support.standing import settled

from huitong.audit.subjects import blind, subject_text
from huitong.delivery.entitlement import as_granted
from huitong.delivery.push import Push
from huitong.local.messages import MemoryQueue
from huitong.local.platform import Platform
from huitong.ports import HttpAnswer
from huitong.sharing.access import Path_
from huitong.sharing.grants import Grant
from huitong.standing.lacking import SWITCHES, ways_over
from huitong.web.operations import OPERATIONS

RESOURCE, TABLE = "persons", "persons"
CASE: Final = "(2026)粤0391破1号"
#: a: of the case by its number; b: of the case by its person; c: of no case; d: kept out by the row filter
IDS: Final = {"a": citizen(1), "b": citizen(2), "c": citizen(3), "d": citizen(4)}
FIELDS: Final = ("no", "id_no", "person", "income", "area", "remark", "case_no")
EVERY: Final = tuple(get_args(Path_))

DOCUMENT = """
apiVersion: v3.2.0
kind: DataContract
id: persons
version: 1.0.0
status: active
name: 人员
schema:
  - name: persons
    physicalName: persons
    properties:
      - {name: no, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true}
      - name: id_no
        logicalType: string
        logicalTypeOptions: {format: citizen-id}
        classification: L4
        customProperties: [{property: mask, value: id}]
      - name: person
        logicalType: string
        classification: L3
        customProperties: [{property: mask, value: name}]
      - {name: income, logicalType: string, classification: L3}
      - {name: area, logicalType: string, classification: L2}
      - {name: remark, logicalType: string, classification: L2}
      - {name: case_no, logicalType: string, classification: L2}
customProperties:
  - {property: caseField, value: case_no}
"""


def cell(name: str, row: str) -> str:
    """What stands in a cell, as far as it tells whose it is."""
    if name == "id_no":
        return IDS[row]
    if name == "case_no":
        return CASE if row == "a" else f"(2025)粤0391破{ord(row)}号"
    return f"{row}secret-{name}-{row}"


@dataclass(frozen=True)
class Kind:
    """A situation: the grant, who asks and how, and which cells may be seen plain (none = refused)."""

    grant: Mapping[str, Any] = field(default_factory=dict)
    plain: tuple[str, ...] = ()
    rows: str = "abc"
    use: Mapping[str, str] = field(default_factory=lambda: {"duty": DUTY})
    who: str = "bank"
    before: Callable[[World], None] | None = None  # what happens after the grant was given
    ways: tuple[str, ...] | None = None  # on which ways rows come; None = on all


def _ended(world: World) -> None:
    world.grants.revoke(BANK, RESOURCE, by="t", reason="misuse")


def _switched_off(world: World) -> None:
    world.register.write(*world.grants.switched(BANK, RESOURCE, EVERY, shut=True))


def _suspended(world: World) -> None:
    principal = world.credentials.authenticate(world.tokens["bank"])
    world.area("suspensions").suspend(principal.id, "unusual", by="security")


def _case_closed(world: World) -> None:
    world.grounds.cases.clear()


KEPT = ("no", "area", "case_no")
KINDS: Final[Mapping[str, Kind]] = {
    "granted and not granted": Kind({"fields": ("no", "area", "id_no")}, ("no", "area")),
    "masked": Kind({"fields": FIELDS[:-2]}, ("no", "area")),
    "unmasked by two": Kind({"fields": FIELDS, "unmasked": ("id_no", "person", "income")}, FIELDS),
    "unmasked by one": Kind(
        {"fields": FIELDS, "unmasked": ("id_no", "person", "income"), "seconded_by": ""},
        tuple(f for f in FIELDS if f != "id_no"),
    ),
    "above the clearance of the grant": Kind(
        {"fields": FIELDS, "unmasked": ("id_no", "person"), "clearance": "L3"},
        ("no", "person", "area", "remark", "case_no"),
    ),
    "above the clearance of the user": Kind(
        {"fields": FIELDS[:-2], "unmasked": ("id_no", "person")}, ("no", "area"), who="clerk",
        ways=("pull", "sql", "export"),
    ),
    "filtered row": Kind({"fields": KEPT, "row_filter": "\"no\" < 'c'"}, KEPT, "ab"),
    "in the case and outside": Kind(
        {"fields": (*KEPT, "id_no"), "duty": "", "row_filter": ""}, KEPT, "ab", {"case": CASE}
    ),
    "before its first day": Kind({"starts": "2030-01-01"}, rows=""),
    "after its last day": Kind({"ends": "2025-01-01"}, rows=""),
    "after its end": Kind(rows="", before=_ended),
    "switched off": Kind({"fields": KEPT}, rows="", before=_switched_off),
    "after the end of the case": Kind({"duty": ""}, rows="", use={"case": CASE}, before=_case_closed),
    "without a ground": Kind(rows="", use={}),
    "another duty": Kind(rows="", use={"duty": "another"}),
    "another user": Kind({"users": ("somebody",)}, rows="", ways=()),
    "suspended": Kind({"fields": KEPT}, rows="", before=_suspended, ways=()),
    "administrator": Kind({"fields": KEPT}, rows="", who="admin", ways=()),
    "nothing granted": Kind({"unit": COURT}, rows=""),
}  # fmt: skip


class Paths:
    """All ways to rows, each giving (status, text). The grant and the subscription are there before."""

    def __init__(self, call: Call, world: World, kind: Kind, platform: Platform) -> None:
        self.call, self.world, self.kind, self.platform = call, world, kind, platform
        self.push = _Pushed(world, platform)

    def ask(self, method: str, route: str, **more: Any) -> Said:
        from urllib.parse import quote

        headers = {f"Huitong-{k.title()}": quote(v) for k, v in self.kind.use.items()}
        return self.call(method, route, as_=self.kind.who, headers=headers, **more)

    def sql(self, text: str, **more: Any) -> Said:
        return self.ask("POST", "/v1/queries", body={"sql": text.format(t=TABLE), **more})

    def export(self, form: str) -> tuple[int, str]:
        query = self.sql("SELECT * FROM {t}")
        if query.status != 200:
            return query.status, str(query.body)
        said = self.ask(
            "POST", "/v1/queries/{id}/export", path={"id": query.body["query_id"]}, body={"format": form}
        )
        if said.status != 201:
            return said.status, str(said.body)
        (file,) = [i for i in self.world.staging.list("queries/") if said.body["id"] in i.key]
        return 200, told_by(form, self.world.staging.read(file.key))

    def later_page(self) -> tuple[int, str]:
        query = self.sql("SELECT * FROM {t} ORDER BY no", limit=1)
        if query.status != 200:
            return query.status, str(query.body)
        pages = [self.ask("GET", "/v1/queries/{id}", path={"id": query.body["query_id"]})]
        return pages[0].status, json.dumps(pages[0].body, ensure_ascii=False)


def told_by(form: str, data: bytes) -> str:
    if form == "parquet":
        table = pyarrow.parquet.read_table(io.BytesIO(data))
        return f"{table.to_pylist()}{table.schema.metadata}"
    if form == "xlsx":
        with ZipFile(io.BytesIO(data)) as book:
            return "".join(book.read(name).decode() for name in book.namelist())
    return data.decode("utf-8-sig")


class _Pushed:
    """The body of a delivery to the bank, through the real planner and sender."""

    def __init__(self, world: World, platform: Platform) -> None:
        self.bodies: list[str] = []
        self._world = world
        self.subscription = ""
        pull = world.services["pull"]
        self._push = Push(
            register=world.register, subscriptions=world.subscriptions, contracts=world.contracts,
            publications=world.publications, source=lambda: pull._source, exports=world.staging, http=self,
            entitlement=as_granted(world.grants, world.area("gates")), queue=MemoryQueue(), dead_letters=MemoryQueue(),
            events=world.events, clock=world.clock,
        )  # fmt: skip

    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> HttpAnswer:
        del url, headers, seconds
        self.bodies.append(body.decode())
        return HttpAnswer(500, b"")

    def __call__(self) -> tuple[int, str]:
        if not self.subscription:
            return 403, ""
        self._push.plan(RESOURCE)
        self._push.send(self.subscription)
        return 200 if self.bodies else 403, "".join(self.bodies)


def _shown(said: Said) -> tuple[int, str]:
    body = said.body
    return said.status, body.decode() if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False)


#: way → (what it does, the operations that it goes through)
PATHS: Final[Mapping[str, tuple[Callable[[Paths], tuple[int, str]], tuple[str, ...]]]] = {
    "sql": (lambda p: _shown(p.sql("SELECT * FROM {t}")), ("run_query",)),
    "sql: join": (lambda p: _shown(p.sql("SELECT a.*, b.* FROM {t} a CROSS JOIN {t} b")), ("run_query",)),
    "sql: sub-query": (
        lambda p: _shown(p.sql("WITH w AS (SELECT * FROM {t}) SELECT x FROM (SELECT x FROM w AS x)")),
        ("run_query",),
    ),
    "sql: aggregate": (
        lambda p: _shown(p.sql("SELECT array_agg(x) FROM (SELECT x FROM {t} AS x)")),
        ("run_query",),
    ),
    "sql: changes": (lambda p: _shown(p.sql('SELECT * FROM "{t}$changes"')), ("run_query",)),
    "sql: as of": (lambda p: _shown(p.sql("SELECT * FROM {t} FOR VERSION AS OF 1")), ("run_query",)),
    "sql: csv": (lambda p: _shown(p.sql("SELECT * FROM {t}", format="csv")), ("run_query",)),
    "sql: a later page": (Paths.later_page, ("run_query", "get_query")),
    "export: csv": (lambda p: p.export("csv"), ("export_query",)),
    "export: xlsx": (lambda p: p.export("xlsx"), ("export_query",)),
    "export: parquet": (lambda p: p.export("parquet"), ("export_query",)),
    "pull: changes": (
        lambda p: _shown(p.ask("GET", "/v1/resources/{code}/changes", path={"code": RESOURCE})),
        ("get_changes",),
    ),
    "pull: snapshot": (
        lambda p: _shown(p.ask("GET", "/v1/resources/{code}/snapshot", path={"code": RESOURCE})),
        ("get_snapshot",),
    ),
    "push": (lambda p: p.push(), ("push",)),
}

#: Ways that tell of a resource, never a cell of it.
TELLING: Final[Mapping[str, tuple[Callable[[Paths], tuple[int, str]], tuple[str, ...]]]] = {
    "sql: history": (lambda p: _shown(p.sql('SELECT * FROM "{t}$history"')), ("run_query",)),
    "sql: listing": (
        lambda p: _shown(p.sql("SELECT * FROM information_schema.columns")),
        ("run_query",),
    ),
    "sql: quarantine": (lambda p: _shown(p.sql('SELECT * FROM "{t}$quarantine"')), ("run_query",)),
    "sql: findings": (lambda p: _shown(p.sql('SELECT * FROM "{t}$findings"')), ("run_query",)),
    "sql: marks": (lambda p: _shown(p.sql('SELECT * FROM "{t}$marks"')), ("run_query",)),
    "sql: an error in the rows": (
        lambda p: _shown(p.sql("SELECT CAST(area AS bigint), CAST(no AS date) FROM {t}")),
        ("run_query",),
    ),
    "sql: an unknown name": (
        lambda p: _shown(p.sql("SELECT remarks, persona, idno FROM {t}")),
        ("run_query",),
    ),
    "findings": (
        lambda p: _shown(p.ask("GET", "/v1/batches/{id}/findings", path={"id": p.platform_batch})),  # type: ignore[attr-defined]
        ("get_findings",),
    ),
    "resource": (
        lambda p: _shown(p.ask("GET", "/v1/resources/{code}", path={"code": RESOURCE})),
        ("get_resource",),
    ),
    "resources": (lambda p: _shown(p.ask("GET", "/v1/resources")), ("list_resources",)),
    "openapi": (lambda p: _shown(p.call("GET", "/v1/openapi.json")), ("get_openapi",)),
    "comparison": (
        lambda p: _shown(
            p.ask(
                "POST",
                "/v1/resources/{code}/verifications",
                path={"code": RESOURCE},
                body={
                    "items": [
                        {"key": {"no": cell("no", r)}, "claimed": {"area": "x", "person": "y"}}
                        for r in "abcd"
                    ]
                },
            )
        ),
        ("run_verification",),
    ),
}

#: Operations of the function that reads data which give no row of a shared resource, and why.
ELSEWHERE: Final[Mapping[str, str]] = {
    "trace_marks": "entries of exports: who took what, no row",
    "search_evidence": "evidence: ids, field names, counts, blind indexes (tests of evidence)",
    "find_recipients": "evidence: who received, no value (tests of evidence)",
    "verify_evidence": "evidence",
    "export_evidence": "evidence",
    "list_heads": "evidence",
    "try_rule": "numbers of rows; masked values for the owner alone (rule.put), on record",
    "make_returned_file": "a unit's own rejected rows, handed back to it (tests of returned files)",
    "get_returned_file": "likewise",
    "preview_quarantine_replay": "likewise: what its own quarantine would become",
    "get_cleansed": "what cleansing changed in a unit's own delivery, masked (tests of cleansing)",
    "get_batch_profile": "figures of a delivery for its own unit (tests of profiles)",
    "get_resource_profile": "figures of columns as the access shows them (tests of profiles)",
    "get_quality_report": "scores and counts of a unit's month",
    "list_conflict_records": "masked records for who decides on a conflict (quality.read); to be judged there",
    "file_correction": "what the asker itself says of a record (tests of corrections)",
    "file_objection": "likewise",
    "file_review": "likewise",
    "make_annual_workbook": "counts of the year (tests of supervision)",
    "list_open_resources": "what is open to everybody (tests of open access)",
    "check_open_resource": "likewise: whether it may be open",
    "read_open_resource": "what is open to everybody (tests of open access)",
    "read_own_record": "a person's own record (tests of open access)",
    "list_expired_items": "keys of items whose publication ended (tests of open access)",
}


def test_every_operation_over_data_stands_in_the_matrix() -> None:
    """It fails when a way out is added and its cells are not judged."""
    judged = {id for _, ids in (*PATHS.values(), *TELLING.values()) for id in ids}
    data = {o.id for o in OPERATIONS if o.app == "query_data"}
    data |= {o.id for o in OPERATIONS if "/resources" in o.path and o.method == "GET"} | {"push"}
    assert data - judged - set(ELSEWHERE) == set(), "ways out that nobody judges"
    assert not judged & set(ELSEWHERE)
    assert set(ELSEWHERE) <= {o.id for o in OPERATIONS}


@pytest.fixture
def rows(platform: Platform, world: World, tmp_path: Path) -> str:
    """The table, published: and one row in quarantine, whose cells are as secret."""
    world.contracts.put(DOCUMENT, by="test", provider=COURT)
    world.clock.advance(minutes=1)  # the newest list of what is shared counts
    settled(world, (BANK,), RESOURCE, ("push", "pull", "read", "comparison"))
    world.tokens["clerk"] = world.credentials.issue("clerk", BANK, ["engineer"], by="test")[1]
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(FIELDS)
    for row in "abcd":
        writer.writerow([cell(name, row) for name in FIELDS])
    writer.writerow(["", IDS["d"][:-1] + "?", *(cell(name, "d") for name in FIELDS[2:])])
    file = tmp_path / "persons.csv"
    file.write_text(text.getvalue(), encoding="utf-8")
    batch = platform.deliver(file, RESOURCE, COURT)
    assert (batch.status, batch.counts.accepted) == ("published", 4), batch
    subject = blind(SUBJECTS_KEY, "subject", subject_text(IDS["b"]))
    world.grounds.cases[CASE] = Bound(CASE, frozenset({subject}))
    return batch.id


@pytest.mark.parametrize("name", KINDS)
def test_no_way_out_gives_a_cell_that_the_grant_does_not_give(
    name: str, rows: str, call: Call, world: World, platform: Platform
) -> None:
    """L-22, L-23, L-25, S-07 to S-11, S-29, S-30."""
    kind = KINDS[name]
    world.services["pull"]._source._blind_key = "blind"
    paths = Paths(call, world, kind, platform)
    paths.platform_batch = rows  # type: ignore[attr-defined]
    _given(world, kind, paths)
    allowed = {cell(f, r) for f in kind.plain for r in kind.rows}
    hidden = {cell(f, r) for f in FIELDS for r in "abcd"} - allowed
    wanted = {cell("no", r) for r in kind.rows} & allowed
    for way, (go, _) in {**PATHS, **TELLING}.items():
        if way == "push" and kind.ways is not None:
            continue  # what is sent to the unit's system depends on no user
        status, text = go(paths)
        told = {secret for secret in hidden if secret in text}
        if way == "comparison":  # it gives back nothing, not even what was asked
            told |= {secret for secret in allowed if secret in text}
        elif kind.use.get("case"):
            told -= {CASE}
        assert not told, (way, status, text[:2_000])
        assert status < 500, (way, text)
        comes = kind.ways is None or way.partition(":")[0] in kind.ways
        if way in PATHS and kind.rows and comes:
            assert status == 200, (way, text)
            assert all(secret in text for secret in wanted), (way, text[:2_000])
        elif way in PATHS and not kind.rows:
            assert status in (403, 404), (way, text)


def _given(world: World, kind: Kind, paths: Paths) -> None:
    """The grant, a subscription under it while it is good, then what happens to it."""
    given = {
        "unit": BANK, "duty": DUTY, "methods": EVERY, "seconded_by": "second", "row_filter": "\"no\" < 'd'",
        **kind.grant,
    }  # fmt: skip
    contract = world.contracts.get(RESOURCE)
    now = {**given, "starts": "", "ends": "", "users": ()}
    grant = world.grants.put(Grant(resource=RESOURCE, **now), contract, by="first")
    if grant.unit == BANK and kind.use:
        use = {"case_no": kind.use.get("case", ""), "duty": kind.use.get("duty", "")}
        if use["duty"] in ("", DUTY):
            from huitong.identity.model import Principal
            from huitong.sharing.access import Use
            from huitong.sharing.decide import access_for

            system = Principal("", BANK, frozenset({"consumer"}))
            access = access_for(system, contract, world.grants, use=Use("push", **use))
            assert access is not None
            made, _ = world.subscriptions.create(
                BANK, access, "https://receiver.example/in", by="bank", start="snapshot"
            )
            paths.push.subscription = made.id
    world.grants.put(Grant(resource=RESOURCE, **given), contract, by="first")
    if kind.before is not None:
        kind.before(world)


def test_a_delivery_planned_under_a_wider_grant_is_not_sent_under_a_narrower_one(
    rows: str, call: Call, world: World, platform: Platform
) -> None:
    """S-10: between planning and sending the grant may lose fields."""
    kind = Kind({"fields": FIELDS, "unmasked": ("id_no", "person", "income")}, FIELDS)
    paths = Paths(call, world, kind, platform)
    _given(world, kind, paths)
    paths.push._push.plan(RESOURCE)
    narrow = Grant(BANK, RESOURCE, fields=("no", "person"), duty=DUTY, methods=EVERY)
    world.grants.put(narrow, world.contracts.get(RESOURCE), by="first")
    for _ in range(3):
        paths.push()
    assert not any(cell(f, r) in body for body in paths.push.bodies for f in FIELDS[1:] for r in "abcd")


#: Switch → the ways to rows that it shuts, by the beginnings of their names; an export is made of a query.
SHUTS: Final[Mapping[str, frozenset[str]]] = {
    "sql": frozenset({"sql", "export"}),
    "export": frozenset({"export"}),
    "pull": frozenset({"pull"}),
    "push": frozenset({"push"}),
    "read": frozenset(),
    "comparison": frozenset(),
    "request": frozenset(),
}


def test_every_way_out_has_a_switch() -> None:
    """S-37: one that is added has one, too, and stands in the table above."""
    assert set(SHUTS) == set(SWITCHES)
    assert sorted(way for switch in SWITCHES for way in ways_over(switch)) == sorted(EVERY)


@pytest.mark.parametrize("switch", SHUTS)
def test_a_switch_shuts_its_ways_and_no_others(
    switch: str, rows: str, call: Call, world: World, platform: Platform
) -> None:
    """S-37: the next request is refused, by whatever grant; the other ways go on."""
    paths = Paths(call, world, Kind({"fields": KEPT}, KEPT), platform)
    _given(world, paths.kind, paths)
    where = {"unit": BANK, "code": RESOURCE, "name": switch}
    body = {"state": "closed", "reason": "疑似泄露"}
    said = call("POST", "/v1/interfaces/{unit}/{code}/{name}", as_="officer", path=where, body=body)
    assert said.status == 200, said.body
    states = {i["interface"]: (i["state"], i["closed_by"]) for i in said.body["items"]}
    assert states.pop(switch) == ("closed", "operator")
    assert set(states.values()) == {("open", None)}
    for way, (go, _) in PATHS.items():
        status, text = go(paths)
        shut = way.partition(":")[0] in SHUTS[switch]
        assert (status == 200) is not shut, (way, status, text[:500])
        assert not shut or not any(cell(f, r) in text for f in FIELDS for r in "abcd"), (way, text[:500])


def test_every_refusal_is_on_record(rows: str, call: Call, world: World, platform: Platform) -> None:
    """S-11: refused and logged, with the resource and who asked."""
    kind = KINDS["without a ground"]
    paths = Paths(call, world, kind, platform)
    _given(world, kind, paths)
    for go, ids in PATHS.values():
        if ids != ("push",):
            go(paths)
    refused = [t for t in world.traces.list(resource=RESOURCE, limit=200) if t.act == "refuse"]
    operations = {re.split("[:]", t.detail)[1] for t in refused}
    assert {"run_query", "get_changes", "get_snapshot"} <= operations
    assert {t.unit for t in refused} == {BANK}
