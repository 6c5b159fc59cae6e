"""Whose data was used: persons and records as blind indexes, never as values (S-16). Light and pure.

A *subject* is a person, by an identity number. A *record* is one row of a
resource, by its key. Both stand in the evidence as the first 32 hexadecimal
digits of an HMAC-SHA-256 under a key of the platform: the same person gives the
same index in every resource, and nobody without the key gets from a list of all
identity numbers to the persons in the evidence.

Texts that are hashed (they must never change):

- subject: ``subject`` U+001F the number, blanks around it removed, letters in upper case;
- record: ``record`` U+001F the contract's id U+001F the key values in the order of
  the key, joined by U+001F. Values: text as it is; whole numbers in decimal;
  decimals with exactly the field's scale; dates ``2026-01-31``; moments as
  microseconds since 1970 (UTC); truth values ``true``/``false``; nothing as U+0000.

:func:`blind_sql` and the ``*_sql`` functions are their equals in DuckDB's SQL. An
SQL text holds what is derived from the key: it must not be logged.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final, Literal

from huitong.contracts.model import Contract, Field
from huitong.sharing.names import quoted

Kind = Literal["subject", "record"]
Pair = tuple[str, str]
INLINE: Final = 50
#: Columns that go through a projection as they are, for the evidence: record and persons of a row, blind.
RECORD: Final = "_record"
PERSONS: Final = "_persons"
_DIGITS: Final = 32
_BLOCK: Final = 64
_APART: Final = "\x1f"
_NOTHING: Final = "\x00"
_BLANKS: Final = " \u3000\xa0"
_UPPER: Final = str.maketrans(ascii_lowercase, ascii_uppercase)  # what DuckDB does alike: no other letters
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Subjects:
    """The (subject, record) pairs that an act disclosed: few in place, many in the evidence bucket.

    A row without a person has the pair ``("", record)``; one with several persons a pair for each.
    """

    pairs: tuple[Pair, ...] = ()
    object: str = ""  # key in the evidence bucket
    sha256: str = ""  # of that object
    count: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {"pairs": [list(p) for p in self.pairs], "object": self.object, "sha256": self.sha256,
                "count": self.count}  # fmt: skip

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Subjects:
        pairs = tuple((str(s), str(r)) for s, r in body.get("pairs", ()))
        return cls(pairs, str(body.get("object", "")), str(body.get("sha256", "")), int(body.get("count", 0)))


NOBODY: Final = Subjects()


def inline(pairs: Iterable[Pair]) -> Subjects:
    """Few pairs, each once. Raises ValueError above :data:`INLINE`."""
    found = tuple(sorted(set(pairs)))
    if len(found) > INLINE:
        raise ValueError(f"{len(found)} pairs are too many to stand in a record")
    return Subjects(found, count=len(found))


def blind(key: str, kind: Kind, text: str) -> str:
    """The blind index of an identity number as written, or of a :func:`record_text`."""
    text = subject_text(text) if kind == "subject" else text
    return hmac.new(key.encode(), f"{kind}{_APART}{text}".encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def blind_sql(key: str, kind: Kind, text_sql: str) -> str:
    """The same for a VARCHAR expression of DuckDB; null stays null."""
    text_sql = subject_text_sql(text_sql) if kind == "subject" else text_sql
    raw = key.encode()
    padded = (hashlib.sha256(raw).digest() if len(raw) > _BLOCK else raw).ljust(_BLOCK, b"\0")
    inner, outer = (bytes(b ^ pad for b in padded).hex() for pad in (0x36, 0x5C))
    head = f"{kind}{_APART}".encode().hex()
    first = f"sha256(unhex('{inner}{head}') || encode({text_sql}))"
    return f"left(sha256(unhex('{outer}') || unhex({first})), {_DIGITS})"


def subject_text(value: str) -> str:
    return value.strip(_BLANKS).translate(_UPPER)


def subject_text_sql(column_sql: str) -> str:
    return f"translate(trim({column_sql}, '{_BLANKS}'), '{ascii_lowercase}', '{ascii_uppercase}')"


def record_text(contract: Contract, row: Mapping[str, Any]) -> str:
    """``row`` holds the key fields, typed as the table has them."""
    return _APART.join([contract.id, *(_text(field, row[field.name]) for field in contract.keys)])


def record_text_sql(contract: Contract, alias: str = "") -> str:
    """The same as a VARCHAR expression over a relation with the key columns."""
    head = "'" + contract.id.replace("'", "''") + "'"
    prefix = f"{alias}." if alias else ""
    parts = (f" || chr(31) || {_text_sql(f, prefix + quoted(f.name))}" for f in contract.keys)
    return f"({head}{''.join(parts)})"


def persons_sql(key: str, columns: Sequence[str]) -> str:
    """A list of VARCHAR: the persons that columns of a row name, each once; empty for nobody."""
    found = ", ".join(blind_sql(key, "subject", column) for column in columns)
    return f"list_sort(list_distinct(list_filter([{found}]::VARCHAR[], lambda s: s IS NOT NULL)))"


def pairs_of(record: str, persons: Sequence[str]) -> Iterator[Pair]:
    """The pairs of one row."""
    yield from ((person, record) for person in persons or ("",))


def _text(field: Field, value: Any) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, bool):
        return "true" if value else "false"
    if field.type == "decimal":
        number = Decimal(value)
        return f"{number if number else abs(number):.{field.scale}f}"  # DuckDB has no negative zero
    if field.type == "timestamp":
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return str((aware - _EPOCH) // timedelta(microseconds=1))
    if isinstance(value, date):
        return value.isoformat()
    return str(value)


def _text_sql(field: Field, column_sql: str) -> str:
    if field.type == "timestamp":
        text = f"CAST(epoch_us({column_sql}) AS VARCHAR)"
    elif field.type == "decimal":
        text = f"CAST(CAST({column_sql} AS DECIMAL({field.precision or 38}, {field.scale})) AS VARCHAR)"
    else:
        text = f"CAST({column_sql} AS VARCHAR)"
    return f"coalesce({text}, chr(0))"
