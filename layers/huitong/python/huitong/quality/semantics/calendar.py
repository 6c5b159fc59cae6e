"""Which days exist, as tables to look up."""

from __future__ import annotations

import calendar
from typing import Final

import numpy as np
import numpy.typing as npt


def _days(leap: bool) -> npt.NDArray[np.bool_]:
    table = np.zeros(10_000, dtype=np.bool_)
    year = 2000 if leap else 2001
    for month in range(1, 13):
        for day in range(1, calendar.monthrange(year, month)[1] + 1):
            table[month * 100 + day] = True
    return table


_EXISTS: Final = np.concatenate([_days(False), _days(True)])


def is_day(year: npt.NDArray[np.int32], month_day: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Whether the day exists in the Gregorian calendar; ``month_day`` is month × 100 + day, 0 to 9999."""
    leap = ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
    exists: npt.NDArray[np.bool_] = _EXISTS.take(month_day + leap * np.int32(10_000))
    return exists & (year > 0)


def days_since_1970(year: npt.NDArray[np.int32], month_day: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Days from 1970-01-01 (Howard Hinnant's days_from_civil). Only for days that exist."""
    month, day = np.divmod(month_day, 100)
    shifted = year - (month <= 2)
    era = shifted // 400
    of_era = shifted - era * 400
    of_year = (153 * (month + np.where(month > 2, -3, 9)) + 2) // 5 + day - 1
    of_days = of_era * 365 + of_era // 4 - of_era // 100 + of_year
    result: npt.NDArray[np.int32] = (era * 146_097 + of_days - 719_468).astype(np.int32)
    return result
