"""Standing for tests: the areas on in-memory ports, and the steps that make a sharing complete."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from huitong.audit.trace import Traces
from huitong.batches.lateness import found
from huitong.contracts.registry import Contracts
from huitong.delivery.accounts import Deliveries
from huitong.identity.model import DATA_DEPARTMENT, OPERATOR, Principal
from huitong.identity.units import Units
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notices
from huitong.ports import Item
from huitong.procedures.all import every
from huitong.procedures.deciding import Actor
from huitong.procedures.model import Record
from huitong.standing.controls import Controls
from huitong.standing.desks import Standing
from huitong.standing.docking import DockingWork
from huitong.standing.documents import Documents
from huitong.standing.expiry import Expiry
from huitong.standing.gates import Gates
from huitong.standing.licences import Licences
from huitong.standing.partners import partners
from huitong.standing.registration import DUTIES, Officer, Registration, Registrations
from huitong.supervision.annual import AnnualReports, in_force, unusual_uses
from huitong.supervision.desks import Supervision
from huitong.supervision.figures import Figures
from huitong.supervision.restrictions import Restrictions

DIGEST = "ab" * 32
SIGNED = {"signatory": "张三", "post": "局长", "digest": DIGEST}
ALL = ("registration", "officers", "sharing", "security", "list", "docking", "test")


def standing_areas(world: Any) -> None:
    """The areas of wiring.oversight as attributes of a world that has ports, units, contracts, grants …"""
    w, kept = world, (world.register, world.traces, world.calendar, world.clock)
    w.standing = Standing(*kept, w.units, w.contracts)
    w.registrations = Registrations(
        w.register, w.units, w.traces, w.clock, partners(w.standing, w.contracts, w.grants)
    )
    w.restrictions = Restrictions(
        w.register, w.traces, w.clock, lambda unit: found(w.contracts.all(), w.batches, w.clock.now(), unit)
    )
    w.gates = Gates(w.standing, w.registrations, w.contracts, w.clock, restricted=w.restrictions.problems)
    w.licences = Licences(w.standing, w.register, w.clock)
    w.docking = DockingWork(w.standing, w.register, w.traces, w.clock)
    w.documents = Documents(w.staging)
    w.expiry = Expiry(w.standing, w.register, w.clock)
    w.controls = Controls(w.gates, w.standing, w.grants, lambda: w.subscriptions, w.traces, w.clock)
    w.supervision = Supervision(
        *kept,
        w.units,
        affected=lambda resources: {g.unit for r in resources for g in w.grants.of_resource(r)},
        owner=lambda resource: w.contracts.get(resource).provider,
    )
    w.figures = Figures(
        w.register,
        w.contracts.all,
        w.batches,
        Deliveries(w.register),
        w.traces,
        lambda: every().values(),
        w.calendar,
        w.clock,
    )
    w.annual = AnnualReports(
        w.figures,
        w.contracts.all,
        w.units.list,
        lambda: in_force(w.contracts.all(), w.grants),
        unusual_uses(Notices(w.register, w.clock)),
    )


def person(unit: str, name: str = "") -> Actor:
    """Somebody who binds the unit."""
    return Actor(Principal(name or f"approver-{unit[-6:]}", unit, frozenset({"approver", "officer"})), unit)


def complete(
    world: Any, unit: str, resource: str, *, but: Sequence[str] = (), interfaces: Sequence[str] = ("push",)
) -> None:
    """All that the gates ask for before ``unit`` may have the resource over an interface; ``but`` leaves out."""
    contracts: Contracts = world.contracts
    contract = contracts.get(resource)
    owner = contract.provider or OPERATOR
    known = {u.code for u in world.units.list()}
    for code, name in ((OPERATOR, "市破产事务管理署"), (DATA_DEPARTMENT, "市政务服务和数据管理局")):
        if code not in known:
            world.units.put(code, name)
    if unit in (owner, OPERATOR):
        return
    if "registration" not in but:
        officers = {duty: Officer("李四") for duty in DUTIES}
        if "officers" in but:
            officers.pop("leader")
        world.registrations.put(Registration(unit, officers=officers), by="test")
    if "sharing" not in but and owner != OPERATOR:
        agreed(world, owner, OPERATOR, "sharing", [contract.id])
    if "security" not in but:
        agreed(world, owner, unit, "security", [])
    made = {
        "share-lists": {"resources": [contract.id]},
        "dockings": {
            "resources": [contract.id], "method": "API", "security_terms": "SM4", "contacts": ["王五"]
        },
    }  # fmt: skip
    for short, (kind, content) in zip(("list", "docking"), made.items(), strict=True):
        if short not in but:
            confirmed(world, kind, unit, OPERATOR, content)
    for interface in interfaces if "test" not in but else ():
        confirmed(world, "joint-tests", unit, OPERATOR, joint_test(contract.id, interface))


def joint_test(resource: str, interface: str = "push", **more: Any) -> dict[str, Any]:
    return {
        "resource": resource, "interface": interface, "interface_version": "1", "result": "passed",
        "tested_on": "2026-01-01", "our_testers": ["甲"], "their_testers": ["乙"], "document": "d/1",
        "digest": DIGEST, **more,
    }  # fmt: skip


def drafted(world: Any, first: str, second: str, kind: str, resources: list[str], **more: Any) -> Record:
    content = {
        "kind": kind, "first": first, "second": second, "resources": resources, "starts": "2026-01-01",
        "ends": "2030-12-31", "document": "documents/x", "digest": DIGEST, **more,
    }  # fmt: skip
    return world.standing.open("agreements", person(first), content)


def agreed(world: Any, first: str, second: str, kind: str, resources: list[str], **more: Any) -> Record:
    """An agreement that both sides signed."""
    record = drafted(world, first, second, kind, resources, **more)
    day = world.clock.now().date().isoformat()
    for step, unit in (("sign_first", first), ("countersign_second", second)):
        record = world.standing.take("agreement", record.id, step, person(unit), {**SIGNED, "signed_on": day})
    return record


def confirmed(world: Any, kind: str, one: str, other: str, content: dict[str, Any]) -> Record:
    """What one side put forward and the other confirmed."""
    record = world.standing.open(kind, person(one), {"counterpart": other, **content})
    return world.standing.take(record.procedure, record.id, "confirm", person(other), {})


_KEPT = ("AGREEMENT#", "SHARE_LIST#", "DOCKING#", "JOINT_TEST#", "BETWEEN#", "PARTNERS#", "STANDING#", "UNIT")


#: What was settled before, by everything that it depends on: most worlds begin alike.
_SETTLED: dict[tuple[Any, ...], list[Item]] = {}


def settled(world: Any, units: Sequence[str], resource: str, interfaces: Sequence[str]) -> None:
    """As :func:`complete`, but without the evidence and the notices of its steps, for tests of other things."""
    contract = world.contracts.get(resource)
    known = tuple((unit.code, unit.name) for unit in world.units.list())
    key = (*units, contract, *interfaces, known, world.clock.now())
    if key not in _SETTLED:
        _SETTLED[key] = _settle(world, units, resource, interfaces)
    for item in _SETTLED[key]:
        if world.register.get(item.pk, item.sk) is None:
            world.register.create(replace(item, version=0))


def _settle(world: Any, units: Sequence[str], resource: str, interfaces: Sequence[str]) -> list[Item]:
    register = MemoryRegister()
    aside = SimpleNamespace(
        register=register, traces=Traces(register, world.clock), calendar=world.calendar, clock=world.clock,
        units=Units(register), contracts=world.contracts, grants=world.grants, batches=world.batches,
        staging=world.staging, subscriptions=None,
    )  # fmt: skip
    standing_areas(aside)
    for unit in world.units.list():
        aside.units.put(unit.code, unit.name)
    for unit in units:
        complete(aside, unit, resource, interfaces=interfaces)
        provider = world.contracts.get(resource).provider
        if "comparison" in interfaces and unit != provider:
            agreed(aside, provider, unit, "licence", [resource], volume=1_000_000)
    return [i for i in register._items.values() if i.pk.startswith(_KEPT)]
