"""What is served of each resource: a pointer to one snapshot of each table, and its history.

The register is the truth: readers take the snapshots named here, so both tables
of a resource change together for them, and a commit that was never entered here
is not served.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from huitong.contracts.model import Mode
from huitong.errors import Conflict, NotFound
from huitong.ports import Item, Register

_POINTER = "PUBLICATION"
_HISTORY = "PUBLISHED#"
_PAGE = 100

_List = list  # the class below has a method of that name


@dataclass(frozen=True, slots=True)
class Publication:
    """One published state of a resource."""

    resource: str
    seq: int  # 1, 2, 3 … within the resource
    batch_id: str
    current_snapshot: int
    changes_snapshot: int
    published_at: str
    rows: int  # of the current table
    order: str  # landing order of this batch
    received_high: str  # landing order of the newest published batch, this or an earlier one
    mode: Mode = "full"
    contract_version: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    announced: bool = False  # the pushes were woken and the event was sent (meaningful on the pointer only)

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        return cls(**body)


@dataclass(frozen=True, slots=True)
class Entry:
    """Register entries that make a publication the served one; written in one go with its batch."""

    creates: tuple[Item, ...]
    replaces: tuple[Item, ...]


class Publications:
    """Reads and writes publications. Quick to import."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def get(self, resource: str) -> Publication | None:
        """What is served now; None before the first publication."""
        item = self._pointer(resource)
        return Publication.from_body(item.body) if item else None

    def at(self, resource: str, *, seq: int = 0, batch_id: str = "", moment: str = "") -> Publication:
        """The publication by number, by batch, or the one served at a moment (``ports.timestamp`` text).

        Without any of them, the present one. Raises NotFound.
        """
        if batch_id:
            known = self._register.get(_pk(resource), f"BATCH#{batch_id}")
            found = self._numbered(resource, known.body["seq"]) if known else None
        elif seq:
            found = self._numbered(resource, seq)
        elif moment:
            found = self._served_at(resource, moment)
        else:
            found = self.get(resource)
        if found is None:
            raise NotFound(
                f"资源 {resource} 没有所求的已发布版本",
                f"Resource {resource} has no such published version",
                resource=resource,
                seq=seq,
                batch=batch_id,
                moment=moment,
            )
        return found

    def list(self, resource: str, *, after: int = 0, limit: int = 0) -> _List[Publication]:
        """History in order, from the first after number ``after``; 0 = all."""
        after_key = _history_key(after) if after else ""
        items = self._register.query(_pk(resource), prefix=_HISTORY, after=after_key, limit=limit)
        return [Publication.from_body(i.body) for i in items]

    def landed_after(self, resource: str, order: str) -> _List[Publication]:
        """Publications whose batch landed later than ``order``."""
        now = self.get(resource)
        if now is None or now.received_high <= order:
            return []
        return [p for p in self.list(resource) if p.order > order]

    def entry(self, publication: Publication) -> Entry:
        """The register entries of the next publication, conditional on the pointer as it is now.

        Raises Conflict when the pointer is not at the number before.
        """
        pk, body = _pk(publication.resource), asdict(publication)
        pointer = self._pointer(publication.resource)
        if (pointer.body["seq"] if pointer else 0) != publication.seq - 1:
            raise published_meanwhile(publication.resource)
        history = Item(pk=pk, sk=_history_key(publication.seq), body=body)
        batch = Item(pk=pk, sk=f"BATCH#{publication.batch_id}", body={"seq": publication.seq})
        if pointer is None:
            return Entry((history, batch, Item(pk=pk, sk=_POINTER, body=body)), ())
        return Entry((history, batch), (replace(pointer, body=body),))

    def mark_announced(self, publication: Publication) -> None:
        """Note that the pushes of the served publication were woken. Raises Conflict when it moved on."""
        item = self._pointer(publication.resource)
        if item is not None and item.body["seq"] == publication.seq and not item.body["announced"]:
            self._register.replace(item.with_body(announced=True))

    def _pointer(self, resource: str) -> Item | None:
        return self._register.get(_pk(resource), _POINTER)

    def _numbered(self, resource: str, seq: int) -> Publication | None:
        item = self._register.get(_pk(resource), _history_key(seq))
        return Publication.from_body(item.body) if item else None

    def _served_at(self, resource: str, moment: str) -> Publication | None:
        before = ""
        while items := self._register.query(
            _pk(resource), prefix=_HISTORY, after=before, limit=_PAGE, descending=True
        ):
            for item in items:
                if item.body["published_at"] <= moment:
                    return Publication.from_body(item.body)
            before = items[-1].sk
        return None


def published_meanwhile(resource: str) -> Conflict:
    return Conflict(
        f"资源 {resource} 同时有批次发布",
        f"A batch of {resource} was published at the same time",
        resource=resource,
    )


def _pk(resource: str) -> str:
    return f"RESOURCE#{resource}"


def _history_key(seq: int) -> str:
    return f"{_HISTORY}{seq:010}"
