"""Results taken away as files, and the way back from a file (C-19 to C-22, L-38, S-30, S-33)."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bridge import Gateway, serving
from openpyxl import load_workbook
from tests.support.api_world import BANK, COURT, Call, Said, World
from tests.support.grounds import DUTY
from tests.support.terminal import Result, invoke

from huitong.local.platform import Platform
from huitong.sharing.access import Use
from huitong.sharing.decide import access_for
from huitong.sharing.grants import Grant
from huitong.sharing.marks import COLUMN

ROWS = 300
TEXT = "claim_no,debtor_id,amount\n" + "".join(f"{n:04},=d{n},{n}.50\n" for n in range(ROWS))
METHODS = ("sql", "export", "pull")


@pytest.fixture(autouse=True)
def published(platform: Platform, tmp_path: Path) -> None:
    file = tmp_path / "claims.csv"
    file.write_text(TEXT)
    assert platform.deliver(file, "claims", COURT).counts.accepted == ROWS


def _give(world: World, **more: Any) -> None:
    given = {"duty": DUTY, "methods": METHODS, "volume": 5_000, "id": "g-1", "purpose": "核对债权", **more}
    world.grants.put(Grant(BANK, "claims", **given), world.contracts.get("claims"), by="t")


def _query(call: Call, sql: str, as_: str = "bank") -> Said:
    return call("POST", "/v1/queries", as_=as_, body={"sql": sql, "duty": DUTY, "limit": 1})


def _export(call: Call, query: Said, form: str, **more: Any) -> Said:
    body = {"format": form, **more}
    path = {"id": query.body["query_id"]}
    return call("POST", "/v1/queries/{id}/export", as_="bank", path=path, body=body)


def _file(world: World, said: Said) -> bytes:
    assert said.status == 201, said.body
    (found,) = [i.key for i in world.staging.list("queries/") if said.body["filename"] in i.key]
    return world.staging.read(found)


@pytest.fixture
def table(world: World) -> str:
    return world.contracts.get("claims").table


def test_each_format_carries_the_mark_in_the_open_and_in_its_metadata(
    call: Call, world: World, table: str, tmp_path: Path
) -> None:
    """L-38: unit, user, purpose and time; the file is still one that tools read."""
    _give(world)
    query = _query(call, f"SELECT claim_no, amount FROM {table} ORDER BY claim_no")
    user = world.credentials.authenticate(world.tokens["bank"]).who
    wanted = {BANK, user, "核对债权", "g-1", DUTY, "r-1", "2026-01-05T"}

    said = _export(call, query, "csv")
    lines = list(csv.reader(io.StringIO(_file(world, said).decode("utf-8-sig"))))
    assert all(part in lines[0][-1] for part in wanted), lines[0]
    assert (len(lines), lines[1]) == (ROWS + 1, ["0000", "0.50", said.body["id"]])
    assert said.headers["X-Huitong-Mark"] == said.body["id"]

    said = _export(call, query, "parquet", purpose="另一用途")
    path = tmp_path / "x.parquet"
    path.write_bytes(_file(world, said))
    found = pq.read_table(path)
    mark = json.loads(found.schema.metadata[b"huitong.mark"])
    assert (mark["unit"], mark["user"], mark["purpose"], mark["grants"]) == (BANK, user, "另一用途", ["g-1"])
    assert found.schema.field("amount").type == pa.decimal128(18, 2)
    assert set(found.column(COLUMN).to_pylist()) == {said.body["id"]}

    said = _export(call, query, "xlsx")
    path = tmp_path / "x.xlsx"
    path.write_bytes(_file(world, said))
    book = load_workbook(path)
    words = {row[0].value: row[1].value for row in book["标识 mark"].iter_rows()}
    assert (words["单位 unit"], words["用途 purpose"], words["用户 user"]) == (BANK, "核对债权", user)
    assert said.body["id"] in str(book["数据 data"].oddFooter.center.text)
    assert json.loads(book.custom_doc_props["huitong.mark"].value)["id"] == said.body["id"]


def test_what_a_spreadsheet_takes_for_a_formula_is_harmless(call: Call, world: World, table: str) -> None:
    """S-17."""
    _give(world, unmasked=("debtor_id",), seconded_by="u")
    query = _query(call, f"SELECT debtor_id FROM {table} ORDER BY 1 LIMIT 3")
    text = _file(world, _export(call, query, "csv")).decode("utf-8-sig")
    assert [line.split(",")[0] for line in text.splitlines()[1:]] == ["'=d0", "'=d1", "'=d10"]
    book = load_workbook(io.BytesIO(_file(world, _export(call, query, "xlsx"))))
    cells = [row[0] for row in book["数据 data"].iter_rows(min_row=2)]
    assert [(c.value, c.data_type) for c in cells] == [("=d0", "s"), ("=d1", "s"), ("=d10", "s")]


def test_only_a_grant_that_names_exports_gives_a_file(call: Call, world: World, table: str) -> None:
    """C-21; and masked stays masked in files (S-30)."""
    sql = f"SELECT claim_no, debtor_id FROM {table} ORDER BY 1 LIMIT 2"
    for methods in ((), ("sql",)):
        _give(world, methods=methods)
        assert _export(call, _query(call, sql), "csv").status == 403
    _give(world)
    query = _query(call, sql)
    text = _file(world, _export(call, query, "csv")).decode("utf-8-sig")
    assert [row[1] for row in csv.reader(io.StringIO(text))][1:] == ["***", "***"]
    world.grants.revoke(BANK, "claims", "g-1")
    assert _export(call, query, "csv").status == 403, "the result is an hour old; the grant is none"
    path = {"id": query.body["query_id"]}
    others = call("POST", "/v1/queries/{id}/export", as_="court", path=path, body={"format": "csv"})
    assert others.status == 404


def test_an_export_is_on_record_before_its_address_is_told(call: Call, world: World, table: str) -> None:
    """Q-04, S-15: with the persons and records that the query disclosed; no record, no file."""
    _give(world)
    query = _query(call, f"SELECT claim_no FROM {table} WHERE amount < 3 ORDER BY 1")
    said = _export(call, query, "csv")
    (told,) = [t for t in world.traces.list(resource="claims", limit=50) if t.path == "export"]
    assert (told.act, told.detail, told.count, told.grant) == ("download", said.body["id"], 3, "g-1")
    assert (told.purpose, told.duty, told.subject_count) == ("核对债权", DUTY, 3)
    write = world.traces.commit

    def broken(*_: Any, **__: Any) -> None:
        from huitong.errors import Unavailable

        raise Unavailable("x", "x")

    world.traces.commit = broken  # type: ignore[method-assign]
    try:
        refused = _export(call, query, "csv")
    finally:
        world.traces.commit = write  # type: ignore[method-assign]
    assert refused.status == 503
    assert "url" not in refused.body


def test_a_batch_needs_a_licence_and_stays_within_its_volume(call: Call, world: World, table: str) -> None:
    """C-18, C-19, C-22: answered when legal, ended when not, on record either way."""
    few, many = f"SELECT * FROM {table} LIMIT 100", f"SELECT * FROM {table}"
    _give(world, volume=0)
    assert _query(call, few).status == 200
    refused = _query(call, many)
    assert (refused.status, refused.body["where"]["why"]) == (403, "licence")
    _give(world, volume=450)
    assert _query(call, many).status == 200
    over = _query(call, many)
    assert (over.status, over.body["where"]["why"], over.body["where"]["left"]) == (403, "volume", 150)
    assert _query(call, few).status == 200
    said = call(
        "GET", "/v1/resources/{code}/changes", as_="bank", duty=DUTY, path={"code": "claims"},
        query={"limit": "100"},
    )  # fmt: skip
    assert said.status == 403, "what is pulled counts, too"
    world.clock.advance(hours=24)
    assert _query(call, many).status == 200, "a new day"
    acts = [t.act for t in world.traces.list(resource="claims", unit=BANK, limit=100)]
    assert (acts.count("query"), acts.count("refuse")) == (4, 3)
    assert _query(call, many, as_="court").status == 200, "its owner is not counted"


def test_two_at_once_do_not_pass_the_volume_together(world: World) -> None:
    """The counter moves only from the state that was read."""
    from threading import Thread

    from huitong.errors import NotPermitted

    _give(world, volume=100)
    contract = world.contracts.get("claims")
    who = world.credentials.authenticate(world.tokens["bank"])
    access = access_for(who, contract, world.grants, use=Use("sql", duty=DUTY))
    assert access is not None
    volumes, taken = world.services["volumes"], []

    def take() -> None:
        for _ in range(10):
            try:
                volumes.take(BANK, access, 7)
                taken.append(7)
            except NotPermitted:
                return

    threads = [Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(taken) == volumes.used(BANK, access) == 98


class TestCommandLine:
    @pytest.fixture
    def gateway(
        self, world: World, apps: dict[str, Any], monkeypatch: pytest.MonkeyPatch
    ) -> Iterator[Gateway]:
        with serving(Gateway(apps, lambda *_: None)) as made:
            monkeypatch.delenv("HUITONG_PROFILE", raising=False)
            monkeypatch.setenv("HUITONG_API_URL", made.url)

            def fetched(_client: Any, url: str, target: Path, *, sha256: str) -> None:
                del sha256
                target.write_bytes(world.staging.read(world.staging.key_of(url.partition("?")[0])))

            monkeypatch.setattr("huitong.cli.client.Client.download", fetched)
            monkeypatch.setattr(type(world.staging), "presign_get", lambda s, key, *, seconds: s.uri(key))
            yield made

    def _run(self, world: World, monkeypatch: pytest.MonkeyPatch, as_: str, *arguments: str) -> Result:
        monkeypatch.setenv("HUITONG_TOKEN", world.tokens[as_])
        return invoke(arguments)

    @pytest.mark.parametrize("form", ["csv", "xlsx", "parquet"])
    def test_a_leaked_file_leads_back_to_its_use_even_with_its_marks_cut_off(
        self, form: str, gateway: Gateway, world: World, table: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:  # fmt: skip
        """S-33: by the open mark, and by the hidden one: the order of rows."""
        _give(world)
        files = []
        for n in range(2):
            target = tmp_path / f"result{n}.{form}"
            done = self._run(
                world, monkeypatch, "bank", "export", f"SELECT claim_no, amount FROM {table}", "-o",
                str(target), "--duty", DUTY, "--json",
            )  # fmt: skip
            assert done.exit_code == 0, done.output
            files.append((json.loads(done.stdout)["id"], target))
        for id, file in files:
            found = self._run(world, monkeypatch, "auditor", "audit", "trace-mark", str(file), "--json")
            assert [m["id"] for m in json.loads(found.stdout)["items"]] == [id], found.output
            cut = tmp_path / f"leaked-{id}.csv"
            _cut(file, form, cut)
            assert id not in cut.read_text()
            found = self._run(world, monkeypatch, "auditor", "audit", "trace-mark", str(cut), "--json")
            (mark,) = json.loads(found.stdout)["items"]
            assert (mark["id"], mark["unit"], mark["duty"]) == (id, BANK, DUTY)
        denied = self._run(world, monkeypatch, "bank", "audit", "trace-mark", str(files[0][1]), "--json")
        assert denied.exit_code == 1
        nothing = tmp_path / "other.csv"
        nothing.write_text("a,b\n" + "".join(f"{n},{n * 7 % 13}\n" for n in range(300)))
        assert self._run(world, monkeypatch, "auditor", "audit", "trace-mark", str(nothing)).exit_code == 1


def _cut(file: Path, form: str, target: Path) -> None:
    """What somebody does who wants to hide where a file is from: the data alone, as a new CSV."""
    if form == "parquet":
        table = pq.read_table(file).drop_columns([COLUMN])
        rows = [[str(c) for c in row.values()] for row in table.to_pylist()]
    elif form == "xlsx":
        rows = [[str(c) for c in row[:-1]] for row in load_workbook(file).worksheets[0].iter_rows(
            min_row=2, values_only=True)]  # fmt: skip
    else:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            rows = [row[:-1] for row in list(csv.reader(stream))[1:]]
    with target.open("w", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["x", "y"])
        writer.writerows(rows)


def test_a_batch_in_one_row_is_refused_and_counted_as_the_batch_that_it_is(
    call: Call, world: World, table: str
) -> None:
    """C-19, C-22: without a licence not at all, with one by its records; S-33: alerts count them, too."""
    sql = f"SELECT array_agg(claim_no) AS x FROM {table}"
    _give(world, volume=0)
    assert (_query(call, sql).status, _query(call, sql).body["where"]["why"]) == (403, "licence")
    _give(world, volume=ROWS + 10)
    query = _query(call, sql)
    assert (query.status, query.body["total_rows"]) == (200, 1)
    told = next(t for t in world.traces.list(resource="claims", limit=50) if t.act == "query")
    assert told.count == ROWS
    assert _export(call, query, "csv").status == 403, "the day's volume is used up"
