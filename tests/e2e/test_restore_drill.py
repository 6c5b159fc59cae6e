"""A deployment is lost and restored under other names: equal digests, working chains, within the goals (S-25, L-54).

The same drill with more rows is ``make drill``.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "localstack"))


@pytest.mark.timeout(900)  # two deployments, on machines that do other things, too
def test_an_empty_deployment_of_another_name_holds_the_same_after_a_restore(tmp_path: Path) -> None:
    import drill

    report = drill.drill(tmp_path, resources=1, rows=50, editions=2)
    compared = report.told["compared"]
    assert compared["table:drill_0:now"] == 50
    assert compared["table:drill_0:first"] == 50
    assert (
        compared["table:drill_0__changes:now"] == 50 + 5 + 1 + 1
    )  # inserts, then the second edition's changes
    assert min(compared[name] for name in ("register", "evidence", "objects:landing")) > 0
    assert report.recovery < drill.GOALS["time"]
    assert report.seconds["export"] < drill.GOALS["point"]
