"""Property tests are the same in every run; HYPOTHESIS_PROFILE=explore looks further."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.support")  # their assertions explain themselves, too

settings.register_profile("steady", derandomize=True)
settings.register_profile("explore", max_examples=1000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "steady"))


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes name no test: archives hold the time they were made at, and two workers would collect two names."""
    return "bytes" if isinstance(val, bytes) else None
