"""The one decision: what an asker may have of a resource, on one way out, for what it says it needs it.

The owner has its own, others what *one* grant gives, desks of the operator a
masked view. Somebody else's personal data need a ground besides: a case to
which the asker is bound, or a statutory duty that it holds (Q-39, S-11). Those
who run, secure or watch the platform read none (S-07). Everything else takes
the :class:`~huitong.sharing.access.Access` made here. Light to import.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from huitong.contracts.model import MASKED_LEVELS, Contract, Field, Mask
from huitong.errors import NotPermitted
from huitong.identity.model import OPERATOR, Principal, Role
from huitong.quality.masking import mask_of
from huitong.sharing.access import Access, Use
from huitong.sharing.clearance import LEVELS, NO_DATA, clearance_of, within
from huitong.sharing.grant import NOT_SHARED, Grant
from huitong.sharing.grounds import Binding
from huitong.sharing.names import quoted

if TYPE_CHECKING:
    from huitong.sharing.grants import Grants

#: Who may know of every resource without having anything of it.
SUPERVISORS: Final[tuple[Role, ...]] = ("admin", "auditor", "officer")

_HIGHEST: Final = LEVELS[-1]


def access_for(
    principal: Principal,
    contract: Contract,
    grants: Grants,
    *,
    acting_unit: str = "",
    use: Use | None = None,
) -> Access | None:
    """What a principal, for its own or another unit, may have of a resource; None = as if it did not exist.

    ``acting_unit`` must be one it may act for, else None. When it acts for a
    unit, it has what that unit has and nothing of its own roles. What has no
    provider is the operator's own. Without a ``use`` the answer describes the
    resource (``gives="nothing"``): it names columns and lets no row out.

    Raises NotPermitted, with the reason, where the asker may know of the
    resource but not have it so: no case or duty, a case or duty that is not
    its own, a grant that ended, a way out that the grant does not cover.
    """
    if acting_unit and not principal.may_act_for(acting_unit):
        return None
    unit = acting_unit or principal.unit
    if use is None:
        return _described(principal, contract, grants, unit)
    if principal.has(*NO_DATA):
        raise _refused(contract, "role", "此角色不读取业务数据", "This role reads no business data")
    if unit and unit == (contract.provider or OPERATOR):
        return _not_empty(_owned(principal, contract), contract)
    if contract.share_type == NOT_SHARED:
        return None
    held = grants.of(unit, contract.id)
    valid = [g for g in held if g.valid_on(grants.today())]
    desk = _at_desk(principal, unit)
    if not desk and not valid:
        if not held:
            return None
        raise _refused(contract, "ended", "授权不在有效期内或已终止", "No grant is in force any more, or yet")
    grant = _chosen(valid, use, contract, desk=desk)
    _check_path(grant, use, principal, contract)
    binding = _ground(principal, contract, grants, unit, grant, use)
    if grant is None:
        access = _masked(principal, contract)
    else:
        access = _granted(principal, contract, grant)
    return _not_empty(_bound(access, contract, grant, binding, use), contract)


def is_personal(contract: Contract) -> bool:
    """Whether a resource holds data about persons: identity numbers, or anything at a masked level."""
    return bool(contract.subject_fields) or any(f.level in MASKED_LEVELS for f in contract.fields)


def plain_case_no(text: str) -> str:
    """A case number for comparing: full-width signs and blanks make no difference."""
    folded = unicodedata.normalize("NFKC", text).translate(str.maketrans("〔〕[]", "()()"))
    return "".join(folded.split())


def _not_empty(access: Access, contract: Contract) -> Access:
    if not access.fields:
        raise _refused(contract, "clearance", "密级不足", "The clearance does not reach any field")
    return access


def _at_desk(principal: Principal, unit: str) -> bool:
    """Desks of the operator have a masked view of all that is shared: all resources serve it (domain.md)."""
    return unit == OPERATOR or (principal.has("officer") and unit == principal.unit)


def _described(principal: Principal, contract: Contract, grants: Grants, unit: str) -> Access | None:
    if unit and unit == (contract.provider or OPERATOR) and not principal.has(*NO_DATA):
        return replace(_owned(principal, contract), gives="nothing")
    if contract.share_type == NOT_SHARED:
        return None
    valid = [g for g in grants.of(unit, contract.id) if g.valid_on(grants.today())]
    if valid and not principal.has(*NO_DATA):
        return replace(_granted(principal, contract, valid[0]), gives="nothing", purpose="")
    if _at_desk(principal, unit) or principal.has(*SUPERVISORS):
        masks: dict[str, Mask] = {f.name: mask_of(f) for f in contract.fields if mask_of(f)}
        return Access(contract.id, tuple(f.name for f in contract.fields), masks, gives="nothing")
    return None


def _chosen(valid: Sequence[Grant], use: Use, contract: Contract, *, desk: bool) -> Grant | None:
    """One of the grants, never two together: the one named, else of the case, else of the duty, else the
    newest that is bound to neither. None = the masked view of a desk."""
    named = [ref.strip() for ref in use.grant.split(",") if ref.strip()]
    if named:
        found = [g for g in valid if g.ref in named]
        if not found:
            raise _refused(contract, "grant", "指定的授权无效", "The grant that is named is not in force")
        return found[0]
    case_no = plain_case_no(use.case_no)
    of_case = [g for g in valid if case_no and plain_case_no(g.case_no) == case_no]
    of_duty = [g for g in valid if use.duty and g.duty == use.duty and not g.case_no]
    free = [g for g in valid if not g.case_no and not (g.duty and is_personal(contract))]
    for several in (of_case, of_duty, free):
        if several:
            return several[0]
    if desk:
        return None
    raise _refused(
        contract,
        "ground",
        "请指明授权所属的案件、职责或授权编号",
        "Name the case, the duty or the grant: each grant here is bound to one",
    )


def _check_path(grant: Grant | None, use: Use, principal: Principal, contract: Contract) -> None:
    if grant is None:
        if use.path == "export":
            raise _refused(contract, "method", "没有导出授权", "Nothing is exported without a grant")
        return
    if not grant.covers(use.path):
        zh, en = f"授权不含方式 {use.path}", f"The grant does not cover the way {use.path}"
        raise _refused(contract, "method", zh, en)
    if grant.users and use.path != "push" and not {principal.id, principal.who} & set(grant.users):
        raise _refused(contract, "user", "授权未列入该用户", "The grant does not name this user")


def _ground(
    principal: Principal, contract: Contract, grants: Grants, unit: str, grant: Grant | None, use: Use
) -> Binding | None:
    """The case that bounds the rows; None = no case is needed. Raises NotPermitted without any ground."""
    case_no, duty = use.case_no, use.duty
    if grant is not None and grant.case_no:
        if case_no and plain_case_no(case_no) != plain_case_no(grant.case_no):
            raise _refused(contract, "case", "授权属于另一案件", "The grant is of another case")
        case_no = grant.case_no
    if grant is not None and grant.duty and not (grant.case_no or use.case_no):
        duty = duty or (grant.duty if use.grant else "")
    personal = is_personal(contract)
    if not personal and not (grant is not None and grant.case_no):
        return None
    if case_no:
        return grants.grounds.case(case_no, principal, unit, grant.ref if grant else "")
    if not duty:
        raise _refused(
            contract,
            "ground",
            "使用个人信息须指明案件或法定职责",
            "Personal data need a case or a statutory duty: name one",
        )
    if grant is not None and grant.duty != duty:
        raise _refused(contract, "duty", "授权不含该职责", "The grant does not name this duty")
    if not grants.grounds.duty(principal, unit, duty):
        raise _refused(contract, "duty", "未登记该职责", "The asker does not hold this duty")
    return None


def _bound(
    access: Access, contract: Contract, grant: Grant | None, binding: Binding | None, use: Use
) -> Access:
    """The access with what it is bound to; rows before a case's look-back period are none of it."""
    duty = "" if binding else use.duty or (grant.duty if grant else "")
    access = replace(access, duty=duty, purpose=use.purpose or access.purpose)
    if binding is None:
        return access
    row_filter, dated = access.row_filter, contract.field_named(contract.look_back_field)
    if binding.since and dated is not None:
        since = f"({quoted(dated.name)} IS NULL OR {quoted(dated.name)} >= CAST('{binding.since}' AS DATE))"
        row_filter = f"({row_filter}) AND {since}" if row_filter else since
    return replace(
        access, row_filter=row_filter, case_no=binding.case_no, subjects=frozenset(binding.subjects)
    )


def _owned(principal: Principal, contract: Contract) -> Access:
    shown, _ = _up_to(clearance_of(principal), contract.fields, {})
    return Access(contract.id, shown, owner=True)


def _granted(principal: Principal, contract: Contract, grant: Grant) -> Access:
    wanted = [f for f in contract.fields if not grant.fields or f.name in grant.fields]
    masks: dict[str, Mask] = {f.name: mask for f in wanted if (mask := _mask(f, grant))}
    limit = min(clearance_of(principal), grant.clearance or _HIGHEST)
    shown, masks = _up_to(limit, wanted, masks)
    groups = grant.statistics or _only_analyses(principal, contract)
    return Access(
        contract.id, shown, masks, grant.row_filter, grant=grant.ref, purpose=grant.purpose,
        volume=grant.volume, ends=grant.ends, gives="groups" if groups else "rows",
    )  # fmt: skip


def _masked(principal: Principal, contract: Contract) -> Access:
    masks: dict[str, Mask] = {f.name: mask_of(f) for f in contract.fields if mask_of(f)}
    shown, masks = _up_to(clearance_of(principal), contract.fields, masks)
    return Access(
        contract.id, shown, masks, gives="groups" if _only_analyses(principal, contract) else "rows"
    )


def _mask(field: Field, grant: Grant) -> Mask:
    """How a field leaves. Of an L4 field nothing but its own mask, unless two persons decided (S-30)."""
    own, other = mask_of(field), grant.masks.get(field.name, "")
    if field.level == _HIGHEST and not grant.seconded:
        return other if other == "all" else own
    return other or ("" if field.name in grant.unmasked else own)


def _only_analyses(principal: Principal, contract: Contract) -> bool:
    """Analysts read groups of persons, not persons (S-34), unless another role of theirs reads rows."""
    return principal.has("analyst") and clearance_of(principal) <= "L2" and is_personal(contract)


def _up_to(
    clearance: str, fields: Sequence[Field], masks: dict[str, Mask]
) -> tuple[tuple[str, ...], dict[str, Mask]]:
    """The fields that a clearance lets through: masked ones, and plain ones up to its level (S-09)."""
    shown = [f for f in fields if within(f, clearance) or (clearance and masks.get(f.name))]
    return tuple(f.name for f in shown), {f.name: masks[f.name] for f in shown if f.name in masks}


def _refused(contract: Contract, why: str, zh: str, en: str) -> NotPermitted:
    return NotPermitted(f"{zh}:{contract.id}", f"{en}: {contract.id}", resource=contract.id, why=why)
