"""What each role may do: one table, operation → rule (S-08: what is not granted is denied).

The *unit* of a decision is the unit that the thing belongs to: the provider of
a contract, the source unit of a batch, the receiving unit of a subscription.
What a person may see *inside* a resource is another question, answered by
:mod:`huitong.sharing.grants` and applied by :mod:`huitong.sharing.projection`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from huitong.errors import NotPermitted
from huitong.identity.model import OPERATOR, Principal, Role

Rule = Callable[[Principal, str], bool]


def _any(*rules: Rule) -> Rule:
    return lambda who, unit: any(rule(who, unit) for rule in rules)


def _role(*roles: Role) -> Rule:
    return lambda who, _: who.has(*roles)


def _acting(*roles: Role) -> Rule:
    """Somebody with one of the roles who may act for the unit."""
    return lambda who, unit: who.has(*roles) and bool(unit) and who.may_act_for(unit)


def _own(who: Principal, unit: str) -> bool:
    """Somebody with any role in force who may act for the unit."""
    return bool(who.roles) and bool(unit) and who.may_act_for(unit)


def _apart(*roles: Role) -> Rule:
    """Somebody with one of the roles who is neither of the unit nor named to act for it: nobody decides on
    an own delivery. ("*" is the installation's administrator, who acts for all.)"""
    return lambda who, unit: who.has(*roles) and (not unit or unit not in (who.unit, *who.acts_for))


def _everybody(who: Principal, _unit: str) -> bool:
    return bool(who.roles)


def _first(who: Principal, _unit: str) -> bool:
    """The installation's first administrator, who sets things up before others have accounts (S-06)."""
    return who.has("admin") and "*" in who.acts_for


_SECURITY: Final = _any(_role("security"), _first)
_SUPERVISORS: Final = _role("admin", "officer", "auditor")


def _at_desk(*roles: Role) -> Rule:
    """Somebody with one of the roles who acts for the operator, or staff without a unit."""
    return lambda who, unit: who.has(*roles) and unit in ("", OPERATOR)


def _of_operator(*roles: Role) -> Rule:
    """Somebody of the operator's with one of the roles, on a thing of any unit."""
    return lambda who, _: who.has(*roles) and who.unit in ("", OPERATOR)


#: The operator's desk of supervision, and people who bind their unit.
_DESK: Final = _any(_first, _at_desk("officer"))
_BINDING: Final = _any(_first, _role("resource_admin", "approver", "officer"))

RULES: Final[Mapping[str, Rule]] = {
    "unit.put": _role("admin"),
    "unit.read": _everybody,
    "credential.issue": _SECURITY,
    "credential.issue_apart": _first,  # duties that must stay apart, without naming who answers for them
    "credential.disable": _SECURITY,
    "credential.read": _any(_SECURITY, _role("auditor")),
    "account.put": _SECURITY,
    "account.read": _any(_SECURITY, _role("auditor")),
    "session.own": lambda who, _: bool(who.id),  # also when no role is in force
    "session.others": _SECURITY,
    "post.put": _SECURITY,
    "post.read": _any(_SECURITY, _SUPERVISORS, _own),
    "duty.put": _SECURITY,
    "duty.read": _any(_SECURITY, _SUPERVISORS, _own),
    "contract.put": _role("admin"),
    "entry.write": _role("editor", "resource_admin"),  # which entry, the procedure decides
    "entry.read": _any(_at_desk("editor", "reviewer", "officer", "auditor"), _own),
    "entry.step": _everybody,  # the procedure names party and role of each step
    "edition.publish": _at_desk("reviewer", "officer"),
    "view.put": _at_desk("editor", "reviewer", "officer"),
    "element.put": _any(_at_desk("editor", "engineer"), _first),
    "duty.register": _at_desk("officer", "reviewer", "editor"),
    "contract.read": _any(_SUPERVISORS, _own),  # or with a grant: asked where grants are known
    "upload": _acting("source", "admin"),
    "upload.read": _any(_SUPERVISORS, _own),
    "profile.put": _acting("source", "admin"),
    "profile.read": _any(_SUPERVISORS, _own),
    "batch.read": _any(_SUPERVISORS, _own),
    "batch.decide": _apart("admin", "officer"),
    "batch.replay": _role("admin", "officer"),
    "batch.returned": _acting("source", "resource_admin", "quality"),  # its own plain values, of no one else
    "quarantine.replay": _any(_role("admin", "officer"), _acting("source", "resource_admin", "quality")),
    "grant.put": _role("admin"),
    "grant.read": _any(_SUPERVISORS, _own),
    "subscription.put": _any(_role("admin"), _acting("consumer")),
    "subscription.read": _any(_SUPERVISORS, _own),
    "data.read": _everybody,  # bounded by the asker's Access
    "case.read": _everybody,  # its parties, its team, supervisors: asked where the case is known
    "case.team": _role("officer"),
    "case.correct": _role("officer"),
    "request.file": _acting("case_officer"),
    "request.read": _any(_SUPERVISORS, _own),
    "request.step": _everybody,  # the procedure says whose each step is
    "verification.run": _everybody,  # bounded by the asker's Access
    "registration.put": _any(_first, _at_desk("officer"), _acting("resource_admin", "approver")),
    "registration.move": _DESK,
    "standing.open": _BINDING,  # for which unit, the procedure says
    "standing.step": _BINDING,
    "standing.read": _any(_SUPERVISORS, _own),
    "interface.read": _any(_SUPERVISORS, _own),
    "interface.switch": _any(_SECURITY, _DESK, _acting("resource_admin", "approver")),  # the resource's owner
    "supervision.issue": _DESK,
    "supervision.open": _BINDING,
    "supervision.step": _BINDING,
    "supervision.read": _any(_SUPERVISORS, _own),
    "restriction.decide": _DESK,
    "restriction.read": _any(_SUPERVISORS, _own),
    "report.annual": _SUPERVISORS,
    "quality.read": _any(_SUPERVISORS, _own),
    "quality.step": _everybody,  # the procedure says whose each step is
    "quality.policy": _DESK,
    "score.read": _any(_SUPERVISORS, _own),
    "ranking.read": _everybody,
    "report.gather": _DESK,
    "ledger.read": _any(_SUPERVISORS, _own),
    "application.file": _acting("applicant"),
    "application.read": _any(_role("officer", "auditor"), _own),
    "application.step": _everybody,  # the procedure says whose step it is
    "breach.read": _any(_role("officer", "auditor"), _own),
    "calendar.put": _role("admin", "officer"),
    "evidence.read": _any(_first, _role("auditor"), _own),
    "evidence.read_all": _any(_first, _role("auditor")),
    "evidence.recipients": _any(_first, _role("auditor"), _own),  # of a record: its provider
    "evidence.verify": _any(_first, _role("auditor")),
    "suspension.read": _any(_SECURITY, _role("auditor")),
    "suspension.put": _SECURITY,
    "correction.file": _any(_role("officer"), _own),  # what may be doubted is bounded by the asker's Access
    "correction.read": _any(_SUPERVISORS, _own),
    "correction.step": _any(_role("officer"), _own),
    "correction.bulk": _acting("admin", "source", "resource_admin", "approver", "quality"),
    "open.read": _SUPERVISORS,
    "open.release": _role("officer"),
    "subject.desk": _role("officer"),
    "statement.file": _any(_role("officer"), _own),
    "assessment.put": _any(_role("officer"), _own),
    "assessment.read": _any(_SUPERVISORS, _own),
    "notice.read": _any(_role("officer", "admin"), _own),
    "notice.acknowledge": _any(_role("officer", "admin"), _own),
    "rule.read": _any(_SUPERVISORS, _of_operator("quality", "engineer"), _own),
    "rule.put": _any(_first, _at_desk("officer", "quality", "engineer")),
    "warning.read": _any(_SUPERVISORS, _of_operator("quality"), _own),
    "warning.handle": _any(_role("officer"), _of_operator("quality"), _own),
    "status.read": _any(_first, _of_operator("admin", "officer", "security", "auditor", "engineer")),
    "dead_letter.read": _any(_first, _of_operator("admin", "officer")),
    "dead_letter.settle": _any(_first, _of_operator("admin", "officer")),
    "key.read": _any(_SECURITY, _role("auditor")),
    "key.rotate": _SECURITY,
    "trace.read": _any(_role("auditor"), _first),
}


def may(who: Principal, operation: str, unit: str = "") -> bool:
    """Whether ``who`` may do the operation on something of ``unit``. An unknown operation is a KeyError."""
    return RULES[operation](who, unit)


def permit(who: Principal, operation: str, unit: str = "") -> None:
    """Raises NotPermitted unless :func:`may`. The message does not tell whether the thing exists."""
    if not may(who, operation, unit):
        raise NotPermitted(
            f"无权执行此操作:{operation}", f"You may not do this: {operation}", operation=operation
        )


def acting_unit(who: Principal, declared: str) -> str:
    """The unit for which a request is made: the declared one (header ``Huitong-Unit``) or the asker's own.

    Raises NotPermitted when the asker may not act for the declared unit.
    """
    if not declared:
        return who.unit
    if not who.may_act_for(declared):
        raise NotPermitted(f"不能代表单位 {declared}", f"You may not act for unit {declared}", unit=declared)
    return declared
