"""What is claimed, as text that can be compared: the same rules for both sides.

Texts: width, blanks around and letter case make no difference; names are compared exactly (blanks around
aside). Dates and money count by what they mean, not by how they are written. A claim that is no
value of its field is the asker's mistake and refused; nothing that was claimed stands in the refusal.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from huitong.contracts.model import Field
from huitong.sharing.names import literal

_CHINA: Final = timezone(timedelta(hours=8))
_DATE: Final = re.compile(r"(\d{4})(?:-|/|\.|年)(\d{1,2})(?:-|/|\.|月)(\d{1,2})日?")
_FULL: Final = "".join(chr(c) for c in range(0xFF01, 0xFF5F)) + "\u3000"
_HALF: Final = "".join(chr(c) for c in range(0x21, 0x7F)) + " "
_TRUE: Final = frozenset({"1", "true", "是", "y", "yes"})
_FALSE: Final = frozenset({"0", "false", "否", "n", "no"})
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=_CHINA)
_NARROW: Final = str.maketrans(_FULL, _HALF)
#: A claimed text is not longer.
MOST: Final = 1_000


def typed(field: Field, value: Any) -> Any:
    """A claimed value with the type of its field. Raises ValueError when it is none."""
    if isinstance(value, bool):
        value = "true" if value else "false"
    text = str(value).strip().strip("\u3000").strip()
    if value is None or not text or len(text) > MOST:
        raise ValueError(field.name)
    if field.type == "string":
        return text
    plain = text.translate(_NARROW).strip()
    if field.type in ("integer", "decimal", "double"):
        return _number(field, plain)
    if field.type == "boolean":
        if plain.casefold() not in _TRUE | _FALSE:
            raise ValueError(field.name)
        return plain.casefold() in _TRUE
    return _day(plain) if field.type == "date" else _moment(plain)


def text_of(field: Field, value: Any) -> str:
    """A typed claim as the text that is compared; texts themselves are brought to one form by the engine."""
    if field.type == "decimal":
        number = Decimal(value)
        scaled = round(number, field.scale)
        return f"{scaled:.{field.scale}f}" if scaled == number else f"{number:f}"
    if field.type == "double":
        return repr(float(value))
    if field.type == "boolean":
        return "true" if value else "false"
    if field.type == "timestamp":
        return str((value - _EPOCH) // timedelta(microseconds=1) - 28_800_000_000)
    return value.isoformat() if isinstance(value, date) else str(value)


def one_form(field: Field, value: Any) -> Any:
    """A typed key without what :func:`claimed_sql` makes no difference of, letter case aside: else one person
    would be many in as many spellings, each with a budget of its own."""
    if field.type != "string" or field.mask == "name":
        return value
    return str(value).translate(_NARROW).strip()


def claimed_sql(field: Field, column: str) -> str:
    """The compared form of a claim's text."""
    if field.type == "double":
        return f"CAST(CAST({column} AS DOUBLE) AS VARCHAR)"
    return _text_sql(field, column) if field.type == "string" else column


def held_sql(field: Field, column: str) -> str:
    """The compared form of the provider's value."""
    if field.type == "string":
        return _text_sql(field, column)
    if field.type == "timestamp":
        return f"CAST(epoch_us({column}) AS VARCHAR)"
    return f"CAST({column} AS VARCHAR)"


def _text_sql(field: Field, column: str) -> str:
    if field.mask == "name":
        return f"trim({column}, ' \u3000\t')"
    return f"lower(trim(translate({column}, {literal(_FULL)}, {literal(_HALF)})))"


def _number(field: Field, text: str) -> Any:
    plain = text.removeprefix("¥").removeprefix("￥").removesuffix("元").replace(",", "").strip()
    if len(plain) > 60 or not re.fullmatch(r"[+-]?\d+(\.\d+)?", plain):
        raise ValueError(field.name)
    try:
        number = Decimal(plain)
    except InvalidOperation as error:
        raise ValueError(field.name) from error
    if field.type == "double":
        return float(number)
    if field.type == "integer":
        if number != int(number):
            raise ValueError(field.name)
        return int(number)
    return number


def _day(text: str) -> date:
    found = _DATE.fullmatch(text)
    if found:
        return date(*(int(part) for part in found.groups()))
    if not re.fullmatch(r"\d{8}", text):
        raise ValueError("date")
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=_CHINA)
