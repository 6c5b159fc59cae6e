"""The electronic supervision list (行政电子监察): every duty of a unit that is overdue now (C-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from huitong.batches.lateness import Late
from huitong.ports import Clock
from huitong.procedures.calendar import Calendar, china_day
from huitong.procedures.model import Record
from huitong.supervision.quality.issues import QualityIssues


class Restricted(Protocol):
    """What is needed of :class:`huitong.supervision.restrictions.Restriction`."""

    @property
    def unit(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def resources(self) -> tuple[str, ...]: ...


class Overdue:
    def __init__(
        self,
        late: Callable[[str], Iterable[Late]],
        issues: QualityIssues,
        rectifications: Callable[[], Iterable[Record]],
        conflicts: Callable[[str], Iterable[Record]],
        restrictions: Callable[[], Iterable[Restricted]],
        calendar: Calendar,
        clock: Clock,
    ) -> None:
        self._late = late
        self._issues = issues
        self._rectifications = rectifications
        self._conflicts = conflicts
        self._restrictions = restrictions
        self._calendar = calendar
        self._clock = clock

    def list(self, unit: str = "") -> list[dict[str, Any]]:
        """Deliveries, quality issues, conflicts and rectifications past their day, longest overdue first.

        ``restricted``: the unit is under a restriction for that resource (L-36).
        """
        held = {(r.unit, n) for r in self._restrictions() if r.state == "in_force" for n in r.resources}
        found = [
            _item("delivery", one.unit, one.resource, one.resource, _last_day(one.due))
            for one in self._late(unit)
        ]
        for record in self._issues.list(unit, late=True):
            if not self._final(record):
                found.append(self._of("quality_issue", record, "mend"))
        found += [
            self._of("conflict", r, _ticking(r))
            for r in self._conflicts(unit)
            if _ticking(r) and self._past(r.clocks[_ticking(r)].due)
        ]
        found += [
            self._of("rectification", r, "answer")
            for r in self._rectifications()
            if unit in ("", *r.parties.values())
        ]
        for item in found:
            item["restricted"] = (item["unit"], item["resource"]) in held
            item["days"] = self._days(str(item["due"]))
        return sorted(found, key=lambda i: (-i["days"], i["unit"], i["kind"], i["id"]))

    def _of(self, kind: str, record: Record, clock: str) -> dict[str, Any]:
        unit = record.parties.get("collector") or record.parties.get("unit", "")
        resource = str(record.content.get("resource", ""))
        return _item(kind, unit, resource, record.id, record.clocks[clock].due)

    def _final(self, record: Record) -> bool:
        return self._issues.desk.procedure.state(record.state).final

    def _past(self, due: str) -> bool:
        return china_day(self._clock.now()).isoformat() > due

    def _days(self, due: str) -> int:
        """Working days since."""
        today = china_day(self._clock.now())
        return self._calendar.working_days().between(date.fromisoformat(due), today)


def _item(kind: str, unit: str, resource: str, id: str, due: str) -> dict[str, Any]:
    return {"kind": kind, "unit": unit, "resource": resource, "id": id, "due": due}


def _last_day(moment: str) -> str:
    """The last day that was in time; the moment is the beginning of the next."""
    return china_day(datetime.fromisoformat(moment) - timedelta(seconds=1)).isoformat()


def _ticking(record: Record) -> str:
    clocks: Mapping[str, Any] = record.clocks
    return next((name for name, clock in clocks.items() if clock.ticking), "")
