"""What must hold before anything of a resource is public (Q-62, S-32): the checklist, as data.

The rules follow the draft publication rules of the bankruptcy administration (Q/BAAS 003): only what is
open, an end for every item, and no name of a debtor without one. Light and pure.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Final

from huitong.contracts.model import STANDING, Contract, Field
from huitong.errors import Problem
from huitong.sharing.access import Access
from huitong.sharing.names import literal, quoted

#: Values of these meanings identify or reach a person: never public, whatever their level says.
_NEVER: Final = frozenset({"citizen-id", "mobile"})
_PERSON: Final = "姓名"
_OPEN: Final = "L1"


@dataclass(frozen=True, slots=True)
class PublicationRule:
    """``broken`` gives what breaks the rule: names of fields, or ``[""]`` for the resource itself."""

    id: str
    zh: str
    en: str
    broken: Callable[[Contract], list[str]]


def open_fields(contract: Contract) -> tuple[Field, ...]:
    """What of a resource can be public: fields at level L1."""
    return tuple(f for f in contract.fields if f.level == _OPEN)


def _when(condition: bool) -> list[str]:
    return [""] if condition else []


def _unending_names(contract: Contract) -> list[str]:
    """A person's name in a resource of cases is full only while its publication is lawful."""
    if not contract.case_field:
        return []
    ends = contract.publish_until not in ("", STANDING)
    names = [f for f in open_fields(contract) if _PERSON in f.title]
    return [f.name for f in names if not ends or f.mask != "name"]


RULES: Final = (
    PublicationRule(
        "open.declared", "目录未标明向社会开放", "the resource is not declared open",
        lambda c: _when(not c.open.startswith("1")),
    ),
    PublicationRule(
        "open.shared", "不予共享的资源不得公开", "a resource that is not shared is not public",
        lambda c: _when(c.share_type == "3"),
    ),
    PublicationRule(
        "open.fields", "没有 L1 级字段可公开", "no field is at level L1",
        lambda c: _when(not open_fields(c)),
    ),
    PublicationRule(
        "open.person", "身份证件号码、手机号码不得公开",
        "numbers that name or reach a person are not public",
        lambda c: [f.name for f in open_fields(c) if f.semantic in _NEVER or f in c.subject_fields],
    ),
    PublicationRule(
        "open.until", "须指明公示截止日期字段(publishUntil)", "publishUntil must name the end of publication",
        lambda c: _when(not c.publish_until),
    ),
    PublicationRule(
        "open.standing", "案件信息的公示须有截止日期",
        "items of cases end on a date, they are no standing register",
        lambda c: _when(c.publish_until == STANDING and bool(c.case_field)),
    ),
    PublicationRule(
        "open.name", "案件当事人姓名须有公示截止日期并声明姓名掩码",
        "a name in a case needs an end of publication and the mask `name` for afterwards", _unending_names,
    ),
)  # fmt: skip


def open_check(contract: Contract) -> list[Problem]:
    """Every rule that the resource breaks; empty = it may be public."""
    return [
        Problem(
            rule.id,
            f"{field}:{rule.zh}" if field else rule.zh,
            f"{field}: {rule.en}" if field else rule.en,
            {"field": field} if field else {},
        )
        for rule in RULES
        for field in rule.broken(contract)
    ]


def open_access(contract: Contract, today: date) -> Access:
    """What everybody may have on a day in China: open fields of items whose publication has not ended.

    The day is part of what is asked of the data, so that an item is gone when its day is over, whether or
    not any job ran (S-32). An item without an end is not there.
    """
    names = tuple(f.name for f in open_fields(contract))
    row_filter = ""
    if contract.publish_until != STANDING:
        row_filter = f"{quoted(contract.publish_until)} >= CAST({literal(today.isoformat())} AS DATE)"
    return Access(contract.id, names, row_filter=row_filter, purpose="公开 public")
