"""``huitong`` over HTTP against the real apps (issue 2, item 10)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow.ipc
import pytest
from bridge import Gateway, serving
from tests.support.api_world import BANK, CONTRACT, COURT, World
from tests.support.grounds import DUTY
from tests.support.terminal import Result, invoke

from huitong.batches.model import Batch, Counts, Status
from huitong.local.platform import Platform
from huitong.sharing.grants import Grant

Run = Callable[..., Result]
COUNTS = (
    "status",
    "received",
    "accepted",
    "quarantined",
    "duplicate",
    "inserted",
    "updated",
    "deleted",
    "unchanged",
)


@pytest.fixture
def outcome() -> dict[str, Any]:
    """What becomes of an uploaded file."""
    return {"status": "published", "counts": Counts(received=2, accepted=2, inserted=2)}


@pytest.fixture
def gateway(world: World, apps: dict[str, Any], outcome: dict[str, Any]) -> Iterator[Gateway]:
    def landed(key: str, body: bytes) -> None:
        world.landing.put(key, body)
        unit, resource, upload_id, filename = key.split("/")
        status: Status | None = outcome["status"]
        if status is None:
            return
        at = "2026-01-05T08:00:00.000Z"
        batch = Batch(
            id=f"b{upload_id}", resource=resource, unit=unit, mode="full", status=status, landing_key=key,
            filename=filename, received_at=at, order=f"{at}#{key}", counts=outcome["counts"],
            refusal=outcome.get("refusal"),
        )  # fmt: skip
        world.batches.create(batch, by="test")
        world.uploads.became(upload_id, batch.id)

    with serving(Gateway(apps, landed)) as gateway:
        world.landing.presign_put = gateway.presigned  # type: ignore[method-assign]
        yield gateway


@pytest.fixture
def run(gateway: Gateway, world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.delenv("HUITONG_PROFILE", raising=False)
    monkeypatch.setenv("HUITONG_API_URL", gateway.url)

    def made(*arguments: str, as_: str = "admin", stdin: str = "") -> Result:
        monkeypatch.setenv("HUITONG_TOKEN", world.tokens.get(as_, as_))
        return invoke(arguments, stdin=stdin)

    return made


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "申报 1.csv"
    path.write_text("claim_no\n001\n002\n", encoding="utf-8")
    return path


def test_an_upload_that_is_waited_for_ends_with_the_batch_as_one_json_document(
    run: Run, file: Path, world: World
) -> None:
    done = run("upload", str(file), "--resource", "claims", "--wait", "--json")
    assert done.exit_code == 0, done.output
    batch = json.loads(done.stdout)
    assert {name: batch[name] for name in ("status", "received", "inserted")} == {
        "status": "published",
        "received": 2,
        "inserted": 2,
    }
    assert set(COUNTS) <= set(batch)
    assert "published" in done.stderr  # progress is told beside the document
    (landed,) = world.landing.list("")
    assert world.landing.read(landed.key) == file.read_bytes()
    assert landed.key.startswith(f"{COURT}/claims/{batch['upload_id']}/")


@pytest.mark.parametrize(
    ("status", "exit_code"),
    [("published", 0), ("duplicate", 0), ("superseded", 0), ("rejected", 1), ("failed", 1), ("held", 3)],
)
def test_the_exit_status_tells_how_a_delivery_ended(
    status: str, exit_code: int, run: Run, file: Path, outcome: dict[str, Any]
) -> None:
    outcome["status"] = status
    done = run("upload", str(file), "--resource", "claims", "--wait", "--json")
    assert done.exit_code == exit_code
    assert json.loads(done.stdout)["status"] == status


def test_waiting_ends_when_its_time_is_over(run: Run, file: Path, outcome: dict[str, Any]) -> None:
    outcome["status"] = None
    done = run("upload", str(file), "--resource", "claims", "--wait", "--timeout", "0.2", "--json")
    assert done.exit_code == 4
    assert json.loads(done.stdout)["code"] == "unfinished"
    outcome["status"] = "ingested"
    assert run("upload", str(file), "--resource", "claims", "--wait", "--timeout", "0").exit_code == 4


def test_a_reason_is_shown_to_people_in_both_languages(run: Run, file: Path, outcome: dict[str, Any]) -> None:
    outcome |= {"status": "rejected", "refusal": {"zh": "缺少主键列", "en": "the key column is missing"}}
    done = run("upload", str(file), "--resource", "claims", "--wait")
    assert done.exit_code == 1
    assert "缺少主键列 / the key column is missing" in done.stdout


def test_without_waiting_the_upload_is_told(run: Run, file: Path) -> None:
    done = run("upload", str(file), "--resource", "claims", "--mode", "full", "--encoding", "utf-8", "--json")
    assert done.exit_code == 0
    told = json.loads(done.stdout)
    assert (told["status"], told["unit"]) == ("waiting", COURT)


def test_wrong_usage_ends_with_two(run: Run, file: Path) -> None:
    assert run("upload", str(file)).exit_code == 2
    assert run("upload", str(file) + ".no", "--resource", "claims").exit_code == 2
    assert run("nonsense").exit_code == 2
    assert run("sql", "SELECT 1", "--format", "xml").exit_code == 2


@pytest.mark.parametrize("as_json", [True, False])
def test_a_refusal_ends_with_one_and_says_why(as_json: bool, run: Run, file: Path) -> None:
    arguments = ["upload", str(file), "--resource", "nothing", *(["--json"] if as_json else [])]
    done = run(*arguments)
    assert done.exit_code == 1
    if as_json:
        assert json.loads(done.stdout)["code"] == "not-found"
    else:
        assert done.stdout == ""
        assert "没有可用的资源 nothing" in done.stderr


def test_a_wrong_token_is_a_refusal_not_a_crash(run: Run) -> None:
    done = run("whoami", "--json", as_="ht_x_wrong")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["code"] == "not-authenticated"


def test_a_platform_that_is_not_there_is_told(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HUITONG_API_URL", "http://127.0.0.1:9")
    monkeypatch.setattr("huitong.cli.client._RETRIES", False)
    done = invoke(["batch", "replay", "b1", "--json"], env={"HUITONG_TOKEN": "x"})
    assert done.exit_code == 1
    assert json.loads(done.stdout)["code"] == "unreachable"


def test_a_call_that_may_be_repeated_is_tried_again(run: Run, gateway: Gateway) -> None:
    gateway.failing = 2
    assert run("whoami", "--json").exit_code == 0
    assert len(gateway.calls) == 3
    gateway.failing = 1
    assert run("batch", "replay", "b1", "--json").exit_code == 1
    assert len(gateway.calls) == 4


def test_contracts_go_in_and_come_out_as_written(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "claims.yaml"
    path.write_text(CONTRACT + "      - name: note\n        logicalType: string\n", encoding="utf-8")
    put = run("contract", "put", str(path), "--json")
    assert json.loads(put.stdout)["version"] == 2, put.output
    assert run("contract", "get", "claims").stdout.rstrip("\n") == path.read_text(encoding="utf-8").rstrip(
        "\n"
    )
    assert json.loads(run("contract", "get", "claims", "--version", "1", "--json").stdout)["version"] == 1
    assert [c["id"] for c in json.loads(run("contract", "list", "--json").stdout)["items"]] == ["claims"]
    broken = tmp_path / "broken.yaml"
    broken.write_text("kind: nothing", encoding="utf-8")
    refused = run("contract", "put", str(broken))
    assert refused.exit_code == 1
    assert refused.stderr.count("\n  - ") >= 1


def test_tables_align_beside_chinese_text(run: Run) -> None:
    lines = run("unit", "list").stdout.splitlines()
    assert lines[0].startswith("统一社会信用代码 code  名称 name")
    assert any(line.startswith("1144030000AA01019J     市中级人民法院") for line in lines), lines


def test_batches_are_shown_listed_released_rejected_and_replayed(
    run: Run, file: Path, outcome: dict[str, Any], world: World
) -> None:
    outcome["status"] = "held"
    ids = [
        json.loads(run("upload", str(file), "--resource", "claims", "--wait", "--json").stdout)["id"]
        for _ in range(2)
    ]
    listed = json.loads(run("batch", "list", "--status", "held", "--resource", "claims", "--json").stdout)
    assert {b["id"] for b in listed["items"]} == set(ids)
    assert json.loads(run("batch", "show", ids[0], "--json").stdout)["id"] == ids[0]
    done = run("batch", "release", ids[0], "--json")  # whoever delivered does not decide on it
    assert json.loads(done.stdout)["status"] == 403
    done = run("batch", "release", ids[0], "--json", as_="officer")
    assert json.loads(done.stdout)["status"] == "validated"
    rejected = run("batch", "reject", ids[1], "--reason", "错误", "--json", as_="officer")
    assert json.loads(rejected.stdout)["status"] == "rejected"
    assert run("batch", "reject", ids[1], "--json").exit_code == 2
    world.batches.move(world.batches.get(ids[0]), "failed", by="test")
    assert json.loads(run("batch", "replay", ids[0], "--json").stdout)["status"] == "validated"
    human = run("batch", "show", ids[0])
    assert "接收 received" in human.stdout


def test_a_ledger_out_of_balance_ends_with_one(run: Run, file: Path, outcome: dict[str, Any]) -> None:
    assert run("ledger", "--json").exit_code == 0
    outcome["counts"] = Counts(received=9)
    run("upload", str(file), "--resource", "claims", "--wait")
    done = run("ledger", "--resource", "claims", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["balanced"] is False


def test_a_unit_gets_a_grant_and_subscribes_with_its_own_token(run: Run, world: World) -> None:
    granted = run(
        "grant", "put", BANK, "claims", "--fields", "claim_no,amount", "--purpose", "核对", "--json",
        "--basis", "深破管函〔2026〕1号", "--duty", DUTY,
    )  # fmt: skip
    assert json.loads(granted.stdout)["fields"] == ["claim_no", "amount"]
    to = "https://receiver.example/in"
    arguments = ["subscribe", "claims", "--endpoint", to, "--fields", "claim_no", "--duty", DUTY]
    made = json.loads(run(*arguments, "--start", "snapshot", "--json", as_="bank").stdout)
    assert made["secret"].startswith("whsec_")
    path = ["subscription", "deliveries", made["id"], "--json"]
    assert json.loads(run(*path, as_="bank").stdout) == {"items": []}
    for act, status in (("pause", "paused"), ("resume", "active"), ("cancel", "cancelled")):
        done = run("subscription", act, made["id"], "--json", as_="bank")
        assert json.loads(done.stdout)["status"] == status
    assert json.loads(run("grant", "revoke", BANK, "claims", "--json").stdout)["revoked"] is True
    assert run(*arguments, as_="bank").exit_code == 1


def test_credentials_are_issued_used_and_ended(run: Run, world: World) -> None:
    made = json.loads(
        run("credential", "issue", "接口", "--role", "source", "--unit", COURT, "--json").stdout
    )
    me = json.loads(run("whoami", "--json", as_=made["token"]).stdout)
    assert (me["unit"], me["roles"]) == (COURT, ["source"])
    assert run("credential", "disable", made["id"]).exit_code == 0
    assert run("whoami", as_=made["token"]).exit_code == 1


def test_a_profile_is_saved_for_the_provider_and_read_back(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "profile.json"
    path.write_text(json.dumps({"columns": {"编号": "claim_no"}}), encoding="utf-8")
    assert run("profile", "put", str(path), "--resource", "claims").exit_code == 0
    assert json.loads(run("profile", "get", "claims").stdout)["columns"] == {"编号": "claim_no"}
    assert len(json.loads(run("profile", "list", "--resource", "claims", "--json").stdout)["items"]) == 1
    path.write_text("not json", encoding="utf-8")
    assert run("profile", "put", str(path), "--resource", "claims").exit_code == 2
    path.write_text(json.dumps({"columns": {"x": "no_such_field"}}), encoding="utf-8")
    assert run("profile", "put", str(path), "--resource", "claims").exit_code == 1


def test_resources_show_their_columns_and_masks(run: Run) -> None:
    found = json.loads(run("resources", "claims", "--json").stdout)
    assert {c["name"]: c["masked"] for c in found["columns"]} == {
        "claim_no": False,
        "debtor_id": True,
        "amount": False,
    }
    assert "debtor_id" in run("resources", "claims").stdout
    assert json.loads(run("resources", "--json").stdout)["items"][0]["id"] == "claims"


def test_unsafe_characters_of_data_do_not_reach_the_terminal(
    run: Run, file: Path, outcome: dict[str, Any]
) -> None:
    outcome |= {"status": "rejected", "refusal": {"zh": "\x1b[2J坏", "en": "x"}}
    assert "\x1b" not in run("upload", str(file), "--resource", "claims", "--wait").stdout


CSV = "claim_no,debtor_id,amount\n" + "".join(f"{n:03},d{n},{n}.5\n" for n in range(1, 8)) + ",x,1\n"


@pytest.fixture
def published(platform: Platform, tmp_path: Path) -> Batch:
    path = tmp_path / "claims.csv"
    path.write_text(CSV, encoding="utf-8")
    return platform.deliver(path, "claims", COURT)


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huitong.cli.data._PAGE", 3)


@pytest.mark.usefixtures("published", "small_pages")
class TestPublishedData:
    """As a unit with a grant for a duty, which the profile or the environment says once (Q-39)."""

    @pytest.fixture
    def run(self, run: Run, world: World, monkeypatch: pytest.MonkeyPatch) -> Run:
        monkeypatch.setenv("HUITONG_DUTY", DUTY)
        world.grants.put(Grant(BANK, "claims", duty=DUTY), world.contracts.get("claims"), by="test")

        def made(*arguments: str, as_: str = "bank", stdin: str = "") -> Result:
            return run(*arguments, as_=as_, stdin=stdin)

        return made

    def test_each_command_says_for_what_it_reads(
        self, sql: str, run: Run, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """S-11: without a ground nothing; an option goes before the environment."""
        monkeypatch.setenv("HUITONG_DUTY", "no such duty")
        for arguments in (("sql", sql), ("changes", "claims")):
            assert run(*arguments).exit_code == 1
            assert run(*arguments, "--duty", DUTY, "--purpose", "核对").exit_code == 0
            assert run(*arguments, "--case", "(2026)粤03破404号", "--duty", DUTY).exit_code == 1

    SQL = "SELECT claim_no, amount FROM {table} ORDER BY claim_no"

    @pytest.fixture
    def sql(self, world: World) -> str:
        return self.SQL.format(table=world.contracts.get("claims").table)

    def test_a_query_is_one_document_over_all_pages(self, sql: str, run: Run) -> None:
        found = json.loads(run("sql", sql, "--json").stdout)
        assert [row["claim_no"] for row in found["rows"]] == [f"{n:03}" for n in range(1, 8)]
        assert [c["name"] for c in found["columns"]] == ["claim_no", "amount"]
        assert found["total_rows"] == 7
        assert json.loads(run("sql", "-", "--format", "json", stdin=sql).stdout)["rows"] == found["rows"]

    def test_a_limit_ends_the_pages(self, sql: str, run: Run) -> None:
        found = json.loads(run("sql", sql, "--limit", "4", "--json").stdout)
        assert len(found["rows"]) == 4
        assert found["next"]

    def test_csv_and_arrow_come_as_one_file(self, sql: str, run: Run, tmp_path: Path) -> None:
        csv = run("sql", sql, "--format", "csv").stdout_bytes
        assert csv.count(b"\r\n") == 8
        assert csv.startswith(b"claim_no,amount\r\n001,1.50\r\n")
        target = tmp_path / "result.arrow"
        assert run("sql", sql, "--format", "arrow", "--output", str(target)).exit_code == 0
        table = pyarrow.ipc.open_stream(target.read_bytes()).read_all()
        assert table.column("claim_no").to_pylist() == [f"{n:03}" for n in range(1, 8)]

    def test_a_gateway_that_spoils_bytes_is_told(
        self, sql: str, run: Run, gateway: Gateway, tmp_path: Path
    ) -> None:
        gateway.decodes = False
        target = tmp_path / "result.arrow"
        done = run("sql", sql, "--format", "arrow", "--output", str(target))
        assert done.exit_code == 1
        assert "Arrow" in done.stderr
        assert list(tmp_path.glob("result*")) == []

    def test_a_refused_query_leaves_no_file(self, run: Run, tmp_path: Path) -> None:
        target = tmp_path / "result.csv"
        done = run("sql", "DROP TABLE x", "--format", "csv", "--output", str(target))
        assert done.exit_code == 1
        assert list(tmp_path.glob("result*")) == []

    def test_people_get_a_table(self, sql: str, run: Run) -> None:
        done = run("sql", sql)
        assert done.stdout.splitlines()[0].split() == ["claim_no", "amount"]
        assert "7 / 7" in done.stderr

    def test_changes_stop_at_the_limit_and_go_on_from_the_cursor(self, run: Run) -> None:
        first = json.loads(run("changes", "claims", "--limit", "5", "--json").stdout)
        rest = json.loads(run("changes", "claims", "--after", first["next"], "--json").stdout)
        seen = [event["subject"] for event in (*first["items"], *rest["items"])]
        assert seen == [f"{n:03}" for n in range(1, 8)]
        assert json.loads(run("changes", "claims", "--after", rest["next"], "--json").stdout)["items"] == []
        assert "insert" in run("changes", "claims").stdout

    def test_findings_name_the_row(self, published: Batch, run: Run) -> None:
        (finding, *_) = json.loads(run("findings", published.id, "--json", as_="court").stdout)["items"]
        assert (finding["source_row"], finding["column"]) == (9, "claim_no")
        assert "claim_no" in run("findings", published.id, as_="court").stdout
