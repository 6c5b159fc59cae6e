"""The catalogue as routes, the command line and other capabilities have it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong.audit.trace import Traces
from huitong.catalog.duties import Duties
from huitong.catalog.editions import Editions
from huitong.catalog.entries import Catalog, Gate, Users, no_gate
from huitong.catalog.importing import Importing
from huitong.catalog.model import Entry
from huitong.catalog.search import Search
from huitong.catalog.views import Views
from huitong.catalog.visibility import sees_whole
from huitong.contracts.registry import Contracts
from huitong.identity.model import Principal
from huitong.identity.units import Units
from huitong.ports import Clock, Register
from huitong.procedures.calendar import Calendar


class Catalogue:
    """``entries``, ``editions``, ``views``, ``duties``, ``search``, ``imports`` over one register."""

    def __init__(
        self,
        register: Register,
        contracts: Contracts,
        units: Units,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        *,
        users: Users,
        gate: Gate = no_gate,
    ) -> None:
        self.entries = Catalog(register, contracts, units, traces, calendar, clock, users=users, gate=gate)
        self.editions = Editions(register, self.entries, contracts, traces, clock)
        self.views = Views(register, traces, clock)
        self.duties = Duties(register, self.entries.shelf, units, traces, calendar, clock)
        self.imports = Importing(self.entries, contracts)
        shelf = self.entries.shelf
        self.search = Search(
            self.shown, lambda: self.editions.documents("current"), shelf.fed, shelf.last_fed
        )

    def entry(self, resource: str) -> Entry | None:
        """The published entry of a resource, from which an application is filed (X-19); None without one."""
        return self.entries.entry(resource)

    def shown(self, resource: str) -> Mapping[str, Any] | None:
        """The published entry with its items."""
        found = self.entries.shelf.current(resource)
        if found is None:
            return None
        return {**self.entries.document(found.entry), "supervisor": found.supervisor}

    def tick(self) -> int:
        """For the clock: reminders and breaches of duties, notices that are still to be sent."""
        return len(self.duties.tick()) + self.entries.tell()


def whole(who: Principal, unit: str, shown: Mapping[str, Any]) -> bool:
    """Whether somebody may see all of a published entry (:mod:`huitong.catalog.visibility`)."""
    share, provider = str(shown.get("share_type", "")), str(shown.get("provider", ""))
    return sees_whole(who, unit, share, provider, str(shown.get("supervisor", "")))
