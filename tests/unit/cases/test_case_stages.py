"""Stages and transitions say what domain.md says; numbers are what quality publishes."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from huitong.cases.numbers import canonical
from huitong.cases.stages import BY_CODE, FAMILY, STAGES, TRANSITIONS, USABLE
from huitong.quality.semantics.case_number import canonical_case


def test_the_course_of_a_case_is_that_of_the_domain() -> None:
    """domain.md 2, written out: each transition, and the ends by ruling of every open stage."""
    text = """10>20 20>21 21>22 21>30 30>31 31>32 32>40 32>50 32>60 40>41 41>42 42>43 42>42 43>80
    50>51 51>52 52>80 50>70 70>40 60>61 61>80 60>70 43>90 52>90 61>90"""
    named = {(a, b) for a, b in (pair.split(">") for pair in text.split())}
    open_ = {"10", "20", "21", "30", "31", "32", "40", "41", "42", "43", "50", "51", "52", "60", "61", "70"}
    assert named | {(a, end) for a in open_ for end in ("22", "80")} == TRANSITIONS
    assert set(BY_CODE) == open_ | {"22", "80", "90"}
    assert {s.code for s in STAGES if s.open} == open_


def test_questions_are_possible_from_20_to_61_and_about_the_family_from_21_to_51() -> None:
    """domain.md 3."""
    assert sorted(USABLE) == [
        "20",
        "21",
        "30",
        "31",
        "32",
        "40",
        "41",
        "42",
        "43",
        "50",
        "51",
        "52",
        "60",
        "61",
    ]
    assert sorted(FAMILY) == ["21", "30", "31", "32", "40", "41", "42", "43", "50", "51"]


@given(st.text(alphabet="()（）2021粤03破230号个1之一二 \u3000\t", max_size=40))
def test_a_number_is_brought_to_the_form_that_quality_publishes(text: str) -> None:
    published = canonical_case(pa.array([text], pa.string()))[0].as_py()
    assert canonical(text) == published
