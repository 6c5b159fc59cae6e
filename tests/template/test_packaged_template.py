"""What the packaged template must not have, whoever takes it."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "localstack"))
import artifacts  # noqa: E402


def _nulls(value: Any, place: str = "") -> list[str]:
    if value is None:
        return [place]
    if isinstance(value, dict):
        return [found for name, part in value.items() for found in _nulls(part, f"{place}/{name}")]
    if isinstance(value, list):
        return [found for number, part in enumerate(value) for found in _nulls(part, f"{place}/{number}")]
    return []


def test_the_packaged_template_has_no_null() -> None:
    """CloudFormation refuses a template with one, LocalStack too; MiniStack takes it."""
    template = json.loads(artifacts.package(ROOT / "template.yaml", "bucket").template)
    assert _nulls(template) == []
    assert _nulls({"a": [{"b": None}]}) == ["/a/0/b"]
