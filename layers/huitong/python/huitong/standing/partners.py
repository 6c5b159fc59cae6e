"""Which units share with a unit: by agreements, by what they hold of its resources, by what it holds."""

from __future__ import annotations

from collections.abc import Callable

from huitong.contracts.registry import Contracts
from huitong.sharing.grants import Grants
from huitong.standing.desks import Standing


def partners(standing: Standing, contracts: Contracts, grants: Grants) -> Callable[[str], set[str]]:
    """For the rare moment of a changed registration: a query for each of its resources."""

    def of(unit: str) -> set[str]:
        every = {c.id: c for c in contracts.all()}
        today = grants.today()
        taking = {g.unit for c in every.values() if c.provider == unit for g in grants.of_resource(c.id)}
        held = [g.resource for g in grants.of_unit(unit) if g.valid_on(today)]
        giving = {every[r].provider for r in held if r in every}
        return {*standing.partners(unit), *taking, *giving} - {unit, ""}

    return of
