"""The masks of sensitive data items (domain.md section 4; L-23, S-30).

Each mask exists twice, as a DuckDB expression for columns and as a function
for single values, and both give the same text (proved by a property test).
Only functions that Trino has too are used, so that the expressions can be
transpiled. What is too short to keep a part of is hidden whole.
"""

from __future__ import annotations

import re
from typing import Final

from huitong.contracts.model import Field, Mask

#: What stands for a value of which nothing is shown; its length says nothing.
HIDDEN: Final = "****"

#: kept characters at the start and the end, and how long a value must be for that
_KEPT: Final[dict[str, tuple[int, int, int]]] = {
    "name": (1, 0, 2),
    "id": (4, 2, 10),
    "phone": (3, 4, 11),
    "account": (0, 4, 8),
    "plate": (2, 1, 6),
}

# Province, city, district at most; each name at most 12 characters without a further division's mark.
_NAME = "[^省市区县旗州盟0-9]{1,12}"
_DISTRICT: Final = (
    f"^((?:{_NAME}(?:省|自治区))?(?:{_NAME}(?:市|自治州|州|地区|盟))?(?:{_NAME}(?:新区|区|县|市|旗))?)"
)
_DISTRICT_PATTERN: Final = re.compile(_DISTRICT)


def mask_of(field: Field) -> Mask:
    """The mask under which a field leaves the platform: "" for levels L1 and L2."""
    return (field.mask or "all") if field.masked else ""


def mask_value(mask: Mask, value: str | None) -> str | None:
    """One value masked; null and the empty mask stay as they are."""
    if value is None or not mask:
        return value
    if mask == "address":
        found = _DISTRICT_PATTERN.match(value)
        return (found.group(1) if found else "") + HIDDEN
    if mask not in _KEPT:
        return HIDDEN
    head, tail, least = _KEPT[mask]
    if len(value) < least:
        return "*" * len(value)
    return value[:head] + "*" * (len(value) - head - tail) + (value[-tail:] if tail else "")


def mask_sql(mask: Mask, column_sql: str) -> str:
    """A DuckDB expression that masks ``column_sql`` (any type) to text; null stays null."""
    if not mask:
        return column_sql
    text = f"CAST({column_sql} AS VARCHAR)"
    if mask == "address":
        kept = f"COALESCE(REGEXP_EXTRACT({text}, '{_DISTRICT}', 1), '')"
        return f"CASE WHEN {column_sql} IS NOT NULL THEN {kept} || '{HIDDEN}' END"
    if mask not in _KEPT:
        return f"CASE WHEN {column_sql} IS NOT NULL THEN '{HIDDEN}' END"
    head, tail, least = _KEPT[mask]
    kept_head = f"SUBSTR({text}, 1, {head}) || " if head else ""
    kept_tail = f" || SUBSTR({text}, -{tail})" if tail else ""
    whole = f"RPAD('', CAST(LENGTH({text}) AS INTEGER), '*')"
    stars = f"RPAD('', CAST(LENGTH({text}) - {head + tail} AS INTEGER), '*')"
    shown = f"{kept_head}{stars}{kept_tail}"
    return f"CASE WHEN LENGTH({text}) < {least} THEN {whole} ELSE {shown} END"
