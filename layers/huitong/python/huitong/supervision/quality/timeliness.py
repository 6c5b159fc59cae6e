"""Which deliveries were due in a period and whether they came in time (C-09, L-36). Pure, light.

The duty itself is :func:`huitong.contracts.frequency.due_by`: one rule for lateness, restrictions and scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from huitong.contracts.frequency import Working, due_by
from huitong.procedures.calendar import WorkingDays, china_day
from huitong.supervision.quality.scores import Share

#: Working days after the due moment within which a delivery still counts half.
HALF_WITHIN: Final = 5
#: Dues of one resource in one period at most: daily deliveries of a year.
_MOST: Final = 400


@dataclass(frozen=True, slots=True)
class Due:
    """One duty to deliver: until ``moment`` (exclusive); ``came`` is the delivery that met it, if any."""

    moment: datetime
    came: datetime | None
    days_late: int  # working days; of one that has not come: until now

    @property
    def met(self) -> bool:
        return self.came is not None and self.days_late == 0

    @property
    def halves(self) -> int:
        """2 in time, 1 up to :data:`HALF_WITHIN` working days late, else 0."""
        if self.came is None or self.days_late > HALF_WITHIN:
            return 0
        return 1 if self.days_late else 2


def dues(
    landed: Sequence[datetime],
    frequency: str,
    low: datetime,
    high: datetime,
    now: datetime,
    days: WorkingDays,
) -> list[Due]:
    """The duties whose moment lies in [low, high) and has passed, oldest first. One from before that is still
    unmet counts, too: who stops delivering does not drop out of the scores.

    ``landed``: all usable deliveries before ``high``, also earlier ones, in any order. Each starts the next
    duty; a duty that nothing met in its time is met by the next delivery, late; duties that fell due in
    between are not counted again: the next one runs from that delivery.
    """
    working: Working = days.is_working
    found: list[Due] = []
    moments = sorted(landed)
    for number, last in enumerate(moments):
        due = due_by(last, frequency, working)
        if due is None:
            return []
        came = moments[number + 1] if number + 1 < len(moments) else None
        if came is not None and came < due:
            if due_by(came, frequency, working) != due:  # else a second one of the period: the same duty
                found.append(Due(due, came, 0))
        elif due <= now:
            found.append(Due(due, came, _late(due, came or now, days)))
        if len(found) > _MOST:
            break
    passed = (d for d in found if d.moment < high and d.moment <= now)
    return [d for d in passed if d.moment >= low or d.came is None]


def _late(due: datetime, came: datetime, days: WorkingDays) -> int:
    last_day = china_day(due - timedelta(seconds=1))
    return max(1, days.between(last_day, china_day(came)))


def timely(found: Sequence[Due]) -> Share:
    return Share(sum(d.halves for d in found), 2 * len(found))
