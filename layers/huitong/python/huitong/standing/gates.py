"""Gates: nothing is shared or enabled before what the rules ask for is registered.

Reads the facts, lets :mod:`huitong.standing.lacking` decide, and refuses with
every missing thing at once (Q-02, Q-40, Q-48, Q-49, Q-51, C-19, L-39, L-40).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from huitong.contracts.model import Contract
from huitong.contracts.registry import Contracts
from huitong.errors import NotPermitted, Problem
from huitong.identity.model import OPERATOR
from huitong.ports import Clock
from huitong.procedures.calendar import china_day
from huitong.procedures.model import Record
from huitong.standing.desks import Standing
from huitong.standing.lacking import (
    NEEDS,
    Facts,
    dockings_in_force,
    exchange_problems,
    exempt,
    share_problems,
)
from huitong.standing.registration import Registrations

#: Why a unit is restricted, as problems; none = it is not (:mod:`huitong.supervision.restrictions`).
Restricted = Callable[[str], Sequence[Problem]]
_MINUTE: Final = timedelta(minutes=1)
_REMEMBERED: Final = 10_000


def _unrestricted(_unit: str) -> Sequence[Problem]:
    return ()


class Gates:
    """``strict`` False only reports (:meth:`lacks`) and lets pass: for installations that still set up."""

    def __init__(
        self,
        standing: Standing,
        registrations: Registrations,
        contracts: Contracts,
        clock: Clock,
        *,
        restricted: Restricted = _unrestricted,
        strict: bool = True,
    ) -> None:
        self._standing = standing
        self._registrations = registrations
        self._contracts = contracts
        self._clock = clock
        self._restricted = restricted
        self.strict = strict
        self._passed: dict[tuple[str, str, int, str], datetime] = {}

    def check_share(self, resource: Contract | str, provider: str = "") -> None:
        """Before a resource is published as shared. ``provider`` is taken where the contract names none.

        Raises NotPermitted with every missing thing, NotFound.
        """
        self._refuse(self.lacks_to_share(resource, provider), "不能共享", "It cannot be shared")

    def check_exchange(
        self, unit: str, resource: Contract | str, interface: str = "sql", version: str = ""
    ) -> None:
        """Before a unit's use of a resource takes effect. ``interface`` is a key of
        :data:`huitong.standing.lacking.NEEDS`, ``version`` that of the interface ("" = the present one).

        Raises NotPermitted with every missing thing, NotFound.
        """
        self._refuse(self.lacks(unit, resource, interface, version), "不能开通", "It cannot be enabled")

    def check_ways(self, unit: str, resource: Contract | str, ways: Sequence[str]) -> None:
        """As :meth:`check_exchange` for several ways of use at once; what lacks for many is told once.

        None named = reading on the platform; each interface is asked about when it is enabled.
        """
        contract = self._contract(resource)
        every = {(p.rule, p.en): p for way in ways or ("sql",) for p in self.lacks(unit, contract, way)}
        self._refuse(list(every.values()), "不能开通", "It cannot be enabled")

    def check_running(self, unit: str, resource: Contract, interface: str) -> None:
        """As :meth:`check_exchange`, for an interface that is called again and again: what passed is not
        looked at anew for a minute, what closes it takes effect within one (S-37). A unit in arrears gets
        nothing new, but what runs goes on. Raises NotPermitted."""
        key, now = (unit, resource.id, resource.version, interface), self._clock.now()
        if self._passed.get(key, now) > now:
            return
        self._refuse(self._lacking(unit, resource, interface), "接口未开通", "The interface is not open")
        if len(self._passed) >= _REMEMBERED:
            self._passed.clear()
        self._passed[key] = now + _MINUTE

    def lacks_to_share(self, resource: Contract | str, provider: str = "") -> list[Problem]:
        contract = self._contract(resource)
        owner = contract.provider or provider or OPERATOR
        agreements = self._standing.between(owner, OPERATOR, "agreement") if owner != OPERATOR else []
        contract = replace(contract, provider=owner)
        return share_problems(contract, self._registrations.find(owner), agreements, self._today())

    def lacks(
        self, unit: str, resource: Contract | str, interface: str = "sql", version: str = ""
    ) -> list[Problem]:
        """What lacks, by rule; nothing = the unit may have it this way."""
        contract = self._contract(resource)
        lacking = self._lacking(unit, contract, interface, version)
        return lacking if exempt(unit, contract) else [*self._restricted(unit), *lacking]

    def _lacking(self, unit: str, contract: Contract, interface: str, version: str = "") -> list[Problem]:
        """What is not registered; a restriction of the unit is not asked about. Raises KeyError for a way of
        use that there is not."""
        needs = NEEDS[interface]
        if exempt(unit, contract):
            return []
        return exchange_problems(self._facts(unit, contract, needs), interface, version)

    def _facts(self, unit: str, contract: Contract, needs: Sequence[str]) -> Facts:
        """Reads only what the way of use asks for: a handful of small queries."""
        owner, s = contract.provider or OPERATOR, self._standing
        pairs = dict.fromkeys(
            (owner, OPERATOR)
        )  # the other side of lists, docking and tests: owner or operator
        more: dict[str, Any] = {}
        if "list" in needs:
            for name, procedure in (
                ("lists", "share_list"),
                ("dockings", "docking"),
                ("tests", "joint_test"),
            ):
                more[name] = [r for other in pairs for r in s.between(unit, other, procedure)]
            more["services"] = self._services(unit, owner, dockings_in_force(more["dockings"]))
            versions = {int(t.content["contract_version"]) for t in more["tests"]
                        if t.content["resource"] == contract.id}  # fmt: skip
            found = {v: self._contracts.find(contract.id, v) for v in versions}
            more["tested"] = {v: c for v, c in found.items() if c is not None}
        mutual = s.between(unit, owner, "agreement")
        return Facts(
            unit,
            contract,
            self._today(),
            registration=self._registrations.find(unit),
            provider=self._registrations.find(owner) if owner != OPERATOR else None,
            sharing=[*mutual, *(s.between(owner, OPERATOR, "agreement") if owner != OPERATOR else ())],
            security=mutual,
            **more,
        )

    def _services(self, unit: str, owner: str, dockings: Sequence[Record]) -> dict[str, list[Record]]:
        named = {str(p) for d in dockings for p in d.content.get("service_providers", ())}
        sides = dict.fromkeys((unit, owner, OPERATOR))
        return {
            provider: [a for side in sides for a in self._standing.between(provider, side, "agreement")]
            for provider in sorted(named)
        }

    def _contract(self, resource: Contract | str) -> Contract:
        return self._contracts.get(resource) if isinstance(resource, str) else resource

    def _today(self) -> date:
        return china_day(self._clock.now())

    def _refuse(self, problems: Sequence[Problem], zh: str, en: str) -> None:
        if problems and self.strict:
            named_zh = ";".join(p.zh for p in problems)
            raise NotPermitted(f"{zh}:{named_zh}", f"{en}: {len(problems)} thing(s) lack", problems=problems)
