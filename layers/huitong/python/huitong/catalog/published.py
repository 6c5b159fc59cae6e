"""Published entries in the register: the present one of each resource, every edition of it, and the feed.

Keys: ``CATALOG`` / ``{resource}`` is what is published now; ``CATALOG#{resource}`` / ``{n}`` every
publication of it, never changed; ``CATALOG-FEED`` / ``{at}#{resource}#{n}`` is what an index reads again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self

from huitong.catalog.model import Entry
from huitong.ports import Item, Register

_CURRENT: Final = "CATALOG"
_FEED: Final = "CATALOG-FEED"


@dataclass(frozen=True, slots=True)
class Consent:
    """Who of which unit agreed, when, and the document (协商一致, Q-02, Q-43)."""

    unit: str
    by: str
    at: str
    document: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    entry: Entry
    at: str
    by: str
    reviewed_by: str = ""
    consents: Mapping[str, Consent] | None = None  # source, department, supervisor
    supervisor: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "entry": self.entry.as_dict(),
            "at": self.at,
            "by": self.by,
            "reviewed_by": self.reviewed_by,
            "supervisor": self.supervisor,
            "consents": {name: asdict(c) for name, c in (self.consents or {}).items()},
        }

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        consents = {name: Consent(**c) for name, c in body["consents"].items()}
        return cls(**{**body, "entry": Entry.from_dict(body["entry"]), "consents": consents})


class Shelf:
    """Reads and prepares; writing is the procedure's, in one transaction."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def current(self, resource: str) -> Published | None:
        item = self._register.get(_CURRENT, resource)
        return Published.from_dict(item.body) if item else None

    def at(self, resource: str, edition: int) -> Published | None:
        item = self._register.get(f"{_CURRENT}#{resource}", f"{edition:06}")
        return Published.from_dict(item.body) if item else None

    def count(self, resource: str) -> int:
        """How often the resource's entry was published, also when it is withdrawn now."""
        last = self._register.query(f"{_CURRENT}#{resource}", descending=True, limit=1)
        return int(last[0].sk) if last else 0

    def all(self) -> list[Published]:
        """What is published now, by resource."""
        return [Published.from_dict(i.body) for i in self._register.query(_CURRENT)]

    def put(self, one: Published) -> tuple[list[Item], list[Item]]:
        """Entries to create and to replace. ``one.entry.edition`` is the number of this publication."""
        name, body = one.entry.resource, one.as_dict()
        stored = self._register.get(_CURRENT, name)
        creates = [
            Item(f"{_CURRENT}#{name}", f"{one.entry.edition:06}", body),
            self._told(name, one.at, one.entry.edition),
        ]
        if stored is None:
            return [*creates, Item(_CURRENT, name, body)], []
        return creates, [replace(stored, body=body)]

    def take_away(self, resource: str, at: str) -> tuple[list[Item], list[tuple[str, str]]]:
        return [self._told(resource, at, 0)], [(_CURRENT, resource)]

    def fed(self, after: str) -> Sequence[tuple[str, str]]:
        """(place in the feed, resource), oldest first."""
        return [(i.sk, str(i.body["resource"])) for i in self._register.query(_FEED, after=after)]

    def last_fed(self, count: int) -> list[str]:
        """The last places of the feed, oldest first."""
        return [i.sk for i in self._register.query(_FEED, descending=True, limit=count)][::-1]

    @staticmethod
    def _told(resource: str, at: str, number: int) -> Item:
        return Item(_FEED, f"{at}#{resource}#{number}", {"resource": resource})
