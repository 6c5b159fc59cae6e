"""Real editions of division codes, from file to receiver: pushed and pulled changes are those of the files."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from tests.support.push_world import SECRET, World

from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.pull import Pull
from huitong.delivery.push import Push
from huitong.delivery.source import WarehouseChanges
from huitong.delivery.subscriptions import Subscriptions
from huitong.local.messages import PlainSecrets
from huitong.local.platform import Platform, ports_in
from huitong.sharing.access import Access
from huitong.warehouse.lakehouse import Lakehouse

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "../shared/data/divisions"
EDITIONS = ["2016", "2017-10-31", "2018-10-31", "2019-10-31", "2020-06-30"]
#: The table of the data's README: inserted, updated, deleted of each edition against the one before.
AREAS = [(2856, 0, 0), (183, 0, 30), (42, 2, 47), (21, 3, 30), (18, 2, 19)]
RESOURCE = "divisions-areas"
UNIT = "11100000000013338W"

pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="the real data of divisions are not beside the project"
)


class Delivering(World):
    """Delivery over a platform whose publications come from the real steps."""

    def __init__(self, folder: Path, platform: Platform) -> None:
        super().__init__(folder, limits=DeliveryLimits(jitter=0.0))
        self.platform = platform
        self.register = platform.ports.register
        self.source = WarehouseChanges(
            Lakehouse(platform.ports.catalog, "huitong", platform.ports.warehouse), platform.publications
        )

    @property
    def subscriptions(self) -> Subscriptions:
        return Subscriptions(
            self.register,
            self.platform.publications,
            PlainSecrets(),
            self.queue,
            self.clock,
            limits=self.limits,
        )

    @property
    def push(self) -> Push:
        return Push(
            self.register,
            self.subscriptions,
            self.platform.contracts,
            self.platform.publications,
            lambda: self.source,
            self.exports,
            self.wire,
            self.entitlement,
            self.queue,
            self.dead_letters,
            self.events,
            self.clock,
            self.limits,
        )

    def follow(self, access: Access, **more: Any) -> str:
        made, _ = self.subscriptions.create(
            "U", access, "https://r.example.cn/", by="t", secret=SECRET, **more
        )
        return made.id

    def deliver(self) -> None:
        self.push.plan(RESOURCE)
        for subscription in self.subscriptions.all():
            assert self.push.send(subscription.id) is None


def rows_of(edition: str) -> dict[str, dict[str, str]]:
    with (DATA / f"areas-{edition}.csv").open(encoding="utf-8", newline="") as file:
        return {row["code"]: row for row in csv.DictReader(file)}


def test_pushed_and_pulled_changes_of_real_editions_are_those_of_the_files(tmp_path: Path) -> None:
    """Q-33, X-12, C-15: counts per edition as in the data's README; every row byte for byte; ledger balanced."""
    platform = Platform(ports_in(tmp_path / "platform"))
    document = (ROOT / "schemas" / f"{RESOURCE}.yaml").read_text(encoding="utf-8")
    contract = platform.contracts.put(document, by="t", provider=UNIT)
    access = Access(RESOURCE, tuple(f.name for f in contract.fields))
    world = Delivering(tmp_path / "exports", platform)
    whole = world.follow(access, start="seq", seq=1)
    shenzhen = world.follow(access, row_filter="\"cityCode\" = '4403'")
    later = ""
    for number, edition in enumerate(EDITIONS):
        if number == 2:
            later = world.follow(access, start="snapshot")
        batch = platform.deliver(DATA / f"areas-{edition}.csv", RESOURCE, UNIT)
        assert batch.status == "published"
        world.deliver()
        told = Counter(e["data"]["op"] for e in world.stream(whole).events if e["batchid"] == batch.id)
        assert (told["insert"], told["update"], told["delete"]) == AREAS[number]
        now = rows_of(edition)
        assert world.stream(whole).rows == now
        assert world.stream(shenzhen).rows == {k: r for k, r in now.items() if r["cityCode"] == "4403"}
    assert world.stream(later).rows == rows_of(EDITIONS[-1])
    totals = world.deliveries.totals(RESOURCE)
    assert totals.balanced
    assert totals.due == totals.acknowledged
    pushed = [{k: v for k, v in e.items() if k != "sequence"} for e in world.stream(whole).events]
    pull, pulled, after, more = Pull(platform.publications, world.source), [], "", True
    while more:
        events, after, more = pull.changes(access, contract, RESOURCE, after, 1_500)
        pulled += events
    assert pulled == pushed
