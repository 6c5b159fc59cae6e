"""The published formulas, the calendar of lateness, statistics (C-08, C-09, C-16, Q-22)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

from hypothesis import given
from hypothesis import strategies as st

from huitong.batches.model import Batch, Counts, Quality
from huitong.contracts.frequency import due_by
from huitong.contracts.model import Contract, Field, RowRule
from huitong.local.register import MemoryRegister
from huitong.procedures.calendar import Calendar
from huitong.supervision.quality.monthly import Monthly
from huitong.supervision.quality.scores import Measured, Scores, Share, measured, ranking, scores, summed
from huitong.supervision.quality.statistics import Statistics
from huitong.supervision.quality.timeliness import dues, timely

DOCS = Path(__file__).resolve().parents[3] / "docs" / "scores.md"
DAYS = Calendar(MemoryRegister()).working_days()
CONTRACT = Contract(
    "r", 1, "r",
    (Field("k", key=1, required=True), Field("a", required=True), Field("b", codes=("1",)), Field("c")),
    provider="U", frequency="daily", rules=(RowRule("x", "a < b", ("a", "b")),),
)  # fmt: skip
CRITERIA = ("missing", "format", "conflicting", "constraint")


def batch(rows: int, **wrong: int) -> Batch:
    checks = {f"error|{criterion}|c|{criterion}": n for criterion, n in wrong.items() if n}
    return Batch(
        "b", "r", "U", "full", "published", "k", received_at="2026-01-05T01:00:00.000Z",
        counts=Counts(received=rows, accepted=rows), quality=Quality(checks=checks),
    )  # fmt: skip


def at(text: str) -> datetime:
    """A moment in China."""
    return datetime.fromisoformat(f"{text}+08:00").astimezone(UTC)


def test_the_examples_of_the_published_formulas_are_right() -> None:
    """C-08: docs/scores.md is held by the code."""
    text = DOCS.read_text().split("<!-- examples -->")[1].split("<!-- /examples -->")[0]
    lines = [[c.strip() for c in line.strip("|").split("|")] for line in text.strip().splitlines()[2:]]
    assert len(lines) == 3
    for rows, *wrong, completeness, conformity, consistency, logic, quality in lines:
        named = dict(zip(CRITERIA, map(int, wrong), strict=True))
        made = scores(measured(batch(int(rows), **named), CONTRACT))
        found = (made.completeness, made.conformity, made.consistency, made.logic, made.quality)
        assert [str(v) for v in found] == [completeness, conformity, consistency, logic, quality]


@given(st.lists(st.tuples(st.integers(0, 50), *(st.integers(0, 200) for _ in CRITERIA)), max_size=6))
def test_scores_lie_between_0_and_100_and_a_month_is_the_sum_of_its_deliveries(
    parts: list[tuple[int, ...]],
) -> None:
    """C-08: in any order, and more violations never score higher."""
    made = [measured(batch(rows, **dict(zip(CRITERIA, n, strict=True))), CONTRACT) for rows, *n in parts]
    assert summed(made) == summed(reversed(made))
    one = scores(summed(made))
    for value in (one.completeness, one.conformity, one.consistency, one.logic, one.quality):
        assert value is None or 0 <= value <= 100
    worse = [replace(m, logic=Share(max(0, m.logic.good - 1), m.logic.all)) for m in made]
    before, after = one.logic, scores(summed(worse)).logic
    assert before is None or after is None or after <= before


def test_a_file_that_cannot_be_read_lowers_the_score_and_an_empty_edition_does_not() -> None:
    """C-08."""
    refused = replace(batch(0), status="rejected", decision="rejected")
    assert scores(measured(refused, CONTRACT)).conformity == Decimal("0.00")
    assert measured(refused, CONTRACT).rejected == 1
    assert scores(measured(batch(0), CONTRACT)).quality is None


def test_who_comes_on_the_first_working_day_after_a_holiday_is_in_time() -> None:
    """C-09, L-36: the day due is a holiday (1 October 2025 to 8 October 2025), so 9 October counts."""
    due = due_by(at("2025-09-30T10:00:00"), "daily", DAYS.is_working)
    assert due == at("2025-10-10T00:00:00")
    assert due_by(at("2025-09-30T10:00:00"), "daily") == at("2025-10-02T00:00:00")
    low, high, now = at("2025-10-01T00:00:00"), at("2025-11-01T00:00:00"), at("2025-11-01T00:00:00")
    landed = [at("2025-09-30T10:00:00"), at("2025-10-09T23:00:00"), at("2025-10-13T09:00:00")]
    found = dues(landed, "daily", low, high, now, DAYS)
    assert [(d.met, d.days_late) for d in found[:2]] == [
        (True, 0),
        (False, 2),
    ]  # Saturday 11 October is worked
    assert timely(found[:2]) == Share(3, 4)
    assert found[-1].came is None
    assert found[-1].days_late > 5


def test_two_deliveries_of_one_period_meet_one_duty() -> None:
    """C-09: delivering twice earns nothing twice."""
    low, high, now = at("2026-01-01T00:00:00"), at("2026-04-01T00:00:00"), at("2026-03-20T00:00:00")
    landed = [at(f"2026-{d}T10:00:00") for d in ("01-05", "01-20", "02-10")]
    found = dues(landed, "monthly", low, high, now, DAYS)
    # Saturday 28 February is worked, to make up for the Spring Festival
    assert [(d.met, d.moment) for d in found] == [(True, at("2026-03-01T00:00:00"))]


def test_who_stops_delivering_is_scored_in_every_month_until_something_comes() -> None:
    """C-09: a month without anything is no month without a duty."""
    landed = [at("2026-01-05T10:00:00")]
    now = at("2026-06-20T00:00:00")
    for month in (3, 4, 5):
        low, high = at(f"2026-0{month}-01T00:00:00"), at(f"2026-0{month + 1}-01T00:00:00")
        (owed,) = dues(landed, "monthly", low, high, now, DAYS)
        assert (owed.moment, owed.came, timely([owed])) == (at("2026-03-01T00:00:00"), None, Share(0, 2))
    low, high = at("2026-05-01T00:00:00"), at("2026-06-01T00:00:00")
    came = [*landed, at("2026-05-08T09:00:00")]
    assert dues(came, "monthly", low, high, now, DAYS) == [], (
        "March and April told of it: it is not told twice"
    )


class Landed:
    """The deliveries of the one resource."""

    def __init__(self, *batches: Batch) -> None:
        self._batches = sorted(batches, key=lambda b: b.received_at, reverse=True)

    def of_resource(self, _: str, *, low: str = "", high: str = "~", limit: int = 0) -> list[Batch]:
        found = [b for b in self._batches if low <= b.received_at <= high]
        return found[:limit] if limit else found


def in_month(name: str, *batches: Batch) -> Measured:
    contract = replace(CONTRACT, frequency="monthly")
    calendar = Calendar(MemoryRegister())
    clock = SimpleNamespace(now=lambda: at("2026-06-20T00:00:00"))
    month = Monthly(
        lambda: [contract], Landed(*batches), calendar, clock, lambda _: "2026-01-05T02:00:00.000Z"
    )
    return month.of(name).units()["U"]


def test_a_resource_that_never_came_is_owed_from_its_registration() -> None:
    """C-09: registered in January, so due by the end of February."""
    none = in_month("2026-02")
    assert (none.provided, none.timely) == (Share(), Share())
    for name in ("2026-03", "2026-05"):
        owed = in_month(name)
        assert (owed.provided, owed.timely) == (Share(0, 1), Share(0, 2))
        assert scores(owed).total == Decimal("0.00")


def test_the_same_content_again_is_in_time_and_what_the_platform_brings_again_is_no_delivery() -> None:
    """C-09, L-36: one rule decides on lateness and on scores."""

    def landed(status: str, day: str, **more: str) -> Batch:
        return replace(batch(4), status=status, received_at=f"2026-{day}T01:00:00.000Z", **more)  # type: ignore[arg-type]

    first = landed("published", "01-20")
    assert in_month("2026-03", first).timely == Share(0, 2)
    assert in_month("2026-03", first, landed("duplicate", "02-20")).timely == Share(2, 2)
    for other in ({"mends": "b0"}, {"mends": "b0", "replay": True}, {"edition": "e / v2"}):
        again = landed("published", "02-20", **other)  # type: ignore[arg-type]
        assert in_month("2026-03", first, again).timely == Share(0, 2), other


def test_equal_units_share_a_rank_and_who_had_no_duty_has_none() -> None:
    """C-09."""

    def of(total: str | None) -> Scores:
        value = None if total is None else Decimal(total)
        return Scores(None, None, None, None, None, value, None, value)

    places = ranking({"a": of("90"), "b": of("95"), "c": of("90"), "d": of("10"), "e": of(None)})
    assert [(p.rank, p.unit) for p in places] == [(1, "b"), (2, "a"), (2, "c"), (4, "d")]


def test_a_part_without_a_score_leaves_its_weight_to_the_others() -> None:
    """C-09: a unit with no duty in the month is not punished for it."""
    made = scores(Measured(conformity=Share(9, 10), provided=Share(1, 1)))
    assert (made.quality, made.timeliness) == (Decimal("90.00"), None)
    assert made.total == Decimal("94.29")  # (30 × 100 + 40 × 90) ÷ 70


def test_what_a_unit_provided_and_another_obtained_is_counted_by_day_and_by_month() -> None:
    """C-16: the provider's own reading of its data is no exchange."""
    delivery = SimpleNamespace(state="acknowledged", created_at="2026-01-05T17:00:00.000Z", unit="V", count=7)
    use = SimpleNamespace(act="query", path="sql", unit="V", at="2026-01-05T03:00:00.000Z", count=4)
    own = SimpleNamespace(act="query", path="sql", unit="U", at="2026-01-05T03:00:00.000Z", count=9)
    made = Statistics(
        lambda: [CONTRACT],
        SimpleNamespace(of_resource=lambda *_, **__: [batch(10)]),
        SimpleNamespace(of_resource=lambda *_, **__: [delivery]),
        SimpleNamespace(list=lambda **_: [use, own]),
    ).of("2026-01")
    lines = {(x["period"], x["unit"], x["direction"]): x for x in made}
    assert lines["2026-01", "U", "provided"]["received"] == 10
    assert (lines["2026-01", "V", "obtained"]["events"], lines["2026-01", "V", "obtained"]["rows"]) == (7, 4)
    assert lines["2026-01-06", "V", "obtained"]["events"] == 7  # 17:00 UTC is the next day in China
    assert ("2026-01", "U", "obtained") not in lines
