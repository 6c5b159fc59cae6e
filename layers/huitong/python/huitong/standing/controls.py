"""One sharing shown with its controls before, during and after (L-44), and the registry of interfaces (S-37).

Assembled from the registers at each request, from one unit and one resource:
what it costs does not grow with the platform.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, Protocol

from huitong.audit.trace import Trace
from huitong.contracts.model import Contract
from huitong.delivery.model import Subscription
from huitong.identity.model import OPERATOR
from huitong.ports import Clock, timestamp
from huitong.procedures.model import Record
from huitong.sharing.grants import Grants
from huitong.standing.contents import INTERFACES
from huitong.standing.desks import Standing, latest_confirmed
from huitong.standing.gates import Gates
from huitong.standing.lacking import NEEDS, SWITCHES

#: Evidence is counted over these days, and up to this number.
EVIDENCE_DAYS: Final = 90
EVIDENCE_MOST: Final = 1_000


class Subscribed(Protocol):
    """What is needed of :class:`huitong.delivery.subscriptions.Subscriptions`."""

    def of_unit(self, unit: str) -> list[Subscription]: ...


class Used(Protocol):
    """What is needed of :class:`huitong.audit.trace.Traces`."""

    def list(
        self, *, resource: str = "", unit: str = "", low: str = "", high: str = "", limit: int = 100
    ) -> list[Trace]: ...


class Controls:
    """``subscriptions`` is asked for when needed: some functions have none."""

    def __init__(
        self,
        gates: Gates,
        standing: Standing,
        grants: Grants,
        subscriptions: Callable[[], Subscribed],
        traces: Used,
        clock: Clock,
    ) -> None:
        self._gates = gates
        self._standing = standing
        self._grants = grants
        self._subscriptions = subscriptions
        self._traces = traces
        self._clock = clock

    def of(self, unit: str, contract: Contract) -> dict[str, Any]:
        """Before: gates and grants; during: limits and flow; after: evidence."""
        grants = [g for g in self._grants.of_unit(unit) if g.resource == contract.id]
        today = self._grants.today()
        subscriptions = [s for s in self._subscriptions().of_unit(unit) if s.resource == contract.id]
        low = timestamp(self._clock.now() - timedelta(days=EVIDENCE_DAYS))
        traces = self._traces.list(resource=contract.id, unit=unit, low=low, limit=EVIDENCE_MOST)
        lacks = {way: self._gates.lacks(unit, contract, way) for way in NEEDS}
        return {
            "unit": unit,
            "resource": contract.id,
            "before": {
                "authentication": "credential or session of the unit, checked at every request",
                "gates": {
                    way: {"open": not found, "lacks": [p.as_dict() for p in found]}
                    for way, found in lacks.items()
                },
                "grants": [{**g.as_dict(), "in_force": g.valid_on(today)} for g in grants],
            },
            "during": {
                "rows_a_day": [int(getattr(g, "volume", 0)) for g in grants if g.valid_on(today)],
                "subscriptions": [
                    {"id": s.id, "status": s.state, "outstanding": s.outstanding, "acked": s.acked}
                    for s in subscriptions
                ],
                "interfaces": self.interfaces([contract], unit),
            },
            "after": {
                "evidence_days": EVIDENCE_DAYS,
                "complete": len(traces) < EVIDENCE_MOST,
                "acts": _counted(traces),
                "rows": sum(t.count for t in traces if t.act in ("share", "query", "download", "access")),
                "last": traces[0].at if traces else None,
            },
        }

    def interfaces(self, contracts: Sequence[Contract], unit: str = "") -> list[dict[str, Any]]:
        """Each interface of the resources and each way on the platform itself: owner, version, partner,
        state and at which level it was closed, joint test, end date.

        Listed is what a grant in force opens; what is not listed is not reachable,
        since the same grants decide on every request.
        """
        found = []
        held = {g.resource for g in self._grants.of_unit(unit)} if unit else set()
        mine = [c for c in contracts if not unit or c.id in held or (c.provider or OPERATOR) == unit]
        subscriptions, today = self._subscribed(mine), self._grants.today()
        for contract in mine:
            shut = self._grants.closures(contract.id)
            for grant in self._grants.of_resource(contract.id):
                if unit not in ("", grant.unit, contract.provider or OPERATOR):
                    continue
                in_force = grant.valid_on(today)
                for interface in filter(grant.includes, SWITCHES):
                    version = INTERFACES.get(interface, "")  # without one, nobody connects a system to it
                    test = self._test(grant.unit, contract, interface, version) if version else None
                    closure = shut.get(grant.unit, {}).get(interface)
                    found.append(
                        {
                            "resource": contract.id,
                            "owner": contract.provider or OPERATOR,
                            "partner": grant.unit,
                            "interface": interface,
                            "version": version,
                            "state": "open" if in_force and grant.covers(interface) else "closed",
                            "closed_by": closure.level if closure else None,
                            "joint_test": test.id if test else None,
                            "starts": grant.starts,
                            "ends": grant.ends,
                            "grant": grant.ref,
                            "application": grant.application,
                            "subscriptions": [
                                s.id
                                for s in subscriptions
                                if interface == "push" and (s.unit, s.resource) == (grant.unit, contract.id)
                            ],
                        }
                    )
        return found

    def _subscribed(self, contracts: Sequence[Contract]) -> list[Subscription]:
        """Open subscriptions of the resources: one query for each receiving unit."""
        units = {g.unit for c in contracts for g in self._grants.of_resource(c.id)}
        every = [s for u in sorted(units) for s in self._subscriptions().of_unit(u)]
        return [s for s in every if s.state != "cancelled"]

    def _test(self, unit: str, contract: Contract, interface: str, version: str) -> Record | None:
        wanted = (contract.id, interface, version)
        pairs = dict.fromkeys((contract.provider or OPERATOR, OPERATOR))
        tests = [t for p in pairs if p != unit for t in self._standing.between(unit, p, "joint_test")]
        same = [
            t
            for t in tests
            if (t.content["resource"], t.content["interface"], t.content["interface_version"]) == wanted
        ]
        latest = latest_confirmed(same)
        return latest if latest is not None and latest.content["result"] == "passed" else None


def _counted(traces: Sequence[Trace]) -> Mapping[str, int]:
    counted: dict[str, int] = {}
    for trace in traces:
        counted[trace.act] = counted.get(trace.act, 0) + 1
    return counted
