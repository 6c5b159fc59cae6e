"""How many rows a grant gives a day, and what is a batch (C-19, C-22). Light."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from huitong.errors import Conflict, NotPermitted, Unavailable
from huitong.ports import Clock, Item, Register
from huitong.sharing.access import Access
from huitong.sharing.grants import CHINA

#: Rows about persons that one query may give without a licence for batches: a grant with a volume.
SINGLE_QUERY_ROWS: Final = 100

_ATTEMPTS: Final = 32
_KEPT_DAYS: Final = 40


class Volumes:
    """Counters ``VOLUME#{unit}#{resource}#{grant}`` / day: changed only on the state that was read."""

    def __init__(self, register: Register, clock: Clock) -> None:
        self._register = register
        self._clock = clock

    def take(
        self, unit: str, access: Access, rows: int, *, query: bool = False, personal: bool = True
    ) -> None:
        """Count rows before they leave; what the owner reads of its own is not counted.

        Raises NotPermitted: the day's volume of the grant would be passed, or a
        ``query`` gives a batch of personal rows and no licence has a volume.
        """
        if access.owner or not rows:
            return
        if query and personal and access.gives == "rows" and not access.volume and rows > SINGLE_QUERY_ROWS:
            raise NotPermitted(
                f"超过 {SINGLE_QUERY_ROWS} 行的批量查询须有约定数量的授权",
                f"A batch of more than {SINGLE_QUERY_ROWS} rows needs a grant with a volume",
                resource=access.resource,
                why="licence",
            )
        if access.volume:
            self._count(f"VOLUME#{unit}#{access.resource}#{access.grant}", access, rows)

    def used(self, unit: str, access: Access) -> int:
        """Rows that the grant gave today."""
        item = self._register.get(f"VOLUME#{unit}#{access.resource}#{access.grant}", self._day())
        return int(item.body["rows"]) if item else 0

    def _count(self, pk: str, access: Access, rows: int) -> None:
        for _ in range(_ATTEMPTS):
            stored = self._register.get(pk, self._day())
            before = int(stored.body["rows"]) if stored else 0
            if before + rows > access.volume:
                raise NotPermitted(
                    f"超出授权的每日 {access.volume} 行", f"The grant gives {access.volume} rows a day",
                    resource=access.resource, why="volume", left=max(access.volume - before, 0),
                )  # fmt: skip
            try:
                if stored is None:
                    self._register.create(self._item(pk, rows))
                else:
                    self._register.replace(replace(stored, body={"rows": before + rows}))
                return
            except Conflict:
                continue
        raise Unavailable("计数繁忙,请重试", "The counter is busy: try again", resource=access.resource)

    def _day(self) -> str:
        return self._clock.now().astimezone(CHINA).date().isoformat()

    def _item(self, pk: str, rows: int) -> Item:
        expires = int(self._clock.now().timestamp()) + _KEPT_DAYS * 86_400
        return Item(pk, self._day(), {"rows": rows}, expires=expires)
