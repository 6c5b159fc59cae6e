"""Key values as people write them, as the values that a table holds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from huitong.contracts.model import Contract, Field
from huitong.errors import BadRequest


def typed_key(contract: Contract, given: Mapping[str, Any]) -> dict[str, Any]:
    """Raises BadRequest when a key field is missing or its value is none of its type."""
    names = [f.name for f in contract.keys]
    if set(given) != set(names):
        raise BadRequest(
            f"主键须为 {'、'.join(names)}", f"The key is {', '.join(names)}", resource=contract.id, key=names
        )
    return {field.name: _typed(field, given[field.name]) for field in contract.keys}


def _typed(field: Field, value: Any) -> Any:
    text = str(value)
    try:
        if field.type == "integer":
            return int(text)
        if field.type == "decimal":
            return Decimal(text)
        if field.type == "date":
            return date.fromisoformat(text)
        if field.type == "timestamp":
            return datetime.fromisoformat(text)
    except (ValueError, InvalidOperation) as error:
        raise BadRequest(f"{field.name} 的值有误", f"The value of {field.name} is not one") from error
    return text.lower() == "true" if field.type == "boolean" else text
