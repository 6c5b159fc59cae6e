"""Roles given for a period, and which of them one person never holds together (S-07, S-10, X-15)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any, Final, Self, cast, get_args

from huitong.errors import BadRequest, NotPermitted, Problem
from huitong.identity.model import OPERATOR, Role
from huitong.ports import timestamp

ROLES: Final[frozenset[str]] = frozenset(get_args(Role))
#: System administrator, security administrator, auditor: three persons.
APART: Final[frozenset[str]] = frozenset({"admin", "security", "auditor"})
#: Roles over all units, for people of the operator alone: who run, secure and watch the platform, its desk.
DESK: Final[frozenset[str]] = APART | {"officer"}
_CHINA: Final = timezone(timedelta(hours=8))
_DAY: Final = 10


@dataclass(frozen=True, slots=True)
class RoleGrant:
    """A role from ``starts`` until just before ``ends`` (:func:`huitong.ports.timestamp`; empty = open)."""

    role: Role
    starts: str = ""
    ends: str = ""

    def in_force(self, at: str) -> bool:
        return self.starts <= at and not self.over(at)

    def over(self, at: str) -> bool:
        return bool(self.ends) and self.ends <= at

    def as_dict(self) -> dict[str, str]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(body["role"], body.get("starts", ""), body.get("ends", ""))


def read(given: Iterable[Mapping[str, Any]]) -> tuple[RoleGrant, ...]:
    """Roles as a request names them: ``{"role", "from"?, "to"?}`` with days (Chinese, the last included)
    or moments. Raises BadRequest with all problems."""
    grants: list[RoleGrant] = []
    problems: list[Problem] = []
    for place, one in enumerate(given):
        role = str(one.get("role", ""))
        starts, ends = _moment(one.get("from", "")), _moment(one.get("to", ""), last=True)
        if role not in ROLES:
            problems.append(_wrong(place, f"没有角色 {role}", f"there is no role {role}"))
        elif starts is None or ends is None or (starts and ends and ends <= starts):
            problems.append(_wrong(place, "起止时间有误", "the period is not valid"))
        else:
            grants.append(RoleGrant(cast(Role, role), starts, ends))
    if problems:
        raise BadRequest("角色有误", "The roles are not valid", problems=problems)
    return tuple(sorted(grants, key=lambda g: (g.role, g.starts)))


def in_force(grants: Iterable[RoleGrant], at: str) -> frozenset[Role]:
    return frozenset(grant.role for grant in grants if grant.in_force(at))


def check_apart(roles: Iterable[str]) -> None:
    """Raises NotPermitted when two of :data:`APART` would come into one hand (S-07)."""
    together = sorted(APART.intersection(roles))
    if len(together) > 1:
        named = "、".join(together)
        raise NotPermitted(
            f"系统管理员、安全管理员与审计员不得由一人兼任:{named}",
            f"One person never holds two of administrator, security administrator and auditor: {together}",
            roles=together,
        )


def _moment(text: str, *, last: bool = False) -> str | None:
    if not text:
        return ""
    try:
        if len(text) == _DAY:
            day = date.fromisoformat(text) + timedelta(days=1 if last else 0)
            return timestamp(datetime(day.year, day.month, day.day, tzinfo=_CHINA))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
    return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _wrong(place: int, zh: str, en: str) -> Problem:
    return Problem("account.roles", zh, en, {"path": f"roles[{place}]"})


def check_desk(roles: Iterable[str], unit: str) -> None:
    """Raises BadRequest when somebody of another unit would supervise all units (S-08)."""
    beyond = sorted(DESK.intersection(roles)) if unit not in ("", OPERATOR) else []
    if beyond:
        zh, en = "只授予平台运行单位的人员", "are given to people of the operator alone"
        raise BadRequest(f"角色 {' '.join(beyond)} {zh}", f"The roles {' '.join(beyond)} {en}", roles=beyond)
