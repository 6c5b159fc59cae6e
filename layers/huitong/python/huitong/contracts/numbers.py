"""Decimal numbers as text, the same on every way out."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

#: Digits after the point that are kept of a number whose contract says nothing about them.
PLAIN_SCALE: Final = 9


def decimal_text(value: Decimal) -> str:
    """Exact, without exponent. A declared scale is shown in full (``750000.00``).

    Of a number with no declared scale the trailing zeros, which only our storage adds, are left out.
    """
    text = format(value, "f")
    if value.as_tuple().exponent == -PLAIN_SCALE:
        return text.rstrip("0").rstrip(".")
    return text
