"""docs/athena.md says what is true."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from huitong.athena.choice import ABOVE_ROWS, Reason, Setting
from huitong.athena.text import MAX_BYTES
from huitong.query.athena import MOST_DISCLOSED
from huitong.query.limits import Limits

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/athena.md").read_text()


def test_the_page_names_every_reason_setting_and_limit() -> None:
    reasons = re.findall(r"^\| `([a-z-]+)(?::[^`]*)?` \|", PAGE, re.MULTILINE)
    assert set(get_args(Reason)) <= set(reasons)
    assert all(f"`{setting}`" in PAGE for setting in get_args(Setting))
    assert f"{ABOVE_ROWS:,}" in PAGE
    assert f"{MOST_DISCLOSED:,}" in PAGE
    assert f"{Limits().seconds:g} s" in PAGE
    assert f"{MAX_BYTES:,}" in (ROOT / "docs/decisions/athena.md").read_text()


def test_what_the_page_refers_to_is_there() -> None:
    for linked in re.findall(r"\]\(([^)#]+)\)", PAGE):
        assert (ROOT / "docs" / linked).exists(), linked
    for named in re.findall(r"`(tests/[^`]+)`", PAGE):
        assert (ROOT / named).exists(), named
