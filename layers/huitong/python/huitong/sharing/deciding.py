"""The owner's decision, field by field, and the grant that follows from it (L-19, L-23, L-25, S-30). Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self, cast, get_args

from huitong.contracts.model import Contract, Mask
from huitong.errors import BadRequest, Problem
from huitong.sharing.access import Path_
from huitong.sharing.grant import Grant

#: Who decides when the catalogue's "unconditional" is the owner's standing decision (L-16).
STANDING: Final = "platform"
_MASKS: Final[tuple[str, ...]] = get_args(Mask)


@dataclass(frozen=True, slots=True)
class Decision:
    """What is approved. ``refused``: field → reason. ``row_filter`` canonical, narrows what was asked for."""

    approved: tuple[str, ...]
    refused: Mapping[str, str] = field(default_factory=dict)
    masks: Mapping[str, Mask] = field(default_factory=dict)
    unmasked: tuple[str, ...] = ()
    row_filter: str = ""
    by: str = ""
    at: str = ""
    basis: str = ""  # document of a binding decision
    seconded_by: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{**body, "approved": tuple(body["approved"]), "unmasked": tuple(body["unmasked"])})


def decided(
    asked: Mapping[str, Any], given: Mapping[str, Any], contract: Contract, *, by: str, at: str
) -> Decision:
    """The decision from a step's content. Every field that was applied for is approved, or refused with a
    reason; nothing else is approved. Raises BadRequest with every fault."""
    approved, refused = list(given.get("approved", ())), dict(given.get("refused", {}))
    unmasked, masks = list(given.get("unmasked", ())), dict(given.get("masks", {}))
    problems = [
        *(_of("approved", n, "未申请", "was not applied for") for n in approved if n not in asked["fields"]),
        *(_of("refused", n, "未申请", "was not applied for") for n in refused if n not in asked["fields"]),
        *(_of("refused", n, "同时被同意和拒绝", "is approved and refused") for n in refused if n in approved),
        *(
            _of("refused", n, "未决定", "is neither approved nor refused")
            for n in asked["fields"]
            if n not in approved and n not in refused
        ),
        *(
            _of("refused", n, "拒绝须说明理由", "is refused without a reason")
            for n, reason in refused.items()
            if not isinstance(reason, str) or not reason.strip()
        ),
        *(
            _of("unmasked", n, "未申请明文或未同意", "was not applied for plain, or is not approved")
            for n in unmasked
            if n not in asked["unmasked"] or n not in approved
        ),
        *(
            _of(
                "masks",
                n,
                "未同意、以明文提供或脱敏规则不存在",
                "is not approved, is plain, or has no such mask",
            )
            for n, mask in masks.items()
            if n not in approved or n in unmasked or mask not in _MASKS or not mask
        ),
        *(
            _of("approved", n, "不在资源中", "is not in the resource")
            for n in approved
            if not contract.field_named(n)
        ),
    ]
    if not approved:
        problems.append(
            _of("approved", "-", "没有同意的字段,应不予共享", "nothing is approved: refuse instead")
        )
    if problems:
        raise BadRequest("决定有误", "The decision is not valid", problems=problems)
    order = [n for n in asked["fields"] if n in approved]
    return Decision(
        tuple(order),
        refused,
        cast(dict[str, Mask], masks),
        tuple(n for n in order if n in unmasked),
        by=by,
        at=at,
    )


def needs_second(decision: Decision, contract: Contract) -> bool:
    """L4 leaves its own mask only by two persons (domain.md section 4, S-30)."""
    named = {*decision.unmasked, *(n for n, m in decision.masks.items() if m != "all")}
    found = (contract.field_named(name) for name in named)
    return any(
        f is not None
        and f.level == "L4"
        and (f.name in decision.unmasked or decision.masks[f.name] != f.mask)
        for f in found
    )


def compiled(
    asked: Mapping[str, Any],
    decision: Decision,
    *,
    unit: str,
    resource: str,
    id: str,
    application: str,
    today: str,
) -> Grant:
    """The one policy object that binds on every way out. Raises ValueError when it would open more than was
    decided: an empty list of fields means *all* to a grant."""
    if not decision.approved or not set(decision.approved) <= set(asked["fields"]) or not asked["methods"]:
        raise ValueError(f"application {application}: no fields or methods were decided on")
    return Grant(
        unit=unit,
        resource=resource,
        fields=decision.approved,
        unmasked=decision.unmasked,
        masks=decision.masks,
        row_filter=decision.row_filter,
        purpose=asked["purpose"],
        starts=max(asked["starts"], today),
        ends=asked["ends"],
        id=id,
        application=application,
        basis=decision.basis or application,
        case_no=asked["case_no"],
        duty=asked["duty"],
        methods=cast(tuple[Path_, ...], tuple(asked["methods"])),
        volume=int(asked["volume"]),
        users=tuple(asked["users"]),
        seconded_by=decision.seconded_by,
    )


def _of(member: str, name: str, zh: str, en: str) -> Problem:
    return Problem(
        f"decision.{member}", f"字段 {name} {zh}", f"Field {name} {en}", {"field": member, "name": name}
    )
