"""Licences (许可协议): how many rows of a resource a unit may ask for in a day, and until when (C-19).

Rows are taken from the licence before they leave: ``LICENCE#{agreement}`` /
``{day}`` counts them, by conditional writes, so that two requests at once never
share the last rows.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from huitong.errors import Conflict, NotPermitted, Problem, Unavailable
from huitong.identity.model import OPERATOR
from huitong.ports import Clock, Item, Register
from huitong.procedures.calendar import china_day
from huitong.procedures.model import Record
from huitong.standing.desks import Standing
from huitong.standing.lacking import in_force

_ATTEMPTS: Final = 12
_KEPT_DAYS: Final = 400


class Licences:
    def __init__(self, standing: Standing, register: Register, clock: Clock) -> None:
        self._standing = standing
        self._register = register
        self._clock = clock

    def check_volume(self, unit: str, resource: str, owner: str, rows: int) -> Record:
        """The licence with room for so many rows today. Raises NotPermitted: none, or not enough left."""
        today = china_day(self._clock.now())
        found = self._found(unit, resource, owner, today)
        for licence in found:
            if self.used(licence.id, today) + rows <= int(licence.content["volume"]):
                return licence
        raise _refused(unit, resource, rows, found)

    def take_batch(self, unit: str, resource: str, owner: str, rows: int) -> None:
        """Before a query in batches (more than one person at once) is answered. The owner and the operator
        need no licence. Raises as :meth:`take`."""
        if rows > 1 and unit not in (owner, OPERATOR):
            self.take(unit, resource, owner, rows)

    def take(self, unit: str, resource: str, owner: str, rows: int) -> Record:
        """As :meth:`check_volume`, and count the rows. Raises Unavailable when too many count at once."""
        for _ in range(_ATTEMPTS):
            licence = self.check_volume(unit, resource, owner, rows)
            try:
                self._count(licence, rows)
            except Conflict:
                continue  # another request was first: is there still room?
            return licence
        raise Unavailable("许可计数繁忙", "The licence is counted by too many at once", resource=resource)

    def used(self, licence: str, day: date) -> int:
        item = self._register.get(f"LICENCE#{licence}", day.isoformat())
        return int(item.body["rows"]) if item else 0

    def _count(self, licence: Record, rows: int) -> None:
        today = china_day(self._clock.now())
        key, day = f"LICENCE#{licence.id}", today.isoformat()
        stored = self._register.get(key, day)
        before = int(stored.body["rows"]) if stored else 0
        if before + rows > int(licence.content["volume"]):
            raise Conflict("许可余量已被占用", "The rows were taken meanwhile", agreement=licence.id)
        if stored is None:
            expires = int((self._clock.now() + timedelta(days=_KEPT_DAYS)).timestamp())
            self._register.create(Item(key, day, {"rows": rows}, expires=expires))
        else:
            self._register.replace(replace(stored, body={"rows": before + rows}))

    def _found(self, unit: str, resource: str, owner: str, today: date) -> list[Record]:
        pairs = dict.fromkeys((owner, OPERATOR))
        every = [
            a for other in pairs if other != unit for a in self._standing.between(unit, other, "agreement")
        ]
        return [a for a in in_force(every, "licence", resource, today) if a.parties["second"] == unit]


def _refused(unit: str, resource: str, rows: int, found: list[Record]) -> NotPermitted:
    zh = "没有有效的许可协议" if not found else f"许可协议的当日余量不足 {rows} 条"
    en = (
        "No licence agreement in force covers it"
        if not found
        else f"The licence has no {rows} rows left today"
    )
    problem = Problem(
        "gate.licence",
        f"单位 {unit} 对资源 {resource}:{zh}",
        f"Unit {unit}, resource {resource}: {en}",
        {"unit": unit, "resource": resource},
        "签署或变更许可协议:huitong agreement draft --set kind=licence",
        "Sign a licence, or one with more volume: huitong agreement draft --set kind=licence",
    )
    return NotPermitted(zh, en, problems=[problem])
