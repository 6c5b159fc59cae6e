"""The evidence through the API: search, recipients, verification, suspensions."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.api_world import BANK, BUREAU, COURT, Call, World

from huitong.audit.chain import SHARDS, partition
from huitong.audit.checking import check_export
from huitong.audit.signatures import fits
from huitong.audit.trace import Trace

NUMBER = "11010519491231002X"


@pytest.fixture
def used(world: World) -> World:
    """The bank was pushed, and asked for, what the court provides; the bureau used something else."""
    person = [
        (
            world.disclosures.subject(NUMBER),
            world.disclosures.record(world.contracts.get("claims"), {"claim_no": "K1"}),
        )
    ]
    for trace in (
        Trace(
            "share", "push", BANK, resource="claims", fields=("claim_no", "amount"), path="push", grant="g1"
        ),
        Trace(
            "query",
            "c-bank",
            BANK,
            resource="claims",
            fields=("amount",),
            path="sql",
            case_no="(2026)粤03破1号",
        ),
    ):
        world.clock.advance(minutes=1)
        world.traces.write(trace, world.disclosures.of_pairs(person))
    world.traces.write(Trace("query", "c-bureau", BUREAU, resource="other"))
    return world


def everything(call: Call, **query: str) -> list[dict[str, Any]]:
    said = call("GET", "/v1/evidence", as_="auditor", query=query)
    assert said.status == 200, said.body
    return list(said.body["items"])


def verified(call: Call) -> list[dict[str, Any]]:
    findings = []
    for shard in range(SHARDS):
        after: str | None = "0"
        while after is not None:
            query = {"shard": f"{shard}", "after": after, "limit": "3"}
            said = call("GET", "/v1/evidence/verification", as_="auditor", query=query)
            assert said.status == 200, said.body
            findings += [said.body["finding"]] if said.body["finding"] else []
            after = said.body["next"]
    return findings


def test_an_auditor_finds_uses_and_reading_the_evidence_is_on_record_too(used: World, call: Call) -> None:
    """Q-04."""
    found = everything(call, resource="claims", unit=BANK)
    assert [(u["act"], u["path"], u["grant"]) for u in found] == [
        ("query", "sql", ""),
        ("share", "push", "g1"),
    ]
    assert everything(call, case_no="(2026)粤03破1号")[0]["fields"] == ["amount"]
    assert "evidence:search" in {u["detail"] for u in everything(call, act="access")}


def test_a_provider_sees_uses_of_its_resource_and_a_unit_its_own(used: World, call: Call) -> None:
    """L-35."""

    def seen(who: str) -> set[tuple[str, str]]:
        said = call("GET", "/v1/evidence", as_=who, query={"act": "query"})
        assert said.status == 200, said.body
        return {(u["unit"], u["resource"]) for u in said.body["items"]}

    assert seen("court") == {(BANK, "claims")}
    assert seen("bank") == {(BANK, "claims")}
    assert seen("bureau") == {(BUREAU, "other")}


def test_who_received_a_persons_record_is_told_and_the_number_stays_nowhere(
    used: World, call: Call, capfd: Any
) -> None:
    """L-44, S-16."""
    said = call("POST", "/v1/evidence/recipients", as_="auditor", body={"id_no": NUMBER.lower()})
    assert [(r["unit"], r["path"], r["grant"]) for r in said.body["items"]] == [
        (BANK, "sql", ""),
        (BANK, "push", "g1"),
    ]
    by_key = {"resource": "claims", "key": {"claim_no": "K1"}, "fields": ["claim_no"]}
    assert [
        r["path"] for r in call("POST", "/v1/evidence/recipients", as_="court", body=by_key).body["items"]
    ] == ["push"]
    assert call("POST", "/v1/evidence/recipients", as_="bank", body=by_key).status == 404, (
        "as if it were not there"
    )
    assert call("POST", "/v1/evidence/recipients", as_="court", body={"id_no": NUMBER}).status == 403
    assert call("POST", "/v1/evidence/recipients", as_="auditor", body={}).status == 400
    assert (
        call("POST", "/v1/evidence/recipients", as_="auditor", body={**by_key, "key": {"x": 1}}).status == 400
    )
    kept = (
        json.dumps([i.body for i in used.register._items.values()], ensure_ascii=False)
        + capfd.readouterr().err
    )
    assert NUMBER not in kept.upper()


def test_verification_names_the_record_that_was_changed_or_cut_off(used: World, call: Call) -> None:
    """S-13."""
    used.evidence_heads.run()
    assert verified(call) == []
    shard, item = next((s, i) for s in range(SHARDS) for i in used.register.query(partition(s)))
    good = dict(item.body)
    used.register._items[item.pk, item.sk] = item.with_body(record={**good["record"], "unit": "other"})
    (finding,) = verified(call)
    assert (finding["kind"], finding["shard"], finding["n"], finding["id"]) == (
        "changed",
        shard,
        1,
        good["record"]["id"],
    )
    used.register._items[item.pk, item.sk] = item
    for last in used.register.query(partition(shard)):
        del used.register._items[last.pk, last.sk]
    (finding,) = verified(call)
    assert (finding["kind"], finding["shard"], finding["n"]) == ("truncated", shard, 1)


def test_an_export_is_verified_elsewhere_with_nothing_but_the_public_key(used: World, call: Call) -> None:
    """S-13: any change that a signed head covers, and a head that is missing."""
    used.evidence_heads.run()
    used.clock.advance(hours=2)
    used.traces.write(Trace("login", "c1", BANK))
    used.evidence_heads.run()
    entries = [
        e
        for s in range(SHARDS)
        for e in call("GET", "/v1/evidence/entries", as_="auditor", query={"shard": f"{s}"}).body["items"]
    ]
    files = call("GET", "/v1/evidence/heads", as_="auditor").body["items"]
    heads = [(f["key"], f["text"].encode()) for f in files]
    signed = sum(p["n"] for p in json.loads(heads[-1][1])["places"])
    assert len(heads) == 2
    assert len([e for e in entries if e["record"].get("detail", "").startswith("evidence:")]) + signed == len(
        entries
    )

    def findings(es: list[dict[str, Any]], hs: list[tuple[str, bytes]] = heads) -> list[str]:
        return [f["kind"] for f in check_export(es, hs, fits)["findings"]]

    assert findings(entries) == []
    changed = [
        {**e, "record": {**e["record"], "unit": "other"}} if n == 0 else e for n, e in enumerate(entries)
    ]
    assert findings(changed) == ["changed"]
    assert findings(entries, heads[1:]) == ["head"]
    assert (
        findings(entries, [heads[0], (heads[1][0], heads[1][1].replace(b'"shard":3', b'"shard":4'))])[0]
        == "head"
    )
    assert "truncated" in findings([])


def test_only_auditors_verify_and_only_security_suspends(world: World, call: Call) -> None:
    for who in ("court", "bank", "officer"):
        assert call("GET", "/v1/evidence/verification", as_=who).status == 403
        assert call("GET", "/v1/evidence/entries", as_=who).status == 403
    body = {"principal": "c-bank", "reason": "leak"}
    assert call("POST", "/v1/suspensions", as_="auditor", body=body).status == 403


def test_a_suspended_consumer_gets_no_rows_until_security_lifts_it_with_a_reason(
    world: World, call: Call
) -> None:
    """S-33."""
    bank = call("GET", "/v1/me", as_="bank").body["id"]
    assert (
        call("POST", "/v1/suspensions", as_="admin", body={"principal": bank, "reason": "volume"}).status
        == 201
    )
    said = call("GET", "/v1/resources/{code}/changes", as_="bank", path={"code": "claims"})
    assert said.status == 403
    assert "暂停" in said.body["detail"]
    lift = ("POST", "/v1/suspensions/{id}/lift")
    assert call(*lift, as_="admin", path={"id": bank}, body={"reason": " "}).status == 400
    assert call(*lift, as_="bank", path={"id": bank}, body={"reason": "me"}).status == 403
    assert call(*lift, as_="admin", path={"id": bank}, body={"reason": "explained"}).body["lifted"] is True
    assert call(*lift, as_="admin", path={"id": bank}, body={"reason": "again"}).status == 409
    (one,) = call("GET", "/v1/suspensions", as_="auditor").body["items"]
    assert (one["reason"], one["lifted_reason"]) == ("volume", "explained")
    rights = [t.detail for t in world.traces.list(unit="") if t.act == "rights"]
    assert {f"suspend:{bank}", f"lift:{bank}"} <= set(rights)
    assert COURT
