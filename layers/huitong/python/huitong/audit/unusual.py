"""Unusual use (S-33): volume, hours, repeated look-ups of one subject. Rules are data, judged every minute.

What people and systems ask for is judged (pushes are what a grant owes them).
Counts of a principal's day stand in one register entry which also says up to
where each chain is counted: an entry is counted once, however often the job runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from huitong.audit.chain import Entry
from huitong.audit.suspensions import Suspensions
from huitong.audit.trace import Trace
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, EventBus, Item, Register, timestamp
from huitong.procedures.calendar import Calendar, WorkingDays, china_day

Measure = Literal["rows", "look-ups of one subject", "uses outside of hours", "refusals"]
_JUDGED: Final = frozenset({"query", "download", "access", "compare", "refuse"})
_BY_PEOPLE: Final = frozenset({"sql", "read", "export", "comparison", "request"})
_FEW: Final = 3  # persons in an answer up to which it is a look-up of each
_MOST_SUBJECTS: Final = 3_000  # kept of one principal and day
_DAYS: Final = 8
_CHINA: Final = timedelta(hours=8)
_OPENS, _CLOSES = 7, 20
BY: Final = "supervision"
#: The kind of its notices.
UNUSUAL: Final = "evidence.unusual"


@dataclass(frozen=True, slots=True)
class Rule:
    """At ``alert`` in a day somebody is told; at ``suspend`` (0 = never) the use of data stops."""

    id: str
    measure: Measure
    zh: str
    alert: int
    suspend: int = 0


RULES: Final[tuple[Rule, ...]] = (
    Rule("volume", "rows", "单日取数量异常", alert=100_000, suspend=2_000_000),
    Rule("look-ups", "look-ups of one subject", "反复查询同一主体", alert=20, suspend=60),
    Rule("hours", "uses outside of hours", "非工作时间使用", alert=5),
    Rule("refusals", "refusals", "多次越权尝试", alert=20, suspend=200),
)


class Unusual:
    """An observer of :class:`huitong.audit.heads.Heads`."""

    def __init__(
        self,
        register: Register,
        suspensions: Suspensions,
        calendar: Calendar,
        clock: Clock,
        events: EventBus,
        rules: Sequence[Rule] = RULES,
    ) -> None:
        self._register = register
        self._suspensions = suspensions
        self._calendar = calendar
        self._clock = clock
        self._events = events
        self._rules = rules

    def __call__(self, entries: Sequence[Entry]) -> None:
        """Count new entries of one chain and act on what is above a limit. Raises faults."""
        of_day: dict[tuple[str, str], list[Entry]] = defaultdict(list)
        for entry in entries:
            if entry.record.get("act") in _JUDGED and entry.record.get("actor"):
                day = china_day(datetime.fromisoformat(entry.at)).isoformat()
                of_day[str(entry.record["actor"]), day].append(entry)
        if not of_day:
            return
        days = self._calendar.working_days()
        for (actor, day), found in of_day.items():
            self._judge(actor, day, found, days)

    def _judge(self, actor: str, day: str, entries: Sequence[Entry], days: WorkingDays) -> None:
        item = self._register.get(f"USE#{actor}", day)
        counts = counted(dict(item.body) if item else {}, entries, days)
        raised = dict(counts.get("raised", {}))
        told: list[tuple[Rule, int, bool]] = []
        for rule in self._rules:
            reached = _reached(counts, rule)
            level = _level(rule, reached)
            if level > int(raised.get(rule.id, 0)):
                raised[rule.id] = level
                told.append((rule, reached, bool(rule.suspend) and reached >= rule.suspend))
        counts["raised"] = raised
        for rule, reached, stop in told:
            self._act(actor, day, rule, reached, stop)
        expires = int((self._clock.now() + timedelta(days=_DAYS)).timestamp())
        if item is None:
            self._register.create(Item(f"USE#{actor}", day, counts, expires=expires))
        else:
            self._register.replace(replace(item, body=counts))

    def _act(self, actor: str, day: str, rule: Rule, reached: int, stop: bool) -> None:
        notice = Notice(
            to=OPERATOR,
            kind=UNUSUAL,
            about=f"{actor}:{day}:{rule.id}",
            zh=f"{rule.zh}:{actor},{day},{reached}{',已暂停' if stop else ''}",
            en=f"Unusual use by {actor} on {day}: {reached} {rule.measure}{', suspended' if stop else ''}",
        )
        entry = entry_of(notice, timestamp(self._clock.now()))
        if stop:
            self._suspensions.suspend(actor, f"{rule.zh} {rule.id}: {reached}", by=BY, creates=[entry])
            if self._register.get(entry.pk, entry.sk) is None:  # suspended already: told all the same
                self._register.create(entry)
        else:
            self._register.create(entry)
        told = {"principal": actor, "day": day, "rule": rule.id, "reached": reached}
        self._events.publish("UseSuspended" if stop else "UnusualUse", told)


def counted(counts: dict[str, Any], entries: Sequence[Entry], days: WorkingDays) -> dict[str, Any]:
    """The counts with entries that were not yet counted: pure."""
    seen, subjects = dict(counts.get("seen", {})), dict(counts.get("subjects", {}))
    rows, outside, refused = (int(counts.get(n, 0)) for n in ("rows", "outside", "refused"))
    for entry in entries:
        if entry.n <= int(seen.get(str(entry.shard), 0)):
            continue
        seen[str(entry.shard)] = entry.n
        trace = Trace.from_dict(entry.record)
        if trace.act == "refuse":
            refused += 1
            continue
        rows += trace.count
        outside += trace.path in _BY_PEOPLE and is_outside(trace.at, days)
        if 0 < trace.subject_count <= _FEW:
            for subject in {s for s, _ in trace.subjects if s}:
                if subject in subjects or len(subjects) < _MOST_SUBJECTS:
                    subjects[subject] = int(subjects.get(subject, 0)) + 1
    return {
        **counts,
        "seen": seen,
        "subjects": subjects,
        "rows": rows,
        "outside": outside,
        "refused": refused,
    }


def is_outside(at: str, days: WorkingDays) -> bool:
    """Before 7, after 20 o'clock in China, or no working day."""
    moment = datetime.fromisoformat(at)
    return not (_OPENS <= (moment + _CHINA).hour < _CLOSES and days.is_working(china_day(moment)))


def _reached(counts: Mapping[str, Any], rule: Rule) -> int:
    if rule.measure == "look-ups of one subject":
        return max(counts.get("subjects", {}).values(), default=0)
    name = {"rows": "rows", "uses outside of hours": "outside", "refusals": "refused"}[rule.measure]
    return int(counts.get(name, 0))


def _level(rule: Rule, reached: int) -> int:
    """0, 1 = alert, 2 = suspend, and one more for each doubling after: lifted is not let off for the day."""
    if rule.suspend and reached >= rule.suspend:
        return 1 + (reached // rule.suspend).bit_length()
    return 1 if reached >= rule.alert else 0
