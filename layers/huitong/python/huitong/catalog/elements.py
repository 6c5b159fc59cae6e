"""The register of data elements (数据元): what a field means, whichever resource it stands in (L-52, Q-18).

A field is refused from the catalogue while no element is registered for it.
Elements are seeded from the contracts, so that there is no second list to keep.

Keys: ``CATALOG-ELEMENTS`` / ``{id}``; ``CATALOG-SOURCES`` / ``{shard}`` says which resource is the
authoritative source of each element (:mod:`huitong.catalog.sources`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Self, get_args

from huitong.contracts.model import DOCUMENT_TYPE_FIELD, Contract, Field
from huitong.errors import BadRequest, NotFound, Problem
from huitong.ports import Clock, Item, Register, timestamp

#: content: has one source. identifier: names of what a row is about, stand in many. technical: of the record.
Kind = Literal["content", "identifier", "technical"]
KINDS: Final[tuple[str, ...]] = get_args(Kind)
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ELEMENTS: Final = "CATALOG-ELEMENTS"
_TECHNICAL: Final = frozenset({"updated_at"})


@dataclass(frozen=True, slots=True)
class Element:
    id: str
    title: str
    type: str
    kind: Kind = "content"
    semantic: str = ""
    definition: str = ""
    standard: str = ""
    synonyms: tuple[str, ...] = ()
    retired: bool = False
    by: str = ""
    at: str = ""

    def fits(self, field: Field) -> bool:
        return not self.retired and self.type == field.type and self.semantic == field.semantic

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{**body, "synonyms": tuple(body.get("synonyms", ()))})


class Elements:
    def __init__(self, register: Register, clock: Clock) -> None:
        self._register = register
        self._clock = clock

    def put(self, element: Element, *, by: str) -> Element:
        """Register an element, or say more of it.

        Its type and meaning stay: fields rest on them. Raises BadRequest, or Conflict when somebody
        else writes it right now.
        """
        stored = self._register.get(_ELEMENTS, element.id)
        before = Element.from_dict(stored.body) if stored else None
        if problems := _problems(element, before):
            raise BadRequest("数据元有误", "The data element is not valid", problems=problems)
        kept = replace(element, by=by, at=timestamp(self._clock.now()))
        if stored is None:
            self._register.create(Item(_ELEMENTS, kept.id, kept.as_dict()))
        else:
            self._register.replace(replace(stored, body=kept.as_dict()))
        return kept

    def all(self) -> dict[str, Element]:
        return {i.sk: Element.from_dict(i.body) for i in self._register.query(_ELEMENTS)}

    def get(self, id: str) -> Element:
        """Raises NotFound."""
        item = self._register.get(_ELEMENTS, id)
        if item is None:
            raise NotFound(f"没有数据元 {id}", f"There is no data element {id}", element=id)
        return Element.from_dict(item.body)

    def seed(self, contracts: Iterable[Contract], *, by: str) -> list[Element]:
        """An element for each field that has none; those that exist are left. Returns the new ones.

        Fields of the same name share an element when title, type and meaning are the same, or when the
        field refers to the other; else the later one gets ``{resource}.{field}``.
        """
        known, made = self.all(), []
        for contract in contracts:
            for field in contract.fields:
                if element_of(contract.id, field, known):
                    continue
                free = field.name not in known
                fresh = _seeded(field.name if free else f"{contract.id}.{field.name}", field)
                if fresh.id in known:  # registered with another meaning by hand: left to people
                    continue
                known[fresh.id] = self.put(fresh, by=by)
                made.append(known[fresh.id])
        return made


def element_of(
    resource: str, field: Field, known: Mapping[str, Element], named: Mapping[str, str] | None = None
) -> Element | None:
    """The registered element of a field: the one named for it, the resource's own, or the one of its name."""
    if named and field.name in named:
        found = known.get(named[field.name])
        return found if found and found.fits(field) else None
    for id in (f"{resource}.{field.name}", field.name):
        found = known.get(id)
        if found and found.fits(field) and (id != field.name or _means(found, field)):
            return found
    return None


def _means(element: Element, field: Field) -> bool:
    if element.kind != "content" or field.refers_to:
        return True
    return not field.title or field.title in (element.title, *element.synonyms)


def _seeded(id: str, field: Field) -> Element:
    return Element(
        id=id, title=field.title or field.name, type=field.type, kind=_kind(field), semantic=field.semantic
    )


def _kind(field: Field) -> Kind:
    if field.name in _TECHNICAL:
        return "technical"
    identifies = field.semantic == "citizen-id" or field.mask == "name" or field.name == DOCUMENT_TYPE_FIELD
    return "identifier" if identifies else "content"


def _problems(element: Element, before: Element | None) -> list[Problem]:
    problems = []
    if not _ID.fullmatch(element.id):
        problems.append(Problem("element.id", "数据元标识符无效", "The id is not valid", {"field": "id"}))
    if not element.title.strip():
        problems.append(Problem("element.title", "数据元须有名称", "It needs a name", {"field": "title"}))
    if element.kind not in KINDS:
        problems.append(Problem("element.kind", "数据元类别无效", "The kind is not known", {"field": "kind"}))
    if before and (before.type, before.semantic) != (element.type, element.semantic):
        zh = "数据元的类型和语义不得更改,请另行登记并停用旧数据元"
        en = "Type and meaning of an element stay: register another one and retire this"
        problems.append(Problem("element.fixed", zh, en, {"field": "type"}))
    return problems
