"""Sharing applications, joined to the grants, subscriptions, gates and catalogue that they touch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from huitong import settings
from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.sharing.applications import Applications

#: Settings of the functions that move applications on: the API and the clock.
MovingSettings = settings.ApiSettings | settings.ScheduleSettings


@dataclass(frozen=True, slots=True)
class CatalogueTypes:
    """The share type of a published entry, for applications."""

    catalog: Any

    def share_type(self, resource: str) -> str | None:
        entry = self.catalog.entry(resource)
        return entry.share_type if entry is not None else None


def applications(s: MovingSettings) -> Applications:
    from huitong.procedures.calendar import Calendar
    from huitong.sharing.applications import Applications
    from huitong.sharing.grants import Grants
    from huitong.wiring import areas

    register, area = parts.register(s), areas.builder(s)
    rules = parts.endpoint_rules()  # nothing is sent: routes are only closed here
    pushes = parts.queue(s, s.push_queue_url, waiting=s.waiting_queue_url)
    return Applications(
        register,
        parts.traces(s),
        Calendar(register),
        parts.CLOCK,
        parts.contracts(s, s.staging_bucket),
        Grants(register, parts.CLOCK),
        parts.subscriptions(s, s.secrets_key, pushes, rules),
        entries=CatalogueTypes(area("catalog")),
        gate=area("gates"),
    )


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {"applications": applications}
