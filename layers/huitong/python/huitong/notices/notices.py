"""Notices (通知) to units: what a person there has to know or do, kept until read.

A notice is written in the transaction of what it tells of (:func:`entry_of`),
so that none is lost and none is sent twice. It holds ids and texts, never
values of persons. Keys: ``NOTICE#{unit}`` / ``{at}#{id}``; ``index1`` lists what is about one thing,
``index2`` what the event bus has not heard of yet (:meth:`Notices.announce`).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self
from uuid import uuid4

from huitong.errors import Conflict, NotFound
from huitong.ports import Clock, EventBus, Item, Register, timestamp

_UNHEARD: Final = "NOTICES-UNHEARD"
_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Notice:
    """``to`` is a unit; ``kind`` e.g. ``application.warned``; ``about`` ``{procedure}:{id}`` or a resource.

    ``due``: a day by which something must be done. ``must_acknowledge``: reading is not enough.
    """

    to: str
    kind: str
    about: str
    zh: str
    en: str
    due: str = ""
    must_acknowledge: bool = False
    at: str = ""
    id: str = ""
    read_at: str = ""
    read_by: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**body)


def entry_of(notice: Notice, at: str) -> Item:
    """The entry, to be created with what it tells of. ``at`` as :func:`huitong.ports.timestamp`."""
    kept = replace(notice, at=at, id=notice.id or uuid4().hex)
    return Item(
        pk=f"NOTICE#{kept.to}",
        sk=f"{at}#{kept.id}",
        body=kept.as_dict(),
        index1=(f"NOTICES-ABOUT#{kept.about}", f"{at}#{kept.id}"),
        index2=(_UNHEARD, f"{at}#{kept.id}"),
    )


class Notices:
    def __init__(self, register: Register, clock: Clock) -> None:
        self._register = register
        self._clock = clock

    def entries(self, *notices: Notice) -> list[Item]:
        """For another's write: kept with what they tell of."""
        now = timestamp(self._clock.now())
        return [entry_of(notice, now) for notice in notices]

    def send(self, *notices: Notice) -> None:
        """Keep notices that belong to no other write."""
        now = timestamp(self._clock.now())
        for start in range(0, len(notices), 100):
            self._register.write(creates=[entry_of(n, now) for n in notices[start : start + 100]])

    def of_unit(self, unit: str, *, unread: bool = False, after: str = "", limit: int = 100) -> list[Notice]:
        """Newest first; ``after`` is ``{at}#{id}`` of the last one before."""
        items = self._register.query(f"NOTICE#{unit}", descending=True)
        found = [Notice.from_dict(i.body) for i in items if not after or i.sk < after]
        return [n for n in found if not (unread and n.read_at)][: limit or None]

    def count(self, unit: str, kind: str, low: str, high: str) -> int:
        """How many of a kind a unit was sent between two moments (:func:`huitong.ports.timestamp`)."""
        items = self._register.query(f"NOTICE#{unit}")
        return sum(i.body["kind"] == kind and low <= i.body["at"] <= high for i in items)

    def get(self, unit: str, id: str) -> Notice:
        """Raises NotFound."""
        item = next((i for i in self._register.query(f"NOTICE#{unit}") if i.body["id"] == id), None)
        if item is None:
            raise NotFound(f"没有通知 {id}", f"There is no notice {id}", notice=id)
        return Notice.from_dict(item.body)

    def about(self, about: str) -> list[Notice]:
        """All notices about one thing, oldest first. Eventually consistent."""
        return [
            Notice.from_dict(i.body) for i in self._register.query_index("index1", f"NOTICES-ABOUT#{about}")
        ]

    def acknowledge(self, unit: str, id: str, *, by: str) -> Notice:
        """Note that a notice was read; a second time changes nothing. Raises NotFound."""
        item = next((i for i in self._register.query(f"NOTICE#{unit}") if i.body["id"] == id), None)
        if item is None:
            raise NotFound(f"没有通知 {id}", f"There is no notice {id}", notice=id)
        if item.body["read_at"]:
            return Notice.from_dict(item.body)
        read = item.with_body(read_at=timestamp(self._clock.now()), read_by=by)
        return Notice.from_dict(self._register.replace(read).body)

    def read_entries(self, unit: str, about: str, *, by: str) -> list[Item]:
        """A unit's unread notices about one thing, as entries that note them read: for another's write."""
        now = timestamp(self._clock.now())
        items = self._register.query(f"NOTICE#{unit}")
        unread = [i for i in items if i.body["about"] == about and not i.body["read_at"]]
        return [i.with_body(read_at=now, read_by=by) for i in unread]

    def announce(self, events: EventBus) -> int:
        """Tell the event bus of notices that it has not heard of, so that they can be pushed; how many.

        At least once each, kind by kind (``NoticeKept``), without their texts.
        """
        items = self._register.query_index("index2", _UNHEARD, limit=_AT_ONCE)
        for found in items:
            item = self._register.get(found.pk, found.sk)
            if item is None or item.index2 is None:
                continue
            notice = Notice.from_dict(item.body)
            told = ("id", "kind", "to", "about", "due", "must_acknowledge", "at")
            events.publish("NoticeKept", {name: getattr(notice, name) for name in told})
            with suppress(Conflict):  # it was read at this moment: told again, next time
                self._register.replace(replace(item, index2=None))
        return len(items)
