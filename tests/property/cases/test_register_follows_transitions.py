"""For random sequences of the court's rows the register follows exactly the allowed transitions."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.court import CASE_NO, CourtWorld, stage_row

CODES = ("10", "20", "21", "22", "30", "31", "32", "40", "41", "42", "43",
         "50", "51", "52", "60", "61", "70", "80", "90")  # fmt: skip
# domain.md 2, as a naive model has it: stage → what may follow
NEXT = {
    "10": {"20"}, "20": {"21"}, "21": {"30"}, "30": {"31"}, "31": {"32"}, "32": {"40", "50", "60"},
    "40": {"41"}, "41": {"42"}, "42": {"43"}, "43": {"90"}, "50": {"51", "70"}, "51": {"52"}, "52": {"90"},
    "60": {"61", "70"}, "61": {"90"}, "70": {"40"}, "22": set(), "80": set(), "90": set(),
}  # fmt: skip
OPEN = set(CODES) - {"22", "80", "90"}


def naive(stages: Sequence[str]) -> tuple[list[str], int]:
    """The stages that the register must have taken, and how many rows it must have refused."""
    taken, refused = [stages[0]], 0
    for stage in stages[1:]:
        now = taken[-1]
        if stage == now:
            if now == "42":  # each row is later than the one before: the observation period is extended
                taken.append("42")
        elif stage in NEXT[now] or (now in OPEN and stage in ("22", "80")):
            taken.append(stage)
        else:
            refused += 1
    return taken, refused


def likely(draw: st.DrawFn) -> list[str]:
    """Mostly possible courses, with impossible rows in between."""
    stages = [draw(st.sampled_from(("10", "20", "30", "42", "50")))]
    for _ in range(draw(st.integers(0, 12))):
        following = sorted(NEXT[stages[-1]] | ({"80"} if stages[-1] in OPEN else set()))
        wild = draw(st.integers(0, 3)) == 0 or not following
        stages.append(draw(st.sampled_from(CODES if wild else following)))
    return stages


@st.composite
def courses(draw: st.DrawFn) -> tuple[list[str], list[int], list[bool]]:
    stages = likely(draw)
    cuts = [draw(st.integers(1, 4)) for _ in stages]  # rows of each publication
    again = [draw(st.booleans()) for _ in stages]  # whether its message comes again
    return stages, cuts, again


@settings(max_examples=150, deadline=None)
@given(courses())
def test_the_register_is_where_the_naive_model_is(course: tuple[list[str], list[int], list[bool]]) -> None:
    """However rows are spread over publications, and however often a message comes."""
    stages, cuts, again = course
    world, rows = CourtWorld(), [
        stage_row(s, stage_time=datetime(2022, 1, 1, n // 60, n % 60, tzinfo=UTC)) for n, s in enumerate(stages)
    ]  # fmt: skip
    while rows:
        size = cuts.pop()
        world.log.publish("IN-01", *rows[:size])
        rows = rows[size:]
        if again.pop():
            world.feed.run("IN-01")
            world.another_feed().run("IN-01")
    world.feed.run("IN-01")
    taken, refused = naive(stages)
    case = world.cases.get(CASE_NO)
    assert [m.stage for m in case.history] == taken
    assert case.stage == taken[-1]
    assert len(world.cases.findings(CASE_NO)) == refused
    assert bool(case.ended) == any(s in ("22", "80") for s in taken)
