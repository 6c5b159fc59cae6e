"""Real editions of division codes, delivered one by one: SQL and the ledger tell exactly what the files say."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from huitong.batches.ledger import Ledger
from huitong.batches.model import Batch
from huitong.delivery.accounts import Deliveries
from huitong.identity.model import Principal
from huitong.local.platform import Platform, ports_in
from huitong.query.readable import Resolver
from huitong.query.run import DuckDbEngine, Queries, WarehouseTables
from huitong.sharing.grants import Grants
from huitong.warehouse.lakehouse import Lakehouse

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "../shared/data/divisions"
EDITIONS = ["2016", "2017-10-31", "2018-10-31", "2019-10-31", "2020-06-30"]
#: The table of the data's README: inserted, updated, deleted of each edition against the one before.
CHANGED = [(2856, 0, 0), (183, 0, 30), (42, 2, 47), (21, 3, 30), (18, 2, 19)]
RESOURCE, UNIT = "divisions-areas", "11100000000013338W"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real data of divisions are not beside the project"
)


class Analysis:
    """The platform after all editions, with its queries and its ledger."""

    def __init__(self, root: Path) -> None:
        self.platform = Platform(ports_in(root))
        ports, p = self.platform.ports, self.platform
        document = (ROOT / "schemas" / f"{RESOURCE}.yaml").read_text()
        self.contract = p.contracts.put(document, by="test", provider=UNIT)
        self.batches: list[Batch] = [
            p.deliver(DATA / f"areas-{edition}.csv", RESOURCE, self.contract.provider) for edition in EDITIONS
        ]
        tables = WarehouseTables(ports.warehouse, Lakehouse(ports.catalog, "huitong", ports.warehouse))
        resolver = Resolver(p.contracts, Grants(ports.register, ports.clock), p.publications, p.batches)
        engine = DuckDbEngine(tables, ports.staging)
        self.queries = Queries(ports.register, ports.staging, resolver, engine, ports.clock)
        self.ledger = Ledger(p.batches, Deliveries(ports.register), p.publications, lambda: [RESOURCE])
        self.who = Principal("analyst", self.contract.provider, frozenset({"analyst"}))

    def ask(self, sql: str) -> list[dict[str, Any]]:
        result = self.queries.run(self.who, sql)
        return self.queries.page(result.id, self.who, limit=10_000).rows


@pytest.fixture(scope="module")
def analysis(tmp_path_factory: pytest.TempPathFactory) -> Analysis:
    return Analysis(tmp_path_factory.mktemp("divisions"))


def _file(edition: str) -> list[dict[str, str]]:
    with (DATA / f"areas-{edition}.csv").open(encoding="utf-8", newline="") as stream:
        return sorted(csv.DictReader(stream), key=lambda row: row["code"])


def test_the_table_as_of_each_edition_is_the_file_in_every_cell(analysis: Analysis) -> None:
    """Issue 2, evidence on real data: by publication number, by batch and by moment."""
    names = ", ".join(f'"{name}"' for name in _file(EDITIONS[0])[0])
    for seq, (edition, batch) in enumerate(zip(EDITIONS, analysis.batches, strict=True), start=1):
        published = analysis.platform.publications.at(RESOURCE, seq=seq).published_at
        moment = f"TIMESTAMP AS OF TIMESTAMP '{published.replace('T', ' ').replace('Z', ' UTC')}'"
        for state in (f"VERSION AS OF {seq}", f"VERSION AS OF '{batch.id}'", moment):
            sql = f'SELECT {names} FROM "{RESOURCE}" FOR {state} ORDER BY code'
            assert analysis.ask(sql) == _file(edition), (edition, state)


def test_change_log_and_history_count_what_changed_between_the_files(analysis: Analysis) -> None:
    rows = analysis.ask(
        "SELECT _seq, count_if(_op = 'insert') AS i, count_if(_op = 'update') AS u, count_if(_op = 'delete') AS d"
        f' FROM "{RESOURCE}$changes" GROUP BY _seq ORDER BY _seq'
    )
    assert [(r["i"], r["u"], r["d"]) for r in rows] == CHANGED
    told = analysis.ask(f'SELECT inserted, updated, deleted FROM "{RESOURCE}$history" ORDER BY seq')
    assert [tuple(r.values()) for r in told] == CHANGED


def test_a_row_of_the_change_log_was_the_row_of_the_edition_before(analysis: Analysis) -> None:
    before = {row["code"]: row for row in _file(EDITIONS[3])}
    after = {row["code"]: row for row in _file(EDITIONS[4])}
    rows = analysis.ask(f'SELECT * FROM "{RESOURCE}$changes" WHERE _seq = 5')
    assert len(rows) == 39
    for row in rows:
        assert {k: v for k, v in (row["_before"] or {}).items() if v is not None} == before.get(
            row["code"], {}
        )
        if row["_op"] != "delete":
            assert {name: row[name] for name in after[row["code"]]} == after[row["code"]]


def test_the_ledger_of_the_real_editions_balances(analysis: Analysis) -> None:
    """X-12: the sums of the batches are those of the files."""
    report = analysis.ledger.report(resource=RESOURCE)
    counts = report.counts
    assert report.balanced
    assert counts.received == sum(len(_file(edition)) for edition in EDITIONS)
    assert (counts.inserted, counts.updated, counts.deleted) == tuple(map(sum, zip(*CHANGED, strict=True)))
    assert analysis.ledger.check_all() == []
