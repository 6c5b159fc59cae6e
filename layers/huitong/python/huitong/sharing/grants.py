"""The register of grants: several for each unit and resource. Light to import.

Who may have what is decided by :func:`huitong.sharing.decide.access_for`, and there only.
"""

from __future__ import annotations

from collections.abc import Sequence
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
        Ways that are switched off stay so, also in a grant of another id (:meth:`shut`).
        """
        problems = problems_of(grant, contract)
        if problems:
            raise InvalidQuery("授权有误", "The grant is not valid", problems=problems)
        stored = self._stored(grant.unit, grant.resource, grant.id)
        former = Grant.from_dict(stored.body).closed if stored else ()
        closed = tuple(dict.fromkeys((*former, *self.shut(grant.unit, grant.resource))))
        grant = replace(grant, given_by=by, given_at=timestamp(self._clock.now()), closed=closed)
        entry = self.item(grant, stored.version if stored else 0)
        return grant, () if stored else (entry,), (entry,) if stored else ()

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
        return grant, self.item(grant, item.version)

    def switched(self, unit: str, resource: str, ways: Sequence[Path_], *, shut: bool) -> list[Item]:
        """The entries to replace so that these ways out of a unit's grants for a resource are shut, or open
        again, with the write (S-37). Empty when all of them are so already."""
        found = [(Grant.from_dict(i.body), i.version) for i in self._items(unit, resource)]
        entries = []
        for grant, version in found:
            kept = tuple(way for way in grant.closed if way not in ways)
            closed = (*kept, *ways) if shut else kept  # also one not given yet: the grant may be widened
            if not grant.revoked and set(closed) != set(grant.closed):
                entries.append(self.item(replace(grant, closed=closed), version))
        return entries

    def shut(self, unit: str, resource: str) -> tuple[Path_, ...]:
        """The ways out that are switched off in a unit's standing grants for a resource. A grant to come has
        them off, too, or the next decision would open again what was closed at once (S-37)."""
        standing = [g for g in self.of(unit, resource) if not g.revoked]
        return tuple(dict.fromkeys(way for grant in standing for way in grant.closed))

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
        item = self._stored(unit, resource, id)
        return Grant.from_dict(item.body) if item else None

    def stored(self, unit: str, resource: str, id: str = "") -> tuple[Grant, int] | None:
        """The grant with the version to replace; strongly consistent."""
        item = self._stored(unit, resource, id)
        return (Grant.from_dict(item.body), item.version) if item else None

    def get(self, unit: str, resource: str, id: str = "") -> Grant:
        """Raises NotFound."""
        return Grant.from_dict(self._required(unit, resource, id).body)

    def of(self, unit: str, resource: str) -> list[Grant]:
        """All grants of a unit for a resource, in force or not, newest first; strongly consistent."""
        if not unit:
            return []
        found = [Grant.from_dict(i.body) for i in self._items(unit, resource)]
        return sorted(found, key=lambda g: g.given_at, reverse=True)

    def of_unit(self, unit: str) -> list[Grant]:
        return [Grant.from_dict(i.body) for i in self._register.query(f"GRANT#{unit}")]

    def of_resource(self, resource: str) -> list[Grant]:
        """Eventually consistent."""
        return [Grant.from_dict(i.body) for i in self._register.query_index("index1", f"GRANTS#{resource}")]

    def of_case(self, case_no: str) -> list[Grant]:
        """Grants bound to a case. Eventually consistent."""
        return [
            Grant.from_dict(i.body) for i in self._register.query_index("index2", f"GRANTS-CASE#{case_no}")
        ]

    def today(self) -> date:
        return self._clock.now().astimezone(CHINA).date()

    def _items(self, unit: str, resource: str) -> list[Item]:
        items = self._register.query(f"GRANT#{unit}", prefix=resource)
        return [i for i in items if i.body["resource"] == resource]

    def _stored(self, unit: str, resource: str, id: str) -> Item | None:
        if not unit:
            return None
        return self._register.get(f"GRANT#{unit}", f"{resource}#{id}" if id else resource)

    def _required(self, unit: str, resource: str, id: str) -> Item:
        item = self._stored(unit, resource, id)
        if item is None:
            raise NotFound("没有该授权", "There is no such grant", unit=unit, resource=resource, grant=id)
        return item
