"""Pull: the same events as pushed, fetched by cursor; and a first copy to continue from.

A cursor is opaque to the asker and holds no secret: resource, kind, place. It
gives nothing away, since every page is made under the asker's own access.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final, Literal

from huitong.audit.subjects import Pair
from huitong.contracts.model import Contract
from huitong.delivery.changes import ChangeSource
from huitong.delivery.events import Event, EventMaker, Placed, array_of, encoded
from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.model import Position
from huitong.delivery.subscriptions import Published
from huitong.errors import BadRequest, NotFound
from huitong.sharing.access import Access

CursorKind = Literal["c", "s"]  # changes, snapshot
_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Page:
    """``next`` is never empty: it continues from here, now or after later publications.

    ``has_more`` says that more is there already. The cursor of a finished
    snapshot is one of :meth:`Pull.changes`. Events are kept as the JSON that is
    sent: making it once is what a page costs most.
    """

    encoded: tuple[bytes, ...]
    next: str
    has_more: bool
    seq: int  # the publication up to which (changes) or as of which (snapshot) was read
    pairs: frozenset[Pair] = frozenset()  # whose records these are: for the evidence

    @property
    def events(self) -> list[Event]:
        """As a receiver reads them."""
        found: list[Event] = json.loads(self.body)
        return found

    @property
    def body(self) -> bytes:
        """The events as a JSON array."""
        return array_of(self.encoded)

    def __iter__(self) -> Any:
        """As the agreed triple (events, next, has_more)."""
        return iter((self.events, self.next, self.has_more))


class Pull:
    def __init__(
        self, publications: Published, source: ChangeSource, *, limits: DeliveryLimits | None = None
    ) -> None:
        self._publications = publications
        self._source = source
        self._limits = limits or DeliveryLimits()

    def changes(
        self, access: Access, contract: Contract, resource: str, after: str = "", limit: int = 1_000
    ) -> Page:
        """Up to ``limit`` events after a cursor, of published changes only; empty = from the beginning.

        Fewer where they are large, but one at least.

        Raises BadRequest for a cursor that is not one of this resource or a limit out of range.
        """
        self._check(access, contract, resource, limit)
        newest = self._newest(resource)
        at = Position(1, 0) if not after else self._place(after, resource, "c", newest + 1)
        if at.seq > newest:
            return Page((), cursor(resource, "c", at), False, newest)
        rows = self._source.changes(contract, access, at, newest, limit=limit + 1)
        with closing(rows):
            found = EventMaker(contract, access).changes(rows)
            end = cursor(resource, "c", Position(newest + 1))
            return self._page(resource, "c", found, limit, end=end, seq=newest)

    def snapshot(
        self, access: Access, contract: Contract, resource: str, after: str = "", limit: int = 1_000
    ) -> Page:
        """The table as events, page by page, all of one publication: that of the first page.

        The cursor of the last page continues with the changes since, without gap
        or overlap. Raises BadRequest like :meth:`changes`, NotFound when nothing was ever published.
        """
        self._check(access, contract, resource, limit)
        newest = self._newest(resource)
        if not newest:
            raise NotFound(
                f"资源 {resource} 尚未发布", f"Nothing of {resource} is published yet", resource=resource
            )
        at = Position(newest, 0) if not after else self._place(after, resource, "s", newest)
        rows = self._source.snapshot(contract, access, at.seq, after=at.ordinal, limit=limit + 1)
        with closing(rows):
            found = EventMaker(contract, access).snapshot(rows)
            end = cursor(resource, "c", Position(at.seq + 1))
            return self._page(resource, "s", found, limit, end=end, seq=at.seq)

    def start(self, resource: str) -> str:
        """The cursor of now: what is published from here on."""
        return cursor(resource, "c", Position(self._newest(resource) + 1))

    def _page(
        self, resource: str, kind: CursorKind, found: Iterator[Placed], limit: int, *, end: str, seq: int
    ) -> Page:
        events: list[bytes] = []
        size, last = 0, Position(seq)
        pairs: set[Pair] = set()
        for placed in found:
            event = encoded(placed.event)
            size += len(event) + 1
            if len(events) == limit or (events and size > self._limits.page_bytes):
                return Page(tuple(events), cursor(resource, kind, last), True, seq, frozenset(pairs))
            events.append(event)
            pairs.update(placed.pairs)
            last = placed.at
        return Page(tuple(events), end, False, seq, frozenset(pairs))

    def _newest(self, resource: str) -> int:
        pointer = self._publications.get(resource)
        return pointer.seq if pointer else 0

    def _check(self, access: Access, contract: Contract, resource: str, limit: int) -> None:
        if not access.resource == contract.id == resource:
            raise ValueError("access, contract and resource differ")
        if not 1 <= limit <= self._limits.page_events:
            most = self._limits.page_events
            raise BadRequest(f"limit 须为 1 至 {most}", f"limit must be 1 to {most}", limit=limit)

    def _place(self, text: str, resource: str, kind: CursorKind, highest: int) -> Position:
        at = _read(text, resource, kind)
        if at is None or not 1 <= at.seq <= highest:
            raise BadRequest("游标无效", "The cursor is not valid", after=text[:100])
        return at


def cursor(resource: str, kind: CursorKind, at: Position) -> str:
    """Opaque text of a place."""
    told = json.dumps(
        [_VERSION, kind, resource, at.seq, at.ordinal], ensure_ascii=False, separators=(",", ":")
    )
    return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")


def _read(text: str, resource: str, kind: CursorKind) -> Position | None:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        told = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        return None
    if not isinstance(told, list) or [type(part) for part in told] != [int, str, str, int, int]:
        return None
    version, of, name, seq, ordinal = told
    if (version, of, name) != (_VERSION, kind, resource) or ordinal < 0:
        return None
    return Position(seq, ordinal)
