"""Update frequency and lateness (Q-46)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from huitong.contracts.frequency import FREQUENCIES, SHANGHAI, due_by, frequency_named, is_late


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("frequency", "received", "due"),
    [
        ("daily", "2026-03-10T00:00:00", "2026-03-12"),
        ("daily", "2026-02-28T12:00:00", "2026-03-02"),
        ("weekly", "2026-03-09T00:00:00", "2026-03-23"),  # a Monday
        ("weekly", "2026-03-15T23:59:59", "2026-03-23"),  # the Sunday of that week
        ("monthly", "2026-01-01T00:00:00", "2026-03-01"),
        ("monthly", "2026-01-31T23:00:00", "2026-03-01"),
        ("monthly", "2026-12-05T00:00:00", "2027-02-01"),
        ("quarterly", "2026-01-15T00:00:00", "2026-07-01"),
        ("quarterly", "2026-12-31T00:00:00", "2027-04-01"),
        ("half-yearly", "2026-06-30T00:00:00", "2027-01-01"),
        ("yearly", "2024-02-29T00:00:00", "2026-01-01"),
    ],
)
def test_the_next_delivery_is_due_by_the_end_of_the_following_period(
    frequency: str, received: str, due: str
) -> None:
    """Q-46."""
    moment = due_by(shanghai(received), frequency)

    assert moment == shanghai(due)
    assert moment.tzinfo is UTC


def test_days_are_those_of_shanghai() -> None:
    late_in_utc = datetime(2026, 3, 10, 16, 0, tzinfo=UTC)  # already the 11th in Shanghai

    assert due_by(late_in_utc, "daily") == shanghai("2026-03-13")


def test_late_begins_with_the_first_moment_after_the_period() -> None:
    received, due = shanghai("2026-01-31T08:00:00"), shanghai("2026-03-01")

    assert not is_late(due - timedelta(seconds=1), received, "monthly")
    assert is_late(due, received, "monthly")


def test_an_irregular_or_unknown_frequency_is_never_late() -> None:
    received, now = shanghai("2000-01-01"), shanghai("2026-01-01")

    assert not is_late(now, received, "irregular")
    assert not is_late(now, received, "")


@pytest.mark.parametrize(
    ("value", "unit", "name"),
    [
        ("实时", "", "realtime"), ("每日", "", "daily"), ("每周", "", "weekly"), ("每月", "", "monthly"),
        ("每季度", "", "quarterly"), ("每年", "", "yearly"), ("不定期", "", "irregular"),
        ("Real-Time", "", "realtime"), ("DAILY", "", "daily"), ("annually", "", "yearly"),
        ("1", "d", "daily"), ("1", "day", "daily"), ("24", "hours", "daily"), ("1", "w", "weekly"),
        ("7", "days", "weekly"), ("1", "month", "monthly"), ("3", "mo", "quarterly"), ("1", "y", "yearly"),
        ("15", "min", "realtime"), ("2", "d", "weekly"), ("5", "y", "irregular"),
        ("sometimes", "", ""), ("1", "", ""), ("1", "fortnight", ""),
    ],
)  # fmt: skip
def test_the_words_and_counts_of_contracts_are_registered_frequencies(
    value: str, unit: str, name: str
) -> None:
    assert frequency_named(value, unit) == name
    assert name in FREQUENCIES or name == ""
