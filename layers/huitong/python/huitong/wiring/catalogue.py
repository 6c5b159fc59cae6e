"""The catalogue, joined to the contracts, the gates and the grants of those whom a change concerns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from huitong import settings
from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.catalog.area import Catalogue


def catalog(s: settings.ApiSettings | settings.ScheduleSettings) -> Catalogue:
    from huitong.catalog.area import Catalogue
    from huitong.identity.units import Units
    from huitong.procedures.calendar import Calendar
    from huitong.sharing.grants import Grants
    from huitong.wiring import areas

    register, area = parts.register(s), areas.builder(s)
    grants = Grants(register, parts.CLOCK)

    def users(resource: str) -> set[str]:
        return {grant.unit for grant in grants.of_resource(resource) if not grant.revoked}

    def gate(resource: str, provider: str) -> None:
        area("gates").check_share(resource, provider)

    return Catalogue(
        register,
        parts.contracts(s, s.staging_bucket),
        Units(register),
        parts.traces(s),
        Calendar(register),
        parts.CLOCK,
        users=users,
        gate=gate,
    )


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {"catalog": catalog}
