"""Both Chalice apps over services on local ports, called with API Gateway events."""

from __future__ import annotations

import base64
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from tests.support import packaged
from tests.support.api_world import (
    BANK,
    BUREAU,
    CONTRACT,
    COURT,
    SUBJECTS_KEY,
    Call,
    Said,
    World,
    event,
)
from tests.support.grounds import DUTY
from tests.support.standing import settled

from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.web import serving
from huitong.web.operations import OPERATIONS

ROOT = Path(__file__).resolve().parents[2]
for folder in ("api", "query_data"):  # as Lambda has it: the function's folder is on the path
    sys.path.insert(0, str(ROOT / "functions" / folder))


@pytest.fixture(scope="session", autouse=True)
def as_on_aws() -> Iterator[None]:
    """Each app finds only the packages of its layers."""
    called = serving.ServiceApp.__call__
    with packaged.watched(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving.ServiceApp, "__call__", packaged.as_function(called))
        yield


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(MemoryRegister(), DiskObjects(tmp_path / "landing"), DiskObjects(tmp_path / "staging"))
    for code, name in ((COURT, "市中级人民法院"), (BUREAU, "市市场监督管理局"), (BANK, "某银行")):
        made.units.put(code, name)
    people = {
        "admin": ("", ["admin"], ["*"]),
        "officer": ("", ["officer"], []),
        "auditor": ("", ["auditor"], []),
        "court": (COURT, ["source"], []),
        "bureau": (BUREAU, ["source"], []),
        "bank": (BANK, ["consumer"], []),
    }
    for name, (unit, roles, acts_for) in people.items():
        made.tokens[name] = made.credentials.issue(name, unit, roles, acts_for=acts_for, by="test")[1]
    made.contracts.put(CONTRACT, by="test", provider=COURT)
    settled(made, (BANK, BUREAU), "claims", ("push", "pull", "read", "comparison"))  # they pass the gates
    return made


@pytest.fixture
def platform(world: World, tmp_path: Path) -> Any:
    """The steps from a landed file to published tables, and the services that read them."""
    from huitong.audit.disclosed import Disclosures
    from huitong.delivery.pull import Pull
    from huitong.delivery.source import WarehouseChanges
    from huitong.local.platform import Platform, Ports
    from huitong.query.exports import Exports
    from huitong.query.readable import Resolver
    from huitong.query.run import DuckDbEngine, Queries, WarehouseTables
    from huitong.sharing.volume import Volumes
    from huitong.warehouse.lakehouse import Lakehouse

    def catalog() -> Any:
        from pyiceberg.catalog.sql import SqlCatalog

        return SqlCatalog(
            "local", uri=f"sqlite:///{tmp_path}/catalog.db", warehouse=f"file://{tmp_path}/warehouse"
        )

    ports = Ports(
        landing=world.landing,
        staging=world.staging,
        warehouse=DiskObjects(tmp_path / "warehouse"),
        register=world.register,
        catalog=catalog,
        clock=world.clock,
    )
    lakehouse = Lakehouse(catalog, "huitong", ports.warehouse)
    resolver = Resolver(world.contracts, world.grants, world.publications, world.batches, world.marks)
    disclosures = Disclosures(lambda: SUBJECTS_KEY, DiskObjects(tmp_path / "evidence"), world.clock)
    tables = world.tables = WarehouseTables(ports.warehouse, lakehouse)
    engine = DuckDbEngine(tables, world.staging, lambda: SUBJECTS_KEY, disclosures)
    queries = Queries(world.register, world.staging, resolver, engine, world.clock)
    volumes = Volumes(world.register, world.clock)
    world.services |= {
        "queries": queries,
        "volumes": volumes,
        "exports": Exports(
            world.register, world.staging, queries, world.traces, volumes, lambda: "marks", world.clock
        ),
    }
    source = WarehouseChanges(
        lakehouse, world.publications, subjects_key=SUBJECTS_KEY, marks=world.marks.records
    )
    world.services["pull"] = Pull(world.publications, source)
    world.follow(lakehouse, source, DiskObjects(tmp_path / "evidence"))
    return Platform(ports)


@pytest.fixture
def apps(world: World) -> dict[str, Any]:
    from huitong.batches.replay import Replay
    from huitong.delivery.replay import Replay as Redelivery
    from huitong.web.services import ApiServices, QueryServices

    q = world.queues
    built = {
        "api": lambda: ApiServices(
            **world.common(),
            uploads=world.uploads,
            profiles=world.profiles,
            landing=world.landing,
            replay=Replay(world.batches, q["ingest"], q["validate"], q["compare"]),
            subscriptions=world.subscriptions,
            deliveries=world.deliveries,
            hold=world.hold,
            redelivery=Redelivery(world.subscriptions),
            ledger=world.ledger,
        ),
        "query_data": lambda: QueryServices(
            **world.common(),
            staging=world.staging,
            **{name: world.services.get(name) for name in ("queries", "pull", "volumes", "exports")},
        ),
    }
    apps = {name: importlib.import_module(f"functions.{name}.app").app for name in built}
    for name, app in apps.items():
        app.services = built[name]()  # in place of what wiring would build
    return apps


@pytest.fixture
def call(world: World, apps: dict[str, Any]) -> Call:
    """``call("GET", "/v1/batches/{id}", as_="court", path={"id": …})``."""
    app_of = {(o.method, o.path): o.app for o in OPERATIONS}

    def made(
        method: str, resource: str, *, as_: str = "", unit: str = "", duty: str = "", **more: Any
    ) -> Said:
        headers = dict(more.pop("headers", {}))
        if duty:
            headers["Huitong-Duty"] = quote(duty)
        if as_:
            headers["Authorization"] = f"Bearer {world.tokens[as_]}"
        if unit:
            headers["Huitong-Unit"] = unit
        app = apps[app_of[method, resource]]
        answer = app(event(method, resource, headers=headers, **more), None)
        raw = answer["body"]
        if answer.get("isBase64Encoded"):
            raw = base64.b64decode(raw)
        kind = answer["headers"].get("Content-Type", "")
        return Said(answer["statusCode"], json.loads(raw) if "json" in kind else raw, answer["headers"])

    return made


@pytest.fixture
def court_things(world: World) -> dict[str, str]:
    """One thing of each kind that belongs to the court (subscriptions: to the bank); id by path segment."""
    from huitong.batches.model import Batch
    from huitong.identity.model import Principal
    from huitong.sharing.access import Use
    from huitong.sharing.grants import Grant, access_for

    contract = world.contracts.get("claims")
    upload, _ = world.uploads.open(COURT, "claims", "a.csv", by="court")
    batch = Batch(
        id="b1",
        resource="claims",
        unit=COURT,
        mode="full",
        status="received",
        landing_key="k",
        received_at="2026-01-05T08:00:00.000Z",
        order="2026-01-05T08:00:00.000Z#k",
    )
    world.batches.create(batch, by="test")
    world.grants.put(Grant(BANK, "claims", duty=DUTY), contract, by="test")
    system = Principal("", BANK, frozenset({"consumer"}))
    access = access_for(system, contract, world.grants, use=Use("push", duty=DUTY))
    assert access is not None
    made, _ = world.subscriptions.create(BANK, access, "https://receiver.example/in", by="bank")
    return {"uploads": upload, "batches": "b1", "subscriptions": made.id}
