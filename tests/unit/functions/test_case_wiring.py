"""What cases need is built in every function that asks for it, without touching anything outside."""

from __future__ import annotations

import pytest
from test_light_functions import HEAVY, loads


@pytest.mark.parametrize(
    ("folder", "settings", "areas"),
    [
        ("api", "ApiSettings", "cases stage_corrections requests"),
        ("run_schedule", "ScheduleSettings", "cases requests case_endings"),
        ("push_changes", "PushSettings", "cases case_feed case_endings"),
        ("query_data", "QuerySettings", "cases requests verifications"),
    ],
)
def test_each_function_builds_the_areas_of_cases_that_it_uses(folder: str, settings: str, areas: str) -> None:
    found = loads(
        f"from huitong import settings; from huitong.wiring.areas import builder\n"
        f"area = builder(settings.{settings}.read())\n"
        f"for name in {areas!r}.split(): area(name)",
        folder,
    )
    if folder in ("api", "run_schedule"):
        assert not found & HEAVY


def test_what_follows_publications_is_built() -> None:
    assert "boto3" in loads(
        "import handler; from huitong import wiring; assert wiring.build_after_publication() and wiring.build_following()",
        "push_changes",
    )
