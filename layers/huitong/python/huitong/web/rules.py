"""A rule as bodies give it. Quick to import."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from huitong.quality.rulebook.model import OfficeRule


def rule_of(body: Mapping[str, Any]) -> OfficeRule:
    """The rule of a body, with numbers as the register keeps them."""
    return OfficeRule.from_dict({name: _plain(value) for name, value in body.items() if name != "seen"})


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value
