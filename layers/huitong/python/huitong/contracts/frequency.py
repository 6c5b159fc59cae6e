"""How often a resource is to be delivered, and when it is late (Q-46).

Days are calendar days in Asia/Shanghai. A delivery is due by the end of the calendar period that follows the
one in which the last came: after a delivery on any day of January, a monthly resource is due by the end of
28 or 29 February. When that last day is no working day, the next working day is the last one: nobody has to
deliver on a holiday. A real-time resource has no period: silence may mean that nothing happened.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final, Literal

#: Whether a day in China is a working day (procedures.calendar.WorkingDays.is_working).
Working = Callable[[date], bool]
_LONGEST_HOLIDAY: Final = 30

#: China has had one offset all year since 1991; no time zone database is needed for it.
SHANGHAI: Final = timezone(timedelta(hours=8), "Asia/Shanghai")


@dataclass(frozen=True, slots=True)
class Frequency:
    """``every`` counts ``period``; a period of "none" is never late."""

    name: str
    zh: str
    period: Literal["day", "week", "month", "none"]
    every: int = 1


#: The six of Q/BAAS 007 first, then the registered extensions.
FREQUENCIES: Final = {
    f.name: f
    for f in (
        Frequency("realtime", "实时", "none"),
        Frequency("daily", "每日", "day"),
        Frequency("weekly", "每周", "week"),
        Frequency("monthly", "每月", "month"),
        Frequency("quarterly", "每季度", "month", 3),
        Frequency("yearly", "每年", "month", 12),
        Frequency("half-yearly", "每半年", "month", 6),
        Frequency("irregular", "不定期", "none"),
    )
}
_OTHER_WORDS: Final = {
    "real-time": "realtime",
    "continuous": "realtime",
    "day": "daily",
    "week": "weekly",
    "month": "monthly",
    "quarter": "quarterly",
    "year": "yearly",
    "annual": "yearly",
    "annually": "yearly",
    "half-year": "half-yearly",
    "每天": "daily",
    "每季": "quarterly",
    "其他": "irregular",
    **{f.zh: f.name for f in FREQUENCIES.values()},
}
#: days in a counted unit, by how it begins; "m" and "mo" are months, "min" is not
_UNIT_DAYS: Final = (
    ("s", 0.0),
    ("min", 1 / 1440),
    ("h", 1 / 24),
    ("d", 1),
    ("w", 7),
    ("m", 31),
    ("q", 93),
    ("y", 366),
)
_UP_TO_DAYS: Final = (
    (0.99, "realtime"),
    (1, "daily"),
    (7, "weekly"),
    (31, "monthly"),
    (93, "quarterly"),
    (186, "half-yearly"),
    (372, "yearly"),
)


def frequency_named(value: str, unit: str = "") -> str:
    """The registered name of an ODCS ``frequency`` (``daily``, ``每日``, or 1 with unit d); empty if unknown.

    A counted interval without a name of its own becomes the next longer one: 2 d is weekly.
    """
    word = value.strip().lower()
    if word in FREQUENCIES:
        return word
    if word in _OTHER_WORDS:
        return _OTHER_WORDS[word]
    number = word.removesuffix(".0")
    one = next((days for begin, days in _UNIT_DAYS if unit.strip().lower().startswith(begin)), None)
    if not number.isdecimal() or one is None:
        return ""
    days = int(number) * one
    return next((name for limit, name in _UP_TO_DAYS if days <= limit), "irregular")


def due_by(last_received: datetime, frequency: str, working: Working | None = None) -> datetime | None:
    """The moment (UTC) until which the next delivery must have come, or None when there is no such duty.

    ``last_received`` must know its time zone; ``frequency`` is a name of :data:`FREQUENCIES` (else None).
    Without ``working`` every day counts as one.
    """
    duty = FREQUENCIES.get(frequency)
    if duty is None or duty.period == "none":
        return None
    day = last_received.astimezone(SHANGHAI).date()
    end = _after_next_period(day, duty)
    for _ in range(_LONGEST_HOLIDAY):
        if working is None or working(end - timedelta(days=1)):
            break
        end += timedelta(days=1)
    return datetime(end.year, end.month, end.day, tzinfo=SHANGHAI).astimezone(UTC)


def is_late(now: datetime, last_received: datetime, frequency: str, working: Working | None = None) -> bool:
    due = due_by(last_received, frequency, working)
    return due is not None and now >= due


def _after_next_period(day: date, duty: Frequency) -> date:
    """The first day after the period that follows the one of ``day``."""
    if duty.period == "day":
        return day + timedelta(days=2 * duty.every)
    if duty.period == "week":
        return day - timedelta(days=day.weekday()) + timedelta(weeks=2 * duty.every)
    months = day.year * 12 + day.month - 1
    start = months - months % duty.every
    year, month = divmod(start + 2 * duty.every, 12)
    return date(year, month + 1, 1)
