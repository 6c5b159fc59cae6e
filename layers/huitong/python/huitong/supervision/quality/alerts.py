"""Alerts on trend and drift of scores: rules as data, each told once for a subject and month (C-06, C-10)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any, Final, Literal, Self, get_args

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, Conflict, NotFound, Problem
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, EventBus, Item, Register, timestamp

Kind = Literal["below", "drop"]
Level = Literal["info", "attention", "serious"]
METRICS: Final = (
    "completeness", "conformity", "timeliness", "consistency", "logic", "quality", "provision", "total",
)  # fmt: skip
_PK: Final = "SCORE-ALERTS"
_ID: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class ScoreAlert:
    """``below``: the score is less than ``value``; ``drop``: it fell by more than ``value`` since the month
    before. ``scope``: unit or resource. The unit and the operator's desk are told."""

    id: str
    metric: str
    kind: Kind
    value: int
    scope: Literal["unit", "resource"] = "unit"
    level: Level = "attention"
    enabled: bool = True

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Raises BadRequest with every fault."""
        made = cls(**body)
        wrong = {
            "id": not _ID.fullmatch(made.id),
            "metric": made.metric not in METRICS,
            "kind": made.kind not in get_args(Kind),
            "scope": made.scope not in ("unit", "resource"),
            "level": made.level not in get_args(Level),
            "value": not 0 <= made.value <= 100,
        }
        problems = [
            Problem("alert.value", f"{name} 有误", f"{name} is not valid", {"field": name})
            for name, bad in wrong.items()
            if bad
        ]
        if problems:
            raise BadRequest("预警规则有误", "The alert's rule is not valid", problems=problems)
        return made

    def fires(self, now: Decimal | None, before: Decimal | None) -> bool:
        if now is None or not self.enabled:
            return False
        if self.kind == "below":
            return now < self.value
        return before is not None and before - now > self.value


#: In force until somebody keeps a rule of the same id.
PACKAGED: Final = (
    ScoreAlert("low-quality", "quality", "below", 90),
    ScoreAlert("quality-fell", "quality", "drop", 5),
    ScoreAlert("late", "timeliness", "below", 80),
    ScoreAlert("resource-quality-fell", "quality", "drop", 10, scope="resource"),
)


class ScoreAlerts:
    def __init__(self, register: Register, traces: Traces, events: EventBus | None, clock: Clock) -> None:
        self._register = register
        self._traces = traces
        self._events = events
        self._clock = clock

    def all(self) -> list[ScoreAlert]:
        kept = [ScoreAlert(**i.body) for i in self._register.query(_PK)]
        return sorted(({a.id: a for a in PACKAGED} | {a.id: a for a in kept}).values(), key=lambda a: a.id)

    def put(self, made: ScoreAlert, *, by: str, unit: str) -> ScoreAlert:
        """Keep a rule, over a former one or one of the package. Raises Conflict."""
        stored = self._register.get(_PK, made.id)
        item = Item(_PK, made.id, made.as_dict(), stored.version if stored else 0)
        trace = Trace("configure", by, unit, detail=f"score-alert:{made.id}")
        self._traces.commit(trace, creates=[] if stored else [item], replaces=[item] if stored else [])
        return made

    def look(
        self,
        month: str,
        scope: str,
        subject: str,
        unit: str,
        now: Mapping[str, str | None],
        before: Mapping[str, str | None],
    ) -> Sequence[str]:
        """Tell of every rule that fires for a unit or resource, unless it was told of; their ids."""
        fired = []
        for rule in (r for r in self.all() if r.scope == scope):
            value, former = _number(now.get(rule.metric)), _number(before.get(rule.metric))
            if rule.fires(value, former) and self._first(rule, month, subject, unit, value, former):
                fired.append(rule.id)
        return fired

    def fired(self, month: str) -> list[dict[str, Any]]:
        """What was told of in a month."""
        return [dict(i.body) for i in self._register.query(f"SCORE-ALERTED#{month}")]

    def handle(self, month: str, id: str, remark: str, *, by: str, unit: str) -> dict[str, Any]:
        """Note what was done about an alert (``{rule}~{subject}``). Raises NotFound, Conflict."""
        item = self._register.get(f"SCORE-ALERTED#{month}", id)
        if item is None:
            raise NotFound(f"没有预警 {id}", f"There is no alert {id}", alert=id)
        done = item.with_body(state="handled", by=by, remark=remark, handled_at=timestamp(self._clock.now()))
        trace = Trace("procedure", by, unit, detail=f"score-alert:{month}:{id}"[:128])
        self._traces.commit(trace, replaces=[done])
        return dict(done.body)

    def _first(
        self,
        rule: ScoreAlert,
        month: str,
        subject: str,
        unit: str,
        now: Decimal | None,
        former: Decimal | None,
    ) -> bool:
        told = {
            "id": f"{rule.id}~{subject}", "rule": rule.id, "month": month, "scope": rule.scope,
            "subject": subject, "unit": unit, "metric": rule.metric, "level": rule.level,
            "value": str(now), "before": "" if former is None else str(former), "state": "open",
        }  # fmt: skip
        zh = f"{month} {subject} {rule.metric} 评分 {now}" + (
            f"(上月 {former})" if former is not None else ""
        )
        en = f"{month} {subject}: {rule.metric} is {now}" + (
            f" ({former} before)" if former is not None else ""
        )
        at = timestamp(self._clock.now())
        notices = [
            entry_of(Notice(to, "quality.alert", f"score-alert:{month}:{rule.id}", zh, en), at)
            for to in sorted({unit, OPERATOR} - {""})
        ]
        try:
            self._register.write(
                creates=[Item(f"SCORE-ALERTED#{month}", told["id"], {**told, "at": at}), *notices]
            )
        except Conflict:
            return False
        if self._events is not None:
            self._events.publish("QualityAlert", told)
        return True


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
