"""From ``logicalType`` and ``physicalType`` to one of the platform's seven types.

``logicalType`` decides; ``physicalType`` gives precision, length or, alone, the type. The letters of the
catalogue guide are physical types too: C text, M long text, N number, Y money, I integer, D date,
T date-time, L logical.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from huitong.contracts.model import FieldType
from huitong.contracts.numbers import PLAIN_SCALE

_Kind = Literal["text", "int", "number", "float", "bool", "date", "timestamp", "time"]

PLAIN_PRECISION: Final = 38  # of a number about which nothing else is known
_MONEY: Final = (18, 2)
_LONG_DIGITS: Final = 18

_WORDS: Final[dict[_Kind, str]] = {
    "text": "string text varchar varchar2 nvarchar nvarchar2 char nchar bpchar character clob nclob ntext "
    "longtext mediumtext tinytext uuid uniqueidentifier citext enum c m",
    "int": "int integer bigint smallint tinyint mediumint long short byte int2 int4 int8 int16 int32 int64 "
    "uint8 uint16 uint32 serial bigserial byteint i",
    "number": "decimal numeric number dec bignumeric money smallmoney fixed n y",
    "float": "double float real float4 float8 float32 float64 binary_double",
    "bool": "boolean bool bit logical l",
    "date": "date date32 d",
    "timestamp": "timestamp timestamptz timestamp_tz timestamp_ntz timestamp_ltz timestampntz timestampltz "
    "datetime datetime2 smalldatetime datetimeoffset t",
    "time": "time timetz",
}
_PHYSICAL: Final = {word: kind for kind, words in _WORDS.items() for word in words.split()}
#: Words that may stand beside a type's name without changing what it is.
_REST: Final = frozenset(
    {"", "precision", "varying", "unsigned", "zerofill", "with time zone", "without time zone"}
    | {"with local time zone"}
)
_LOGICAL: Final[dict[str, _Kind]] = {
    "string": "text",
    "integer": "int",
    "number": "number",
    "boolean": "bool",
    "date": "date",
    "timestamp": "timestamp",
    "time": "time",
}
_LETTERS: Final = frozenset("CMNYIDTL")
_FORM = re.compile(r"([a-z][a-z0-9_]*) ?([a-z ]*?) ?(?:\(([^()]*)\))? ?([a-z ]*)")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a field's types say. ``length`` and ``digits`` are 0 when they say nothing of it."""

    type: FieldType = "string"
    precision: int = 0
    scale: int = 0
    length: int = 0  # longest text
    digits: int = 0  # of an integer, from ``I(4)``
    letter: str = ""
    time_of_day: bool = False  # ``time``: text of the form HH:MM:SS
    fault_zh: str = ""
    fault_en: str = ""


@dataclass(frozen=True, slots=True)
class _Physical:
    kind: _Kind
    word: str
    arguments: tuple[int, ...]

    @property
    def letter(self) -> str:
        return self.word if self.word in _LETTERS else ""


def typed(logical: str, physical: str, *, precision: int = 0, scale: int | None = None) -> Typed:
    """The type of one property; ``precision`` and ``scale`` as options give them. Raises nothing."""
    logical = logical.strip().lower()
    known = _physical(physical)
    if logical and logical not in _LOGICAL and (spoken := _physical(logical)) is not None:
        known, logical = known or spoken, ""  # a database's word where the standard's belongs
    if logical and logical not in _LOGICAL:
        return _unknown("logicalType", logical)
    if not logical and physical.strip() and known is None:
        return _unknown("physicalType", physical)
    kind = _kind(logical, known)
    letter = known.letter if known else ""
    arguments = known.arguments if known else ()
    if kind == "number":
        return _decimal(known, letter, precision, scale)
    if kind == "int":
        wide = known is not None and known.kind == "number" and arguments[:1] > (_LONG_DIGITS,)
        if wide:
            return _decimal(known, letter, precision, 0)
        digits = arguments[0] if letter == "I" and arguments else 0
        return Typed("integer", digits=min(digits, _LONG_DIGITS), letter=letter)
    if kind in ("text", "time"):
        length = arguments[0] if known and known.kind == "text" and arguments else 0
        return Typed("string", length=length, letter=letter, time_of_day=kind == "time")
    names: dict[str, FieldType] = {"float": "double", "bool": "boolean", "date": "date"}
    return Typed(names.get(kind, "timestamp"), letter=letter)


def _kind(logical: str, known: _Physical | None) -> _Kind:
    if not logical:
        return known.kind if known else "text"
    kind = _LOGICAL[logical]
    if known is None:
        return kind
    if kind == "number" and known.kind in ("int", "float"):
        return known.kind
    if kind == "date" and known.kind == "timestamp":
        return "timestamp"  # until v3.1 the standard had no timestamp
    return kind


def _decimal(known: _Physical | None, letter: str, precision: int, scale: int | None) -> Typed:
    arguments = known.arguments if known and known.kind == "number" else ()
    if arguments:
        precision, scale = arguments[0], arguments[1] if len(arguments) > 1 else 0
    elif known and known.word in ("Y", "money", "smallmoney") and not precision and scale is None:
        precision, scale = _MONEY
    if not precision:
        precision, scale = PLAIN_PRECISION, PLAIN_SCALE if scale is None else scale
    scale = scale or 0
    if not (1 <= precision <= PLAIN_PRECISION and 0 <= scale <= precision):
        return Typed(
            fault_zh=f"精度 ({precision},{scale}) 超出范围:须 1≤p≤38 且 0≤s≤p",
            fault_en=f"precision ({precision},{scale}) out of range: 1≤p≤38 and 0≤s≤p",
        )
    return Typed("decimal", precision=precision, scale=scale, letter=letter)


def _physical(text: str) -> _Physical | None:
    form = _FORM.fullmatch(" ".join(text.lower().split()))
    if not form:
        return None
    word, before, inner, after = form.groups()
    kind = _PHYSICAL.get(word)
    if kind is None or before not in _REST or after not in _REST:
        return None
    letter = word.upper()
    numbers = tuple(int(n) for n in re.findall(r"\d+", inner or ""))
    return _Physical(kind, letter if letter in _LETTERS else word, numbers)


def _unknown(where: str, word: str) -> Typed:
    return Typed(
        fault_zh=f"未知的 {where}:{word}",
        fault_en=f"unknown {where}: {word}",
    )
