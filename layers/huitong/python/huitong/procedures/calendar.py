"""Working days (工作日): a maintained calendar of public holidays and make-up working days (调休).

A year's table follows the State Council's notice, which comes late in the year
before. Until then a deadline in that year is *provisional*: counted Monday to
Friday, marked, and computed anew when the table comes (standards.md 2.10).

The day of receipt is day 0; what is due on day N is due at the end of that day
in China. Tables of past years are part of the package; later ones are kept in
the register (``CALENDAR / {year}``), where they win over the package's.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from functools import cache
from importlib import resources
from typing import Any, Final, Self

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, NotFound, Problem
from huitong.ports import Item, Register

#: Deadlines are days in China.
CHINA: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Year:
    """Weekdays without work and weekend days with work of one year."""

    year: int
    holidays: frozenset[date]
    make_up: frozenset[date]
    source: str = ""  # the notice, e.g. 国办发明电〔2025〕7号

    def as_dict(self) -> dict[str, Any]:
        return {
            "year": self.year,
            "holidays": sorted(d.isoformat() for d in self.holidays),
            "make_up": sorted(d.isoformat() for d in self.make_up),
            "source": self.source,
        }

    @classmethod
    def of(cls, year: int, holidays: Iterable[str], make_up: Iterable[str], source: str = "") -> Self:
        """Raises BadRequest with every day that is none, of another year, of the wrong kind, and
        when there is no holiday at all."""
        problems: list[Problem] = []
        sets: dict[str, set[date]] = {"holidays": set(), "make_up": set()}
        for name, days in (("holidays", holidays), ("make_up", make_up)):
            for text in days:
                day = _day(text)
                weekend = day is not None and day.weekday() >= 5
                if day is None or day.year != year or weekend != (name == "make_up"):
                    problems.append(_wrong_day(name, text, year))
                else:
                    sets[name].add(day)
        if not sets["holidays"] and not problems:  # no year is without: it would make true what is a guess
            zh, en = f"{year} 年没有放假日", f"{year} has no holidays"
            problems.append(Problem("calendar.empty", zh, en, {"field": "holidays"}))
        if problems:
            raise BadRequest("工作日历有误", "The calendar is not valid", problems=problems)
        return cls(year, frozenset(sets["holidays"]), frozenset(sets["make_up"]), source)


@dataclass(frozen=True, slots=True)
class Due:
    """The last day on which something is in time. ``provisional``: it reaches a year without a table."""

    day: date
    provisional: bool = False


class WorkingDays:
    """Counting, over the tables of some years."""

    def __init__(self, years: Mapping[int, Year]) -> None:
        self._years = years

    def is_working(self, day: date) -> bool:
        year = self._years.get(day.year)
        if year is not None and day in year.holidays:
            return False
        return day.weekday() < 5 or (year is not None and day in year.make_up)

    def after(self, received: date, days: int) -> Due:
        """Day ``days`` after the day of receipt (L-09, L-17, L-18, L-29, L-30). 0 = that day itself."""
        day, left, provisional = received, days, False
        while left > 0:
            day += timedelta(days=1)
            provisional = provisional or day.year not in self._years
            left -= self.is_working(day)
        return Due(day, provisional)

    def before(self, day: date, days: int) -> date:
        """``days`` working days before a day, for reminders."""
        while days > 0:
            day -= timedelta(days=1)
            days -= self.is_working(day)
        return day

    def between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; 0 when ``end`` is not later."""
        days = (start + timedelta(days=n) for n in range(1, (end - start).days + 1))
        return sum(self.is_working(day) for day in days)


class Calendar:
    """The tables of the package and those kept in the register."""

    def __init__(self, register: Register) -> None:
        self._register = register

    def put(self, year: Year, traces: Traces, *, by: str, unit: str = "") -> Year:
        """Keep a year's table, over a former one, with its record (S-16).

        Deadlines that reach into the year and were provisional are counted anew by
        the clock's next look. Raises Conflict when somebody else writes it right now.
        """
        stored = self._register.get("CALENDAR", str(year.year))
        item = Item("CALENDAR", str(year.year), year.as_dict(), version=stored.version if stored else 0)
        traces.commit(
            Trace("configure", by, unit, detail=f"calendar:{year.year}"),
            creates=[] if stored else [item],
            replaces=[item] if stored else [],
        )
        return year

    def get(self, year: int) -> Year:
        """Raises NotFound: deadlines in that year are provisional."""
        found = self.years().get(year)
        if found is None:
            raise NotFound(f"{year} 年的工作日历尚未发布", f"There is no calendar of {year} yet", year=year)
        return found

    def years(self) -> dict[int, Year]:
        kept = [
            Year.of(int(i.body["year"]), i.body["holidays"], i.body["make_up"], str(i.body["source"]))
            for i in self._register.query("CALENDAR")
        ]
        return {**packaged(), **{year.year: year for year in kept}}

    def working_days(self) -> WorkingDays:
        return WorkingDays(self.years())


@cache
def packaged() -> Mapping[int, Year]:
    """The years of ``data/working_days.csv``."""
    days: dict[int, dict[str, list[str]]] = {}
    text = resources.files("huitong.procedures").joinpath("data/working_days.csv").read_text()
    for row in csv.DictReader(text.splitlines()):
        year = days.setdefault(int(row["day"][:4]), {"holiday": [], "make-up": []})
        year[row["kind"]].append(row["day"])
    return {year: Year.of(year, of["holiday"], of["make-up"]) for year, of in days.items()}


def china_day(moment: datetime) -> date:
    """The day in China on which a moment lies."""
    return moment.astimezone(CHINA).date()


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _wrong_day(name: str, text: str, year: int) -> Problem:
    kind = ("周末", "a weekend day") if name == "make_up" else ("平日", "a weekday")
    return Problem(
        "calendar.day",
        f"{text} 不是 {year} 年的{kind[0]}",
        f"{text} is not {kind[1]} of {year}",
        {"field": name},
        "放假日只填平日,补班日只填周末",
        "Holidays are weekdays off, make-up days are weekend days of work",
    )
