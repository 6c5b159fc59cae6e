from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.compare_world import CompareWorld


@pytest.fixture
def world(tmp_path: Path) -> CompareWorld:
    return CompareWorld(tmp_path)
