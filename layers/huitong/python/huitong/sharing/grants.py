"""The register of grants: several for each unit and resource. Light to import.

Who may have what is decided by :func:`huitong.sharing.decide.access_for`, and there only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, timedelta, timezone
from typing import Final

from huitong.contracts.model import Contract
from huitong.errors import Conflict, InvalidQuery, NotFound, NotPermitted
from huitong.ports import Clock, Item, Register, timestamp
from huitong.sharing.access import Path_
from huitong.sharing.decide import access_for
from huitong.sharing.grant import DIRECT, NOT_SHARED, Grant, item_of, problems_of
from huitong.sharing.grounds import Grounds, NoGrounds
from huitong.sharing.switches import (
    Closure,
    Closures,
    Level,
    closed,
    closures_in,
    closures_item,
    is_closures,
    opened,
)

__all__ = ["DIRECT", "NOT_SHARED", "Grant", "Grants", "access_for"]

#: Days of a grant are calendar days in China.
CHINA: Final = timezone(timedelta(hours=8))


class Grants:
    """Grants in the register, and the grounds on which personal data are used under them."""

    def __init__(self, register: Register, clock: Clock, grounds: Grounds | None = None) -> None:
        self._register = register
        self._clock = clock
        self.grounds: Grounds = grounds or NoGrounds()

    # --- giving

    def put(self, grant: Grant, contract: Contract, *, by: str) -> Grant:
        """Store a grant over the former one of the same id. Raises like :meth:`prepared`."""
        grant, creates, replaces = self.prepared(grant, contract, by=by)
        self._register.write(creates, replaces)
        return grant

    def prepared(
        self, grant: Grant, contract: Contract, *, by: str
    ) -> tuple[Grant, Sequence[Item], Sequence[Item]]:
        """The grant as given now, with the entries to create and to replace.

        Raises InvalidQuery with every fault: fields the contract does not have,
        days that are none, an end before the start. The row filter must be canonical already.
        Ways that are switched off stay so (:meth:`switched`).
        """
        problems = problems_of(grant, contract)
        if problems:
            raise InvalidQuery("授权有误", "The grant is not valid", problems=problems)
        stored = self._stored(grant.unit, grant.resource, grant.id)
        former = Grant.from_dict(stored.body).closed if stored else ()
        grant = replace(grant, given_by=by, given_at=timestamp(self._clock.now()), closed=former)
        entry = self.item(grant, stored.version if stored else 0)
        return self._as_switched(grant), () if stored else (entry,), (entry,) if stored else ()

    def item(self, grant: Grant, version: int = 0) -> Item:
        """The register entry of a grant, to be written in somebody's own transaction; 0 = a new one."""
        return item_of(grant, version)

    def second(
        self, unit: str, resource: str, id: str = "", *, by: str, seen: str = ""
    ) -> tuple[Grant, Item]:
        """A second person stands behind the grant: only then are its L4 fields plain (S-30).

        ``seen`` is the digest of what the person looked at. Returns the grant and the
        entry to replace; whoever gives it anew meanwhile makes that write a Conflict, and
        a grant given anew needs a second person anew. Raises NotFound, Conflict (it was
        changed since, or has ended), NotPermitted when it is the person who gave it.
        """
        item = self._required(unit, resource, id)
        grant = Grant.from_dict(item.body)
        if seen not in ("", grant.digest):
            zh, en = "授权在查看之后已更改,请重新查看", "The grant was changed since it was looked at"
            raise Conflict(zh, en, resource=resource, unit=unit)
        if grant.revoked:
            raise Conflict("授权已终止", "The grant has ended", resource=resource, unit=unit)
        if by == grant.given_by:
            zh, en = "须由另一人复核", "It takes a second person"
            raise NotPermitted(zh, en, resource=resource, unit=unit)
        grant = replace(grant, seconded_by=by)
        return self._as_switched(grant), self.item(grant, item.version)

    def switched(
        self,
        unit: str,
        resource: str,
        ways: Sequence[Path_],
        *,
        shut: bool,
        level: Level = "source",
        by: str = "",
        reason: str = "",
    ) -> tuple[Sequence[Item], Sequence[Item]]:
        """The entries to create and to replace so that these ways out of a unit's grants for a resource are
        shut, or open again, with the write: those that there are and those to come (S-37).

        Raises NotPermitted when a higher level closed what is to be opened.
        """
        items = self._partition(unit, resource)
        known = next((i for i in items if is_closures(i)), None)
        before = closures_in(items).get((unit, resource), {})
        marked = [i for i in items if not is_closures(i) and set(i.body.get("closed", ())) & set(ways)]
        if shut:
            at = timestamp(self._clock.now())
            after = closed(before, ways, Closure(level, by, at, reason))
            marked = []
        else:
            every = [way for i in marked for way in i.body["closed"]]
            after = opened(before, ways, level, every)
        unmarked = [i.with_body(closed=[way for way in i.body["closed"] if way not in ways]) for i in marked]
        entry = closures_item(unit, resource, after, known.version if known else 0)
        return () if known else (entry,), (*((entry,) if known else ()), *unmarked)

    # --- ending

    def revoke(self, unit: str, resource: str, id: str = "", *, by: str = "", reason: str = "") -> Grant:
        """End a grant now. Raises NotFound, or Conflict when another write came between."""
        item = self.end_item(self.get(unit, resource, id), by=by, reason=reason)
        self._register.replace(item)
        return Grant.from_dict(item.body)

    def end_items(self, grants: Sequence[Grant], *, by: str, reason: str) -> list[Item]:
        """The entries to replace so that these grants end with the write: at once, on every way out.

        Those that ended already are left out. Raises NotFound.
        """
        items = [self.end_item(g, by=by, reason=reason) for g in grants if not g.revoked]
        return [i for i in items if i.version]

    def end_item(self, grant: Grant, *, by: str, reason: str) -> Item:
        """As :meth:`end_items`, of one."""
        item = self._required(grant.unit, grant.resource, grant.id)
        stored = Grant.from_dict(item.body)
        at = stored.ended_at or timestamp(self._clock.now())
        ended = replace(
            stored,
            revoked=True,
            ended_at=at,
            ended_by=stored.ended_by or by,
            end_reason=stored.end_reason or reason,
        )
        return self.item(ended, item.version)

    def end(self, grant: Grant, by: str, reason: str = "") -> Grant:
        """End one grant now; one that has ended stays as it is. Raises NotFound, Conflict."""
        return self.revoke(grant.unit, grant.resource, grant.id, by=by, reason=reason)

    # --- reading

    def find(self, unit: str, resource: str, id: str = "") -> Grant | None:
        """The grant as stored, in force or not."""
        found = self.stored(unit, resource, id)
        return found[0] if found else None

    def stored(self, unit: str, resource: str, id: str = "") -> tuple[Grant, int] | None:
        """The grant with the version to replace; strongly consistent."""
        item = self._stored(unit, resource, id)
        return (self._as_switched(Grant.from_dict(item.body)), item.version) if item else None

    def get(self, unit: str, resource: str, id: str = "") -> Grant:
        """Raises NotFound."""
        found = self.find(unit, resource, id)
        if found is None:
            raise _unknown(unit, resource, id)
        return found

    def of(self, unit: str, resource: str) -> list[Grant]:
        """All grants of a unit for a resource, in force or not, newest first; strongly consistent."""
        if not unit:
            return []
        return sorted(_grants(self._partition(unit, resource)), key=lambda g: g.given_at, reverse=True)

    def of_unit(self, unit: str) -> list[Grant]:
        return _grants(self._register.query(f"GRANT#{unit}"))

    def of_resource(self, resource: str) -> list[Grant]:
        """Eventually consistent."""
        return _grants(self._register.query_index("index1", f"GRANTS#{resource}"))

    def closures(self, resource: str) -> dict[str, Closures]:
        """By unit: which ways out are switched off, by whom and why. Eventually consistent."""
        found = closures_in(self._register.query_index("index1", f"GRANTS#{resource}"))
        return {unit: ways for (unit, _), ways in found.items()}

    def of_case(self, case_no: str) -> list[Grant]:
        """Grants bound to a case, without what is switched off. Eventually consistent."""
        return _grants(self._register.query_index("index2", f"GRANTS-CASE#{case_no}"))

    def today(self) -> date:
        return self._clock.now().astimezone(CHINA).date()

    def _as_switched(self, grant: Grant) -> Grant:
        entry = closures_item(grant.unit, grant.resource, {})
        beside = self._register.get(entry.pk, entry.sk)
        return _with(grant, *closures_in([beside]).values()) if beside else grant

    def _partition(self, unit: str, resource: str) -> list[Item]:
        """Grants of a unit for a resource and what is switched off: one read, of one moment."""
        items = self._register.query(f"GRANT#{unit}", prefix=resource)
        return [i for i in items if i.body["resource"] == resource]

    def _stored(self, unit: str, resource: str, id: str) -> Item | None:
        if not unit:
            return None
        return self._register.get(f"GRANT#{unit}", f"{resource}#{id}" if id else resource)

    def _required(self, unit: str, resource: str, id: str) -> Item:
        item = self._stored(unit, resource, id)
        if item is None:
            raise _unknown(unit, resource, id)
        return item


def _grants(items: Iterable[Item]) -> list[Grant]:
    """The grants among entries, each with what is switched off for its unit and resource."""
    items = list(items)
    shut = closures_in(items)
    found = [Grant.from_dict(i.body) for i in items if not is_closures(i)]
    return [_with(grant, shut.get((grant.unit, grant.resource), {})) for grant in found]


def _with(grant: Grant, shut: Closures) -> Grant:
    return replace(grant, closed=tuple(dict.fromkeys((*grant.closed, *shut)))) if shut else grant


def _unknown(unit: str, resource: str, id: str) -> NotFound:
    return NotFound("没有该授权", "There is no such grant", unit=unit, resource=resource, grant=id)
