"""Marks on records under verification (L-32, C-24): the record stays usable, but says so.

Keys: ``MARKS#{resource}`` / ``{record}#{ticket}``; ``record`` is the blind index of the record's key. A mark
is made with the filing and keeps the result for some time after the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any, Final, Literal, Self

from huitong.ports import Clock, Item, Register, timestamp

#: How long a closed mark shows its result.
KEPT: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Mark:
    """``batch_id`` and ``source_row`` are the row's place at the filing, or where it moved to since."""

    resource: str
    record: str
    ticket: str
    kind: str
    since: str
    fields: tuple[str, ...]
    batch_id: str = ""
    source_row: int = 0
    since_seq: int = 0
    state: Literal["open", "closed"] = "open"
    result: str = ""
    until: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{**body, "fields": tuple(body["fields"])})


class Marks:
    """Light; read by the paths that show records."""

    def __init__(self, register: Register, clock: Clock) -> None:
        self._register = register
        self._clock = clock

    def of_resource(self, resource: str) -> list[Mark]:
        """Open marks, and closed ones whose result is still shown."""
        now = timestamp(self._clock.now())
        found = (Mark.from_dict(i.body) for i in self._register.query(_pk(resource)))
        return [m for m in found if m.state == "open" or m.until > now]

    def open(self, resource: str) -> list[Mark]:
        return [m for m in self.of_resource(resource) if m.state == "open"]

    def records(self, resource: str) -> frozenset[str]:
        """Blind indexes of the records under verification; gaps are none, they mark no row."""
        return frozenset(m.record for m in self.open(resource) if m.batch_id)

    def entry(self, mark: Mark) -> Item:
        """The entry of a new mark, to be created with the filing."""
        return Item(_pk(mark.resource), f"{mark.record}#{mark.ticket}", mark.as_dict())

    def closed(self, resource: str, record: str, ticket: str, result: str) -> Sequence[Item]:
        """The entry that replaces an open mark: nothing when there is none."""
        item = self._register.get(_pk(resource), f"{record}#{ticket}")
        if item is None:
            return []
        end = self._clock.now() + KEPT
        mark = replace(Mark.from_dict(item.body), state="closed", result=result, until=timestamp(end))
        return [replace(item, body=mark.as_dict(), expires=int(end.timestamp()))]

    def moved(self, mark: Mark, batch_id: str, source_row: int) -> None:
        """Note that the record stands elsewhere now. Raises Conflict when another write came between."""
        item = self._register.get(_pk(mark.resource), f"{mark.record}#{mark.ticket}")
        if item is not None and (item.body["batch_id"], item.body["source_row"]) != (batch_id, source_row):
            self._register.replace(item.with_body(batch_id=batch_id, source_row=source_row))


def _pk(resource: str) -> str:
    return f"MARKS#{resource}"
