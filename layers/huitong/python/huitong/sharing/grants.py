"""Who may have what of a resource.

A first, small form: the owner has all, others what a grant (授权) gives, and
platform staff see masked rows. Only :func:`access_for` decides; everything
else takes the :class:`~huitong.sharing.access.Access` that it returns, so that
another way of deriving it changes nothing elsewhere. Light to import.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, timedelta, timezone
from typing import Any, Final, Self

from huitong.contracts.model import Contract, Mask
from huitong.errors import InvalidQuery, NotFound, Problem
from huitong.identity.model import OPERATOR, Principal, Role
from huitong.ports import Clock, Item, Register, timestamp
from huitong.quality.masking import mask_of
from huitong.sharing.access import Access

#: Days of a grant are calendar days in China.
CHINA: Final = timezone(timedelta(hours=8))

#: Platform staff who see every resource, masked, without a grant. Auditors see records of use, not data.
STAFF: Final[tuple[Role, ...]] = ("admin", "officer")

#: 不予共享: never leaves its owner, grant or not.
NOT_SHARED: Final = "3"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a unit may have of a resource.

    ``fields`` empty = all; ``unmasked`` are fields of a masked level that are
    given plain; ``masks`` override a field's own mask; ``row_filter`` is
    canonical (:func:`huitong.sharing.row_filter.canonical_filter`). ``starts``
    and ``ends`` are days (``2026-01-31``), both included; empty = open.
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

    def valid_on(self, day: date) -> bool:
        today = day.isoformat()
        return not self.revoked and self.starts <= today and (not self.ends or today <= self.ends)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        raw = dict(body)
        return cls(**{**raw, "fields": tuple(raw["fields"]), "unmasked": tuple(raw["unmasked"])})


class Grants:
    """Grants in the register, one item for each unit and resource."""

    def __init__(self, register: Register, clock: Clock) -> None:
        self._register = register
        self._clock = clock

    def put(self, grant: Grant, contract: Contract, *, by: str) -> Grant:
        """Store a grant over the former one.

        Raises InvalidQuery with every fault: fields the contract does not have,
        days that are none, an end before the start. The row filter must be canonical already.
        """
        problems = _problems(grant, contract)
        if problems:
            raise InvalidQuery("授权有误", "The grant is not valid", problems=problems)
        grant = replace(grant, given_by=by, given_at=timestamp(self._clock.now()))
        stored = self._register.get(f"GRANT#{grant.unit}", grant.resource)
        if stored:
            self._register.replace(replace(_item(grant), version=stored.version))
        else:
            self._register.create(_item(grant))
        return grant

    def find(self, unit: str, resource: str) -> Grant | None:
        """The grant as stored, in force or not."""
        item = self._register.get(f"GRANT#{unit}", resource) if unit else None
        return Grant.from_dict(item.body) if item else None

    def get(self, unit: str, resource: str) -> Grant:
        """Raises NotFound."""
        found = self.find(unit, resource)
        if found is None:
            raise NotFound("没有该授权", "There is no such grant", unit=unit, resource=resource)
        return found

    def revoke(self, unit: str, resource: str) -> Grant:
        """End a grant now. Raises NotFound, or Conflict when another write came between."""
        item = self._register.get(f"GRANT#{unit}", resource)
        if item is None:
            raise NotFound("没有该授权", "There is no such grant", unit=unit, resource=resource)
        grant = replace(Grant.from_dict(item.body), revoked=True)
        self._register.replace(replace(_item(grant), version=item.version))
        return grant

    def of_unit(self, unit: str) -> list[Grant]:
        return [Grant.from_dict(i.body) for i in self._register.query(f"GRANT#{unit}")]

    def of_resource(self, resource: str) -> list[Grant]:
        """Eventually consistent."""
        return [Grant.from_dict(i.body) for i in self._register.query_index("index1", f"GRANTS#{resource}")]

    def today(self) -> date:
        return self._clock.now().astimezone(CHINA).date()


def access_for(
    principal: Principal, contract: Contract, grants: Grants, *, acting_unit: str = ""
) -> Access | None:
    """What a principal, for its own or another unit, may have of a resource; None = as if it did not exist.

    ``acting_unit`` must be one it may act for, else None. When it acts for a
    unit, it has what that unit has and nothing of its own roles. What has no
    provider is the operator's own; of the rest the operator has the masked view
    of its staff (domain.md: it is the administration that all resources serve).
    """
    if acting_unit and not principal.may_act_for(acting_unit):
        return None
    unit = acting_unit or principal.unit
    if unit and unit == (contract.provider or OPERATOR):
        return Access(contract.id, tuple(f.name for f in contract.fields))
    if contract.share_type == NOT_SHARED:
        return None
    grant = grants.find(unit, contract.id)
    if grant is not None:
        return _granted(grant, contract) if grant.valid_on(grants.today()) else None
    if unit == OPERATOR or (principal.has(*STAFF) and (not acting_unit or acting_unit == principal.unit)):
        return _all_masked(contract)
    return None


def _granted(grant: Grant, contract: Contract) -> Access:
    shown = [f for f in contract.fields if not grant.fields or f.name in grant.fields]
    masks: dict[str, Mask] = {}
    for f in shown:
        mask = grant.masks.get(f.name) or ("" if f.name in grant.unmasked else mask_of(f))
        if mask:
            masks[f.name] = mask
    return Access(contract.id, tuple(f.name for f in shown), masks, grant.row_filter)


def _all_masked(contract: Contract) -> Access:
    masks = {f.name: mask_of(f) for f in contract.fields if mask_of(f)}
    return Access(contract.id, tuple(f.name for f in contract.fields), masks)


def _problems(grant: Grant, contract: Contract) -> list[Problem]:
    problems = []
    for name in dict.fromkeys((*grant.fields, *grant.unmasked, *grant.masks)):
        if contract.field_named(name) is None:
            problems.append(
                Problem(
                    "grant.field",
                    f"资源没有字段 {name}",
                    f"The resource has no field {name}",
                    {"field": name},
                )
            )
    for name, day in (("starts", grant.starts), ("ends", grant.ends)):
        try:
            if day and date.fromisoformat(day).isoformat() != day:
                raise ValueError
        except ValueError:
            problems.append(Problem("grant.day", f"{day} 不是日期", f"{day} is not a day", {"field": name}))
    if not problems and grant.ends and grant.ends < grant.starts:
        problems.append(Problem("grant.days", "结束早于开始", "It ends before it starts", {"field": "ends"}))
    return problems


def _item(grant: Grant) -> Item:
    return Item(
        pk=f"GRANT#{grant.unit}",
        sk=grant.resource,
        body=grant.as_dict(),
        index1=(f"GRANTS#{grant.resource}", grant.unit),
    )
