"""The electronic supervision list (行政电子监察): every duty that is overdue now, and whose it is (C-09)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from huitong.batches.lateness import Late
from huitong.identity.model import OPERATOR
from huitong.ports import Clock
from huitong.procedures.calendar import Calendar, china_day
from huitong.procedures.desk import Desk
from huitong.procedures.model import OPERATOR_PARTY, Procedure, Record, Term


class Restricted(Protocol):
    """What is needed of :class:`huitong.supervision.restrictions.Restriction`."""

    @property
    def unit(self) -> str: ...
    @property
    def state(self) -> str: ...
    @property
    def resources(self) -> tuple[str, ...]: ...


class OfDesk(Protocol):
    @property
    def desk(self) -> Desk: ...


class OfDesks(Protocol):
    @property
    def desks(self) -> Mapping[str, Desk]: ...


class OfKinds(Protocol):
    def desk(self, kind: str) -> Desk: ...


def watched(issues: OfDesk, conflicts: OfDesk, supervision: OfDesks, corrections: OfKinds) -> list[Desk]:
    """The desks whose overdue clocks are listed: quality, conflicts, what the operator asked for, doubts."""
    asked = [supervision.desks[name] for name in ("rectification", "complaint")]
    doubts = [corrections.desk(kind) for kind in ("correction", "review", "objection")]
    return [issues.desk, conflicts.desk, *asked, *doubts]


class Overdue:
    """``desks``: procedures whose clocks are watched; who is late is the party that a clock is of."""

    def __init__(
        self,
        late: Callable[[str], Iterable[Late]],
        desks: Sequence[Desk],
        restrictions: Callable[[], Iterable[Restricted]],
        calendar: Calendar,
        clock: Clock,
    ) -> None:
        self._late = late
        self._desks = desks
        self._restrictions = restrictions
        self._calendar = calendar
        self._clock = clock

    def list(self, unit: str = "") -> list[dict[str, Any]]:
        """Deliveries and clocks of procedures past their day, of all units or of one, longest overdue first.

        ``restricted``: the unit is under a restriction for that resource (L-36).
        """
        held = {(r.unit, n) for r in self._restrictions() if r.state == "in_force" for n in r.resources}
        today = china_day(self._clock.now())
        found = [_delivery(one) for one in self._late(unit)]
        for desk in self._desks:
            for record in desk.in_state(*_unended(desk.procedure), limit=0):
                found += _of(desk.procedure, record, today)
        days = self._calendar.working_days()
        for item in found:
            item["restricted"] = (item["unit"], item["resource"]) in held
            item["days"] = days.between(date.fromisoformat(str(item["due"])), today)
        mine = (item for item in found if unit in ("", item["unit"]))
        return sorted(mine, key=lambda i: (-i["days"], i["unit"], i["kind"], i["id"]))


def _unended(procedure: Procedure) -> list[str]:
    return [state.name for state in procedure.states if not state.final]


def _delivery(one: Late) -> dict[str, Any]:
    last_day = china_day(datetime.fromisoformat(one.due) - timedelta(seconds=1)).isoformat()
    zh, en = ("应报数据", "a delivery") if one.last else ("应报数据(从未报送)", "the first delivery")
    return {"kind": "delivery", "unit": one.unit, "resource": one.resource, "id": one.resource,
            "due": last_day, "zh": zh, "en": en}  # fmt: skip


def _of(procedure: Procedure, record: Record, today: date) -> Iterable[dict[str, Any]]:
    for name, clock in record.clocks.items():
        term = procedure.term(name)
        if not clock.ticking or clock.provisional or not term.of or today.isoformat() <= clock.due:
            continue
        yield {
            "kind": procedure.name, "unit": _late_party(term, record),
            "resource": str(record.content.get("resource", "")), "id": record.id, "due": clock.due,
            "zh": f"{procedure.zh}:{term.zh}", "en": f"{procedure.en}: {term.en}",
        }  # fmt: skip


def _late_party(term: Term, record: Record) -> str:
    return OPERATOR if term.of == OPERATOR_PARTY else record.parties.get(term.of, "")
