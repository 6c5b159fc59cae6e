"""Masks for values that leave the platform (domain.md section 4).

:func:`mask_value` for one value, :func:`mask_sql` for a column: a DuckDB
expression that gives the same text. Masks work on characters, not bytes.

====== ================================================= =====================
mask   rule                                              example
====== ================================================= =====================
name   keep the first character                          张**
id     keep the first 4 and the last 2                   4403************12
phone  keep the first 3 and the last 4                   154****0001
address keep to the district                              深圳市福田区****
account keep the last 4                                  ************1234
plate  keep the first 2 and the last 1                   粤B****8
all    nothing                                           ``***``
====== ================================================= =====================

A value of which the rule would hide fewer than half as many characters as it
keeps (an 8-digit landline number, say) is masked whole. A null stays null.
"""

from __future__ import annotations

import re
from typing import Final

from huitong.contracts.model import Field, Mask

#: characters kept at the start and at the end
_KEPT: Final = {"name": (1, 0), "id": (4, 2), "phone": (3, 4), "account": (0, 4), "plate": (2, 1)}

#: province, city, district; a 小区, 社区 or 园区 further on is none
_DISTRICT: Final = (
    "^(?:[^市县区]{1,8}(?:省|自治区|特别行政区))?(?:[^市县区]{1,8}(?:市|州|盟|地区))?"
    "(?:[^市县区]{0,7}[^市县区小社园校院厂库][市县区])?"
)
_HIDDEN: Final = "***"
_TAIL: Final = "****"


def mask_of(field: Field) -> Mask:
    """The mask of a field at a masked level (``all`` where it names none); empty for other fields."""
    if not field.masked:
        return ""
    return field.mask or "all"


def mask_value(mask: Mask, value: str | None) -> str | None:
    """One masked value."""
    if value is None or not mask:
        return value
    if mask == "all":
        return _HIDDEN
    if mask == "address":
        found = re.match(_DISTRICT, value)
        return (found.group(0) if found else "") + _TAIL
    head, tail = _KEPT[mask]
    if len(value) < _shortest(head + tail):
        return "*" * len(value)
    return value[:head] + "*" * (len(value) - head - tail) + value[len(value) - tail :]


def mask_sql(mask: Mask, column_sql: str) -> str:
    """A DuckDB expression for the masked text of ``column_sql`` (any type)."""
    text = f"CAST({column_sql} AS VARCHAR)"
    if not mask:
        return column_sql
    if mask == "all":
        return f"CASE WHEN {column_sql} IS NOT NULL THEN '{_HIDDEN}' END"
    if mask == "address":
        return f"regexp_extract({text}, '{_DISTRICT}') || '{_TAIL}'"
    head, tail = _KEPT[mask]
    kept = head + tail
    first = f"left({text}, {head}) || " if head else ""
    last = f" || right({text}, {tail})" if tail else ""
    return (
        f"CASE WHEN length({text}) < {_shortest(kept)} THEN repeat('*', length({text})) "
        f"ELSE {first}repeat('*', length({text}) - {kept}){last} END"
    )


def _shortest(kept: int) -> int:
    """Length from which a value is masked in part."""
    return kept + max(1, kept // 2)
