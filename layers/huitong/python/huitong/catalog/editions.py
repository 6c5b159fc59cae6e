"""Numbered editions of the whole catalogue (Q-43, Q-44).

An edition is all entries that are published at a moment, with their items, kept
as they were. Keys: ``CATALOG-EDITIONS`` / ``{year}.{number}`` the head, created last
and once: of two at once one wins; ``CATALOG-EDITION#{digest}`` / ``{part}`` the entries.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final, Self

from huitong.audit.trace import Trace, Traces
from huitong.catalog.difference import Difference, difference
from huitong.catalog.entries import Catalog
from huitong.catalog.published import Published
from huitong.contracts.registry import Contracts
from huitong.errors import BadRequest, Conflict, NotFound, Problem
from huitong.identity.model import DATA_DEPARTMENT, OPERATOR
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.calendar import china_day
from huitong.procedures.deciding import Actor

_HEADS: Final = "CATALOG-EDITIONS"
_PART: Final = 200_000  # bytes of documents in one entry of the register
#: What is published now, as if it were an edition.
CURRENT: Final = "current"


@dataclass(frozen=True, slots=True)
class Edition:
    """``id`` is ``2026.3``; ``previous`` the one before, empty for the first."""

    id: str
    at: str
    by: str
    entries: int
    digest: str
    parts: int
    note: str = ""
    previous: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**body)


class Editions:
    def __init__(
        self, register: Register, catalog: Catalog, contracts: Contracts, traces: Traces, clock: Clock
    ) -> None:
        self._register, self._catalog, self._contracts = register, catalog, contracts
        self._traces, self._clock = traces, clock

    def publish(self, actor: Actor, *, note: str = "") -> Edition:
        """Number what is published now.

        Raises BadRequest (a consent is missing, Q-43; nothing changed) and Conflict when somebody else
        numbers an edition at the same moment.
        """
        current = self._catalog.shelf.all()
        if problems := self._without_consent(current):
            raise BadRequest(
                "缺少数源单位或数据部门的同意,不能发布目录版本",
                "The edition lacks the consent of a source unit or of the data department",
                problems=problems,
            )
        documents = list(self._documents(current))
        digest = sha256(_json(documents)).hexdigest()
        last = self.latest()
        if not documents or (last and last.digest == digest):
            raise BadRequest("目录没有变化,无需新版本", "Nothing changed since the last edition")
        now = self._clock.now()
        id = _next(last.id if last else "", china_day(now).year)
        parts = list(_parts(documents))
        edition = Edition(
            id,
            timestamp(now),
            actor.principal.id,
            len(documents),
            digest,
            len(parts),
            note,
            last.id if last else "",
        )
        for place, part in enumerate(parts):
            self._keep_part(digest, place, part)
        trace = Trace("configure", actor.principal.id, actor.unit, detail=f"catalogue-edition:{id}")
        self._traces.commit(trace, creates=[Item(_HEADS, _sort(id), edition.as_dict())])
        return edition

    def latest(self) -> Edition | None:
        found = self._register.query(_HEADS, descending=True, limit=1)
        return Edition.from_dict(found[0].body) if found else None

    def all(self) -> list[Edition]:
        """Newest first."""
        return [Edition.from_dict(i.body) for i in self._register.query(_HEADS, descending=True)]

    def get(self, id: str) -> Edition:
        """Raises NotFound."""
        item = self._register.get(_HEADS, _sort(id))
        if item is None:
            raise NotFound(f"没有目录版本 {id}", f"There is no edition {id}", edition=id)
        return Edition.from_dict(item.body)

    def documents(self, id: str) -> list[dict[str, Any]]:
        """The entries of an edition, or of :data:`CURRENT`, by resource. Raises NotFound."""
        if id == CURRENT:
            return list(self._documents(self._catalog.shelf.all()))
        edition = self.get(id)
        items = self._register.query(f"CATALOG-EDITION#{edition.digest}")
        return [doc for item in items for doc in json.loads(item.body["documents"])]

    def difference(self, before: str, after: str) -> Difference:
        """What changed from one edition to another; either may be :data:`CURRENT`. Raises NotFound."""
        old = {str(d["resource"]): d for d in self.documents(before)}
        return difference(old, {str(d["resource"]): d for d in self.documents(after)})

    def _documents(self, current: list[Published]) -> Iterator[dict[str, Any]]:
        from huitong.catalog.documents import document

        known = self._catalog.elements.all()
        for one in current:
            entry = one.entry
            contract = self._contracts.find(entry.resource, entry.contract_version)
            yield {**document(entry, contract, known), "supervisor": one.supervisor}

    def _without_consent(self, current: list[Published]) -> list[Problem]:
        problems = []
        for one in current:
            contract = self._contracts.find(one.entry.resource)
            provider = (contract.provider if contract else one.entry.provider) or OPERATOR
            given = {c.unit for c in (one.consents or {}).values()}
            for unit in (provider, DATA_DEPARTMENT):
                if unit not in given:
                    where = {"path": one.entry.resource, "unit": unit}
                    zh = f"{one.entry.resource} 没有 {unit} 的同意记录"
                    problems.append(Problem("Q-43", zh, f"{one.entry.resource}: no consent of {unit}", where))
        return problems

    def _keep_part(self, digest: str, place: int, part: str) -> None:
        try:
            self._register.create(Item(f"CATALOG-EDITION#{digest}", f"{place:05}", {"documents": part}))
        except Conflict:
            return  # kept by an attempt that did not reach its end: the digest is of the same bytes


def _next(last: str, year: int) -> str:
    before, _, number = last.partition(".")
    return f"{year}.{int(number) + 1}" if before == str(year) else f"{year}.1"


def _sort(id: str) -> str:
    year, _, number = id.partition(".")
    return f"{year}.{number.zfill(5)}"


def _parts(documents: list[dict[str, Any]]) -> Iterator[str]:
    """Documents as JSON lists of bounded size."""
    kept: list[str] = []
    size = 0
    for one in documents:
        text = _json(one).decode()
        length = len(text.encode())
        if kept and size + length > _PART:
            yield f"[{','.join(kept)}]"
            kept, size = [], 0
        kept.append(text)
        size += length
    if kept:
        yield f"[{','.join(kept)}]"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
