"""Working days against the checked cases of standards.md 2.10 and another calendar."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import chinese_calendar
import pytest

from huitong.audit.trace import Traces
from huitong.errors import BadRequest, NotFound
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.procedures.calendar import Calendar, WorkingDays, Year, china_day, packaged

DAYS = WorkingDays(packaged())


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2024-09-27", 10, "2024-10-16"),
        ("2025-01-24", 5, "2025-02-07"),
        ("2025-04-30", 3, "2025-05-08"),
        ("2024-12-31", 15, "2025-01-22"),
    ],
)
def test_the_checked_cases_are_due_on_their_days(received: str, days: int, due: str) -> None:
    """standards.md 2.10 (L-09, L-17, L-18, L-29, L-30)"""
    found = DAYS.after(date.fromisoformat(received), days)
    assert (found.day.isoformat(), found.provisional) == (due, False)


def test_every_day_of_seven_years_agrees_with_an_independent_calendar() -> None:
    """2020 to 2026; deadlines of 1, 3, 5, 10 and 15 days from each day follow from it and are counted anew."""
    first, last = date(2020, 1, 1), date(2026, 12, 31)
    every = [first + timedelta(n) for n in range((last - first).days + 1)]
    working = [day for day in every if chinese_calendar.is_workday(day)]
    assert [day for day in every if DAYS.is_working(day)] == working
    following = iter(working)
    later = list(working)
    for day in every:
        while later and later[0] <= day:
            later.pop(0)
        for days in (1, 3, 5, 10, 15):
            if len(later) >= days:
                assert DAYS.after(day, days).day == later[days - 1]
    assert next(following) == date(2020, 1, 2)


def test_a_deadline_that_reaches_a_year_without_a_table_is_provisional() -> None:
    assert not DAYS.after(date(2026, 12, 21), 8).provisional
    assert DAYS.after(date(2026, 12, 21), 9).provisional


def test_what_is_due_is_due_until_midnight_in_china() -> None:
    assert china_day(datetime(2026, 1, 5, 15, 59, tzinfo=UTC)) == date(2026, 1, 5)
    assert china_day(datetime(2026, 1, 5, 16, 0, tzinfo=UTC)) == date(2026, 1, 6)


def test_counting_there_and_back_agrees() -> None:
    for offset in range(0, 700, 7):
        start = date(2024, 1, 1) + timedelta(offset)
        due = DAYS.after(start, 10).day
        assert DAYS.between(start, due) == 10
        assert DAYS.between(start, DAYS.before(due, 2)) <= 8


def test_a_table_names_weekdays_off_weekend_days_of_work_and_at_least_one_holiday() -> None:
    with pytest.raises(BadRequest) as refused:
        Year.of(2027, ["2027-01-02", "2026-01-01", "x"], ["2027-01-04"])
    assert len(refused.value.problems) == 4
    with pytest.raises(BadRequest) as empty:
        Year.of(2027, [], [])
    assert [p.rule for p in empty.value.problems] == ["calendar.empty"]


def test_a_kept_table_wins_over_the_packages_and_its_change_is_evidence() -> None:
    register, clock = MemoryRegister(), ManualClock()
    calendar, traces = Calendar(register), Traces(register, clock)
    with pytest.raises(NotFound):
        calendar.get(2027)
    calendar.put(Year.of(2027, ["2027-01-01"], []), traces, by="desk")
    calendar.put(Year.of(2026, ["2026-01-05"], [], "更正"), traces, by="desk")
    calendar.put(Year.of(2026, ["2026-01-06"], [], "再更正"), traces, by="desk")
    days = calendar.working_days()
    assert (days.is_working(date(2026, 1, 5)), days.is_working(date(2026, 1, 6))) == (True, False)
    assert [t.detail for t in traces.list(unit="")].count("calendar:2026") == 2
