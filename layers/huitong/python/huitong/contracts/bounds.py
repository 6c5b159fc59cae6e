"""Bounds of a field's values: ``minimum``, ``maximum`` and their exclusive forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from huitong.contracts.model import FieldType
from huitong.contracts.reading import Problems, text

_ORDERED: Final[tuple[FieldType, ...]] = ("integer", "decimal", "double", "date", "timestamp")


@dataclass(frozen=True, slots=True)
class Bounds:
    minimum: str | None = None
    maximum: str | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False


def read_bounds(
    options: Mapping[str, Any], type_: FieldType, digits: int, path: str, problems: Problems
) -> Bounds:
    """The bounds that the options give, else those of ``I(digits)``; faults are added to ``problems``."""
    low, low_exclusive = _bound(options, "inimum", type_, path, problems)
    high, high_exclusive = _bound(options, "aximum", type_, path, problems)
    if digits:
        low, high = low or f"-{'9' * digits}", high or "9" * digits
    if low and high and _value(low, type_) > _value(high, type_):
        problems.add(
            "bounds.order", path, f"最小值 {low} 大于最大值 {high}", f"minimum {low} is above maximum {high}"
        )
    return Bounds(low or None, high or None, low_exclusive, high_exclusive)


def is_value(value: str, type_: FieldType) -> bool:
    """Whether the text can be a value of the type, as contracts write them."""
    if type_ == "string":
        return True
    if type_ == "boolean":
        return value.lower() in ("true", "false")
    try:
        _value(value, type_)
    except (ValueError, InvalidOperation):
        return False
    return True


def unfit(option: str, type_: FieldType, path: str, problems: Problems) -> None:
    """Adds that an option has no meaning for the type."""
    problems.add(
        "option.unfit",
        f"{path}.{option}",
        f"{option} 不适用于 {type_} 类型",
        f"{option} does not apply to {type_}",
    )


def _bound(
    options: Mapping[str, Any], end: str, type_: FieldType, path: str, problems: Problems
) -> tuple[str, bool]:
    """``minimum`` or ``maximum``, and whether it is exclusive (a value of its own, or true)."""
    inclusive, exclusive = text(options.get(f"m{end}")), text(options.get(f"exclusiveM{end}"))
    is_flag = exclusive.lower() in ("true", "false")
    value = inclusive if is_flag or not exclusive else exclusive
    if not value:
        return "", False
    if type_ not in _ORDERED:
        unfit(f"m{end}", type_, path, problems)
        return "", False
    if not is_value(value, type_):
        problems.add(
            "bounds.value",
            f"{path}.m{end}",
            f"{value!r} 不是 {type_} 类型的值",
            f"{value!r} is not a value of {type_}",
        )
        return "", False
    return value, exclusive.lower() == "true" if is_flag else bool(exclusive)


def _value(value: str, type_: FieldType) -> Any:
    """A value that can be compared with others of its type. Raises ValueError or InvalidOperation."""
    if type_ == "date":
        return date.fromisoformat(value)
    if type_ == "timestamp":
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("a moment needs its offset")
        return moment
    number = Decimal(value)
    if not number.is_finite() or (type_ == "integer" and number != number.to_integral_value()):
        raise ValueError("not a finite number of the type")
    return number
