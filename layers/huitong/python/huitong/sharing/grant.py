"""A grant (授权): what a recorded decision gives a unit of a resource, and under which conditions. Light."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from typing import Any, Final, Self

from huitong.contracts.model import Contract, Mask
from huitong.errors import Problem
from huitong.ports import Item
from huitong.sharing.access import Path_
from huitong.sharing.clearance import LEVELS

#: How the grant without an id, a unit's only one by :func:`Grants.put`, is named in requests and evidence.
DIRECT: Final = "direct"

#: Ways out that a grant covers only when it names them: a file leaves every other control behind.
NAMED_ONLY: Final[frozenset[Path_]] = frozenset({"export"})

#: 不予共享: never leaves its owner, grant or not.
NOT_SHARED: Final = "3"

_TUPLES: Final = ("fields", "unmasked", "methods", "users", "closed")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a unit may have of a resource.

    ``fields`` empty = all; ``unmasked`` are fields of a masked level that are
    given plain (an L4 field only once ``seconded_by`` names a second person);
    ``masks`` override a field's own mask; ``row_filter`` is canonical
    (:func:`huitong.sharing.row_filter.canonical_filter`). ``starts`` and ``ends``
    are days (``2026-01-31``), both included; empty = open.

    ``id`` empty = the unit's direct grant; ``application`` = the application it was
    compiled from, ``basis`` = the recorded decision (application or document number).
    ``case_no`` binds it to a case, ``duty`` to a statutory duty. ``methods`` empty =
    every way out but those of :data:`NAMED_ONLY`. ``volume`` = most rows a day,
    0 = none set. ``users`` empty = all of the unit. ``clearance`` = highest level
    given plain, empty = L4. ``statistics`` = groups of rows only, never rows.
    ``closed`` = ways out that are switched off, whatever ``methods`` says (S-37): what it is read with
    (:mod:`huitong.sharing.switches`), and marks of older versions.
    """

    unit: str
    resource: str
    fields: tuple[str, ...] = ()
    unmasked: tuple[str, ...] = ()
    masks: Mapping[str, Mask] = field(default_factory=dict)
    row_filter: str = ""
    purpose: str = ""
    starts: str = ""
    ends: str = ""
    given_by: str = ""
    given_at: str = ""
    revoked: bool = False
    id: str = ""
    application: str = ""
    basis: str = ""
    case_no: str = ""
    duty: str = ""
    methods: tuple[Path_, ...] = ()
    volume: int = 0
    users: tuple[str, ...] = ()
    clearance: str = ""
    statistics: bool = False
    seconded_by: str = ""
    ended_at: str = ""
    ended_by: str = ""
    end_reason: str = ""
    closed: tuple[Path_, ...] = ()

    @property
    def digest(self) -> str:
        """What a second person looks at: all that is given, by whom and when, not who stands behind it, nor
        what happens to be switched off."""
        given = {n: v for n, v in self.as_dict().items() if n not in ("seconded_by", "closed")}
        return hashlib.sha256(json.dumps(given, sort_keys=True, default=str).encode()).hexdigest()[:32]

    @property
    def ref(self) -> str:
        """How requests, subscriptions and evidence name it."""
        return self.id or DIRECT

    @property
    def seconded(self) -> bool:
        """Two persons stand behind it (S-30: L4 is unmasked by two)."""
        return bool(self.given_by and self.seconded_by) and self.given_by != self.seconded_by

    def valid_on(self, day: date) -> bool:
        today = day.isoformat()
        return not self.revoked and self.starts <= today and (not self.ends or today <= self.ends)

    def covers(self, path: Path_) -> bool:
        return path not in self.closed and self.includes(path)

    def includes(self, path: Path_) -> bool:
        """Whether it was given so, be the way switched off at present or not."""
        return path in self.methods if self.methods else path not in NAMED_ONLY

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        known = {f.name for f in fields(cls)}
        raw = {name: value for name, value in body.items() if name in known}
        return cls(**{**raw, **{name: tuple(raw.get(name, ())) for name in _TUPLES}})


def item_of(grant: Grant, version: int = 0) -> Item:
    """Its register entry: ``GRANT#{unit}`` / ``{resource}`` or ``{resource}#{id}``."""
    sk = f"{grant.resource}#{grant.id}" if grant.id else grant.resource
    return Item(
        pk=f"GRANT#{grant.unit}",
        sk=sk,
        body=grant.as_dict(),
        version=version,
        index1=(f"GRANTS#{grant.resource}", f"{grant.unit}#{grant.id}" if grant.id else grant.unit),
        index2=(f"GRANTS-CASE#{grant.case_no}", f"{grant.unit}#{sk}") if grant.case_no else None,
    )


def problems_of(grant: Grant, contract: Contract) -> list[Problem]:
    """Everything that is wrong with a grant; empty when nothing is."""
    problems = []
    for name in dict.fromkeys((*grant.fields, *grant.unmasked, *grant.masks)):
        if contract.field_named(name) is None:
            zh, en = f"资源没有字段 {name}", f"The resource has no field {name}"
            problems.append(Problem("grant.field", zh, en, {"field": name}))
    for name, day in (("starts", grant.starts), ("ends", grant.ends)):
        try:
            if day and date.fromisoformat(day).isoformat() != day:
                raise ValueError
        except ValueError:
            problems.append(Problem("grant.day", f"{day} 不是日期", f"{day} is not a day", {"field": name}))
    if not problems and grant.ends and grant.ends < grant.starts:
        problems.append(Problem("grant.days", "结束早于开始", "It ends before it starts", {"field": "ends"}))
    if grant.clearance and grant.clearance not in LEVELS:
        zh, en = f"没有级别 {grant.clearance}", f"There is no level {grant.clearance}"
        problems.append(Problem("grant.clearance", zh, en, {"field": "clearance"}))
    if grant.volume < 0:
        problems.append(
            Problem("grant.volume", "数量不能为负", "The volume is negative", {"field": "volume"})
        )
    return problems
