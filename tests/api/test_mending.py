"""Bad rows come back to their unit, are mended and land, by API and by command line (C-07, C-13, Q-20)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import BUREAU, COURT, Call, World
from tests.support.terminal import Result, invoke

from huitong.batches.model import Batch
from huitong.intake.returned import EN_COLUMN, ROW_COLUMN, ZH_COLUMN
from huitong.local.platform import Platform

TEXT = "claim_no,debtor_id,amount\n001,d1,1.50\n002,d2,zwei\n003,d3,3.50\n004,=d4,drei\n"
RETURNED, ASK = "/v1/batches/{id}/returned", {"as_": "court"}


@pytest.fixture
def first(platform: Platform, tmp_path: Path) -> Batch:
    file = tmp_path / "claims.csv"
    file.write_text(TEXT)
    return platform.deliver(file, "claims", COURT)


def steps(world: World, platform: Platform) -> None:
    """What the functions of the queues would do by now."""
    for message in world.queues["ingest"].drain():
        if "returned" in message:
            batch = world.batches.get(message["returned"]).batch
            world.give_back.make(batch, whole=message["all"])
        else:
            from huitong.intake.receive import Receive

            Receive(
                world.landing, world.staging, world.contracts, world.uploads, world.profiles, world.batches,
                world.queues["validate"], world.events, world.clock,
            ).resume(message["batch_id"])  # fmt: skip
            platform.validate(message["batch_id"])
            platform.compare("claims")


def land(platform: Platform, world: World, upload: str, body: bytes) -> Batch:
    key = world.uploads.get(upload).key
    world.landing.put(key, body)
    batch = platform.ingest(key)
    assert batch is not None
    platform.validate(batch.id)
    platform.compare("claims")
    return world.batches.get(batch.id).batch


def test_the_unit_gets_its_file_mends_it_and_the_ledger_shows_both_deliveries(
    first: Batch, world: World, platform: Platform, call: Call
) -> None:
    """C-13, X-12."""
    path = {"id": first.id}
    assert call("GET", RETURNED, path=path, **ASK).status == 404
    said = call("POST", RETURNED, path=path, body={}, **ASK)
    assert (said.status, said.body["ready"]) == (202, False)
    steps(world, platform)
    assert call("POST", RETURNED, path=path, body={}, **ASK).body["ready"]
    got = call("GET", RETURNED, path=path, **ASK)
    assert (got.status, got.body["rows"], got.body["whole"]) == (200, 2, False)
    body = world.staging.read(world.staging.key_of(got.body["url"].partition("?")[0]))
    lines = list(csv.reader(io.StringIO(body.decode())))
    assert lines[0] == ["claim_no", "debtor_id", "amount", ROW_COLUMN, ZH_COLUMN, EN_COLUMN]
    assert [line[:4] for line in lines[1:]] == [["002", "d2", "zwei", "3"], ["004", "=d4", "drei", "5"]]
    opened = call(
        "POST", "/v1/uploads", body={"resource": "claims", "filename": "b.csv", "mends": first.id}, **ASK
    )
    second = land(platform, world, opened.body["upload_id"], body.replace(b"zwei", b"2.50"))
    assert (second.mends, second.counts.accepted, second.counts.quarantined) == (first.id, 1, 1)
    ledger = call("GET", "/v1/ledger", query={"batch": first.id}, **ASK).body
    assert ledger["balanced"]
    assert ledger["held"] == {"open": 1, "mended": 1, "replayed": 0, "expired": 0, "again": 0}
    assert [(m["batch"], m["kind"], m["taken"]) for m in ledger["family"]] == [(second.id, "mended", 1)]
    shown = call("GET", "/v1/batches/{id}/quarantine", path={"id": second.id}, **ASK).body
    assert (shown["batch"], shown["open"], shown["mended"]) == (first.id, 1, 1)
    traces = [t for t in world.traces.list(resource="claims") if t.detail == "returned"]
    assert [(t.act, t.count, t.unit, t.batch) for t in traces] == [("download", 2, COURT, first.id)]


def test_nobody_but_the_unit_that_delivered_gets_a_file_with_plain_values(
    first: Batch, world: World, platform: Platform, call: Call
) -> None:
    """S-07, S-09: staff and other units are refused, before and after it was made."""
    path = {"id": first.id}
    call("POST", RETURNED, path=path, body={}, **ASK)
    steps(world, platform)
    for who in ("admin", "officer", "auditor", "bureau", "bank"):
        for method in ("POST", "GET"):
            more: dict[str, Any] = {"body": {}} if method == "POST" else {}
            told = 404 if who in ("bureau", "bank") else 403  # units are not told that there is such a batch
            assert call(method, RETURNED, path=path, as_=who, **more).status == told, (who, method)


def test_rows_by_the_api_mend_as_files_do(first: Batch, world: World, platform: Platform, call: Call) -> None:
    """Q-06, C-13: with the number of the row, or by its key."""
    rows = [{"claim_no": "002", "amount": "2.50", "_row": 3}, {"claim_no": "004", "amount": "4.50"}]
    body = {"rows": rows, "mends": first.id}
    said = call("POST", "/v1/resources/{code}/records", path={"code": "claims"}, body=body, **ASK)
    assert said.status == 202, said.body
    key = world.uploads.get(said.body["upload_id"]).key
    batch = platform.ingest(key)
    assert batch is not None
    assert batch.id == said.body["batch_id"]
    platform.validate(batch.id)
    platform.compare("claims")
    holding = world.batches.holdings.find(first)
    assert holding is not None
    assert holding.holding.figures() == {"open": 0, "mended": 2, "replayed": 0, "expired": 0}


def test_what_cannot_be_mended_is_told_before_anything_is_sent(
    first: Batch, world: World, platform: Platform, tmp_path: Path, call: Call
) -> None:
    """Q-20: another's batch is no batch; a mode contradicts; one on its way is a conflict."""

    def asked(**more: Any) -> int:
        body = {"resource": "claims", "filename": "b.csv", **more}
        return call("POST", "/v1/uploads", body=body, **ASK).status

    assert asked(mends="b0") == 404
    assert asked(mends=first.id, mode="full") == 400
    file = tmp_path / "later.csv"
    file.write_text(TEXT.replace("001", "009"))
    key = platform.land(file, "claims", COURT)
    moving = platform.ingest(key)
    assert moving is not None
    assert asked(mends=moving.id) == 409


def test_quarantine_is_listed_by_group_within_what_one_may_see(first: Batch, call: Call) -> None:
    """C-07: counts only, no value of any row."""
    lines = call("GET", "/v1/quarantine", as_="officer", query={"group": "rule"}).body["items"]
    assert [(line["group"], line["rows"], line["open"]) for line in lines] == [("type", 2, 2)]
    (own,) = call("GET", "/v1/quarantine", query={}, **ASK).body["items"]
    assert (own["batch"], own["open"], own["unit"]) == (first.id, 2, COURT)
    assert call("GET", "/v1/quarantine", as_="bureau", unit=BUREAU, query={}).body["items"] == []
    assert call("GET", "/v1/quarantine", as_="bureau", query={"unit": COURT}).status == 403


class TestCommandLine:
    @pytest.fixture
    def gateway(
        self, world: World, platform: Platform, apps: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Gateway]:
        def landed(key: str, body: bytes) -> None:
            land(platform, world, key.split("/")[2], body)

        with serving(Gateway(apps, landed)) as made:
            monkeypatch.delenv("HUITONG_PROFILE", raising=False)
            monkeypatch.setenv("HUITONG_API_URL", made.url)
            world.landing.presign_put = made.presigned  # type: ignore[method-assign]

            def fetched(_client: Any, url: str, target: Path, *, sha256: str) -> None:
                del sha256
                target.write_bytes(world.staging.read(world.staging.key_of(url.partition("?")[0])))

            monkeypatch.setattr("huitong.cli.client.Client.download", fetched)
            monkeypatch.setattr("huitong.cli.mending.time.sleep", lambda _: steps(world, platform))
            yield made

    def _run(
        self, world: World, monkeypatch: pytest.MonkeyPatch, *arguments: str, as_: str = "court"
    ) -> Result:
        monkeypatch.setenv("HUITONG_TOKEN", world.tokens[as_])
        done = invoke(arguments)
        assert done.exit_code == 0, done.output
        return done

    def test_a_clerk_mends_and_an_officer_replays_without_leaving_the_terminal(
        self, gateway: Gateway, first: Batch, world: World, platform: Platform, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """C-07, C-13: returned → upload --mends → quarantine list, preview, replay."""
        target = tmp_path / "back.csv"
        self._run(world, monkeypatch, "returned", first.id, "-o", str(target))
        target.write_text(target.read_text().replace("zwei", "2.50"))
        done = self._run(
            world, monkeypatch, "upload", str(target), "--resource", "claims", "--mends", first.id, "--wait",
            "--json",
        )  # fmt: skip
        assert json.loads(done.stdout)["accepted"] == 1
        listed = json.loads(
            self._run(world, monkeypatch, "quarantine", "list", "--by", "rule", "--json").stdout
        )
        assert listed["items"][0]["open"] == 1
        self._run(world, monkeypatch, "quarantine", "show", first.id)
        monkeypatch.chdir(tmp_path)
        for name in (
            "claims_问题.csv",
            "claims_问题-2.csv",
        ):  # a file that is being mended is not written over
            self._run(world, monkeypatch, "returned", first.id)
            assert (tmp_path / name).read_text().startswith("claim_no"), name
        shown = json.loads(
            self._run(world, monkeypatch, "quarantine", "preview", first.id, "--json", as_="officer").stdout
        )
        assert shown["open"] == 1
        done = self._run(world, monkeypatch, "quarantine", "replay", first.id, "--json", as_="officer")
        made = json.loads(done.stdout)
        assert (made["mends"], made["replay"], made["status"]) == (first.id, True, "received")
        assert gateway.calls[-1] == ("POST", f"/v1/batches/{first.id}/quarantine/replay")
