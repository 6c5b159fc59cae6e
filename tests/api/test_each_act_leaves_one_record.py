"""Each act once, and exactly one record for each (S-12); pure reads of metadata leave none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.api_world import BANK, COURT, Call, World
from tests.support.grounds import DUTY

from huitong.audit.chain import SHARDS, partition
from huitong.batches.model import Batch
from huitong.errors import Unavailable
from huitong.local.register import MemoryRegister
from huitong.web.operations import OPERATIONS
from huitong.web.operations.core import CORE
from huitong.web.operations.evidence import EVIDENCE

#: They tell of things and rules, not of persons, and change nothing.
READS = {o.id for o in (*CORE, *EVIDENCE) if o.method == "GET"} - {
    "get_changes", "get_snapshot", "get_findings", "search_evidence", "export_evidence",
}  # fmt: skip
#: Recorded when what they announce arrives: a delivery is one "collect" of its batch (L-34), in
#: tests/unit/batches and tests/flow; a further page belongs to the query that was recorded.
ELSEWHERE = {"open_upload", "put_records", "export_query", "trace_marks", "replay_subscription"}

PROFILE = {"profile": "p"}
Act = Callable[[Call, World, dict[str, str]], Any]


def _post(path: str, who: str, body: Any = None, **more: Any) -> Act:
    return lambda call, world, ids: call(
        "POST", path, as_=who, body=body, path={k: v.format(**ids) for k, v in more.items()} or None
    )


def _delete(path: str, who: str, **more: Any) -> Act:
    return lambda call, world, ids: call(
        "DELETE", path, as_=who, path={k: v.format(**ids) for k, v in more.items()}
    )


def _put(path: str, who: str, body: Any, **more: str) -> Act:
    return lambda call, world, ids: call("PUT", path, as_=who, body=body, path=more)


def _get(path: str, who: str, duty: str = "", query: Any = None, **more: str) -> Act:
    return lambda call, world, ids: call(
        "GET",
        path,
        as_=who,
        duty=duty,
        query=query,
        path={k: v.format(**ids) for k, v in more.items()} or None,
    )


SUB = "/v1/subscriptions/{id}"
UNIT = {"code": BANK, "name": "另一名称"}
ACTS: dict[str, tuple[str, Act]] = {
    "put_contract": ("configure", lambda call, world, ids: call("POST", "/v1/contracts", as_="admin", body={"document": ids["contract"], "provider": COURT})),
    "put_profile": ("configure", _put("/v1/profiles/{unit}/{code}/{name}", "court", {"format": "csv"}, unit=COURT, code="claims", name="p")),
    "put_unit": ("configure", _post("/v1/units", "admin", UNIT)),
    "issue_credential": ("rights", _post("/v1/credentials", "admin", {"name": "n", "unit": BANK, "roles": ["consumer"]})),
    "disable_credential": ("rights", _delete("/v1/credentials/{id}", "admin", id="{credential}")),
    "put_grant": ("rights", _put("/v1/grants/{unit}/{code}", "admin", {"basis": "文1", "duty": DUTY}, unit=BANK, code="claims")),
    "revoke_grant": ("rights", _delete("/v1/grants/{unit}/{code}", "admin", unit=BANK, code="claims")),
    "pause_subscription": ("configure", _post(f"{SUB}/pause", "bank", id="{subscriptions}")),
    "cancel_subscription": ("configure", _delete(SUB, "bank", id="{subscriptions}")),
    "release_batch": ("procedure", _post("/v1/batches/{id}/release", "officer", id="{held}")),
    "reject_batch": ("procedure", _post("/v1/batches/{id}/reject", "officer", {"reason": "r"}, id="{held}")),
    "replay_batch": ("procedure", _post("/v1/batches/{id}/replay", "officer", id="{failed}")),
    "run_query": ("query", _post("/v1/queries", "court", {"sql": "SELECT claim_no FROM claims"})),
    "get_changes": ("share", _get("/v1/resources/{code}/changes", "court", code="claims")),
    "get_snapshot": ("download", _get("/v1/resources/{code}/snapshot", "court", code="claims")),
    "get_findings": ("access", _get("/v1/batches/{id}/findings", "court", id="{bad}")),
    "search_evidence": ("access", _get("/v1/evidence", "auditor")),
    "export_evidence": ("access", _get("/v1/evidence/entries", "auditor")),
    "find_recipients": ("access", _post("/v1/evidence/recipients", "auditor", {"id_no": "11010519491231002X"})),
    "suspend_use": ("rights", _post("/v1/suspensions", "admin", {"principal": "c9", "reason": "r"})),
    "lift_suspension": ("rights", _post("/v1/suspensions/{id}/lift", "admin", {"reason": "r"}, id="{suspended}")),
}  # fmt: skip
#: Proven by the tests of their own areas, and by second asking here.
MORE = {"subscribe", "resume_subscription", "second_grant"}


def records(world: World) -> list[dict[str, Any]]:
    return [i.body["record"] for s in range(SHARDS) for i in world.register.query(partition(s))]


@pytest.fixture
def published(platform: Any, tmp_path: Path) -> str:
    """A batch with one good row and a faulty one."""
    file = tmp_path / "first.csv"
    file.write_text("claim_no,debtor_id,amount\n001,440300199001011234,10.50\n002,x,no number\n")
    return str(platform.deliver(file, "claims", COURT).id)


@pytest.fixture
def ids(published: str, world: World, court_things: dict[str, str]) -> dict[str, str]:
    """Things to act on."""
    from tests.support.api_world import CONTRACT

    world.suspensions.suspend("c8", "r", by="security")
    made = {
        "contract": CONTRACT.replace("1.0.0", "1.1.0").replace("amount", "sum"),
        "bad": published,
        "suspended": "c8",
    }
    for status in ("held", "failed"):
        steps = ("ingested", "validated", "held") if status == "held" else ("failed",)
        moment = "2026-01-06T08:00:00.000Z"
        batch = Batch(
            f"b-{status}",
            "claims",
            BANK,
            "full",
            "received",
            landing_key="k",
            received_at=moment,
            order=f"{moment}#{status}",
        )
        stored = world.batches.create(batch, by="t")
        for step in steps:
            stored = world.batches.move(stored, step, by="t")  # type: ignore[arg-type]
        made[status] = batch.id
    credential, _ = world.credentials.issue("gone", BANK, ["consumer"], by="test")
    return {**court_things, **made, "credential": credential.id}


def test_every_operation_of_core_and_evidence_is_an_act_or_a_read() -> None:
    """S-12: a new operation has to be put into this table."""
    known = {o.id for o in (*CORE, *EVIDENCE)}
    assert known == READS | ELSEWHERE | MORE | set(ACTS)
    assert not READS & set(ACTS)
    assert known <= {o.id for o in OPERATIONS}


@pytest.mark.parametrize("id", ACTS)
def test_an_act_leaves_exactly_one_record(id: str, ids: dict[str, str], call: Call, world: World) -> None:
    """S-12, Q-04, L-34."""
    act, make = ACTS[id]
    before = records(world)
    said = make(call, world, ids)
    assert said.status < 300, said.body
    left = [r for r in records(world) if r not in before]
    assert [(r["act"], bool(r["actor"])) for r in left] == [(act, True)]


@pytest.mark.parametrize("id", sorted(READS - {"get_health", "get_openapi"}))
def test_a_read_of_metadata_leaves_none(id: str, ids: dict[str, str], call: Call, world: World) -> None:
    operation = next(o for o in OPERATIONS if o.id == id)
    before = len(records(world))
    path = {
        "code": "claims",
        "unit": COURT,
        "name": "p",
        "version": "1",
        "id": ids[
            "uploads"
            if "upload" in id
            else "subscriptions"
            if "subscr" in id or "deliver" in id
            else "batches"
        ],
    }
    said = call("GET", operation.path, as_="auditor", path={k: v for k, v in path.items() if f"{{{k}}}" in operation.path} or None,
                query={"resource": "claims"} if id in ("list_traces",) else None)  # fmt: skip
    assert said.status in (200, 400, 404), said.body
    assert len(records(world)) == before


def test_a_refused_act_leaves_one_record_that_says_so(ids: dict[str, str], call: Call, world: World) -> None:
    """S-12: who was refused what, from where."""
    before = records(world)
    assert call("POST", "/v1/suspensions", as_="bank", body={"principal": "c9", "reason": "r"}).status == 403
    (left,) = [r for r in records(world) if r not in before]
    assert (left["act"], left["result"], left["source"]) == ("refuse", "not-permitted", "10.0.0.9")


class Full(Exception):
    """Marks that the evidence was asked for."""


@pytest.mark.parametrize("id", ["run_query", "get_changes", "get_snapshot", "get_findings"])
def test_data_is_not_served_when_its_use_cannot_be_recorded(
    id: str, ids: dict[str, str], call: Call, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-15: refused with 503, nothing of a row in the answer, and an alert."""
    write = MemoryRegister.write

    def failing(self: MemoryRegister, creates: Any = (), replaces: Any = (), deletes: Any = ()) -> None:
        if any(i.pk.startswith("CHAIN#") for i in creates):
            raise Unavailable("留痕库不可写", "The evidence cannot be written")
        write(self, creates, replaces, deletes)

    monkeypatch.setattr(MemoryRegister, "write", failing)
    said = ACTS[id][1](call, world, ids)
    assert said.status == 503
    assert "10.50" not in str(said.body)
    assert "440300199001011234" not in str(said.body)
    assert "EvidenceFailing" in {kind for kind, _ in world.alerts.published}


def test_no_personal_value_stands_anywhere_in_the_evidence(
    ids: dict[str, str], call: Call, world: World
) -> None:
    """S-16."""
    for id in ("run_query", "get_changes", "get_snapshot", "get_findings"):
        assert ACTS[id][1](call, world, ids).status == 200
    world.archive.run()
    kept = str(records(world)).encode()
    for file in world.evidence_store.list(""):
        kept += world.evidence_store.read(file.key)
    assert b"440300199001011234" not in kept
    subject = world.disclosures.record(world.contracts.get("claims"), {"claim_no": "001"})
    assert subject.encode() in kept
