"""docs/cases.md and docs/verification.md say what the data say."""

from __future__ import annotations

from pathlib import Path

from huitong.cases.stages import diagram, table
from huitong.settings import QuerySettings
from huitong.verification.budget import Rules

DOCS = Path(__file__).resolve().parents[3] / "docs"


def test_the_page_of_cases_shows_the_stages_as_the_register_has_them() -> None:
    page = (DOCS / "cases.md").read_text("utf-8")
    assert diagram() in page
    assert table() in page


def test_the_page_of_comparison_names_the_limits_in_force() -> None:
    page, rules = (DOCS / "verification.md").read_text("utf-8"), Rules()
    for name, value in (
        ("fewest", rules.fewest),
        ("subject_day", rules.subject_day),
        ("asker_day", rules.asker_day),
        ("claims", rules.claims),
    ):
        assert f"| {value} | `VERIFY_{name.upper()}` |" in page
        assert QuerySettings.__dataclass_fields__[f"verify_{name}"].default == value
