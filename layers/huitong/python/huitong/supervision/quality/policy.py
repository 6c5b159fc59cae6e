"""What is policy in the work on quality, kept as data: time limits, from when on warnings become an issue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, Problem
from huitong.ports import Register

_AT: Final = ("QUALITY-POLICY", "ISSUES")
_MOST_DAYS: Final = 60


@dataclass(frozen=True, slots=True)
class IssuePolicy:
    """``days``: working days to mend; by resource before by unit before the general one.

    Warnings of one rule become an issue when they are more than ``warning_percent`` of the rows received.
    ``rectify_days``: working days of the rectification notice that an overdue issue leads to.
    """

    days: int = 5
    by_unit: Mapping[str, int] = field(default_factory=dict)
    by_resource: Mapping[str, int] = field(default_factory=dict)
    warning_percent: int = 5
    rectify_days: int = 5

    def days_for(self, unit: str, resource: str) -> int:
        return self.by_resource.get(resource) or self.by_unit.get(unit) or self.days

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Raises BadRequest with every number out of its range."""
        made = cls(**body)
        named = {"days": made.days, "rectify_days": made.rectify_days, **made.by_unit, **made.by_resource}
        problems = [
            Problem(
                "issues.days",
                f"{name}:须为 1 至 {_MOST_DAYS} 个工作日",
                f"{name}: give 1 to {_MOST_DAYS} working days",
                {"field": name},
            )
            for name, days in named.items()
            if not 1 <= days <= _MOST_DAYS
        ]
        if not 0 <= made.warning_percent <= 100:
            zh, en = "warning_percent 须为 0 至 100", "warning_percent is 0 to 100"
            problems.append(Problem("issues.percent", zh, en, {"field": "warning_percent"}))
        if problems:
            raise BadRequest("办法有误", "The policy is not valid", problems=problems)
        return made


def policy(register: Register) -> IssuePolicy:
    item = register.get(*_AT)
    return IssuePolicy.of(item.body) if item else IssuePolicy()


def set_policy(register: Register, traces: Traces, made: IssuePolicy, *, by: str, unit: str) -> IssuePolicy:
    """Raises Conflict when somebody else sets it at this moment."""
    from huitong.ports import Item

    stored = register.get(*_AT)
    item = Item(*_AT, made.as_dict(), stored.version if stored else 0)
    trace = Trace("configure", by, unit, detail="quality-issue-policy")
    traces.commit(trace, creates=[] if stored else [item], replaces=[item] if stored else [])
    return made
