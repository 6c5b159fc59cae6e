"""Finding a record by what its reader knows of it, and what happened to it. Heavy when used.

A reader names a record by its key, or by the place that every path shows with it
(``_batch_id`` and ``_source_row`` in SQL, ``batchid`` and ``data.source_row`` in events), so that
a record whose key is masked can be doubted, too. It is looked for among the rows that the reader's
own access shows: a record that is hidden from the reader and one that does not exist are the same answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from huitong.contracts.model import Contract, Field
from huitong.contracts.numbers import decimal_text
from huitong.delivery.changes import ChangeSource
from huitong.delivery.model import Position
from huitong.errors import BadRequest, Problem
from huitong.ports import timestamp
from huitong.sharing.access import Access
from huitong.sharing.names import literal, quoted
from huitong.warehouse.publication import Publications

#: So many records are looked for in one reading.
_AT_ONCE: Final = 100
_TYPES: Final = {
    "string": "VARCHAR", "integer": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
}  # fmt: skip

_READ: Final[Mapping[str, Callable[[str], Any]]] = {
    "integer": int, "decimal": Decimal, "double": float, "date": date.fromisoformat,
    "timestamp": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
    "boolean": lambda text: text == "true",
}  # fmt: skip

Key = tuple[str, ...]  # in the order of the contract's keys, as text


@dataclass(frozen=True, slots=True)
class Found:
    """A record that the reader may see: its key, its place, the publication in which it was seen."""

    key: Mapping[str, str]
    row: Mapping[str, Any]  # key values, typed
    batch_id: str
    source_row: int
    seq: int


@dataclass(frozen=True, slots=True)
class Happened:
    """One change of a record."""

    key: Key
    seq: int
    op: str
    changed: tuple[str, ...]
    batch_id: str
    source_row: int


class Records:
    def __init__(self, source: ChangeSource, publications: Publications) -> None:
        self._source = source
        self._publications = publications

    def find(
        self,
        contract: Contract,
        access: Access,
        *,
        key: Mapping[str, Any] | None = None,
        batch_id: str = "",
        source_row: int = 0,
    ) -> Found | None:
        """The record that the access shows under this key or at this place; None when it shows none.

        Raises BadRequest when the key's members are not the contract's.
        """
        if key is not None:
            wanted = _is(contract, key_of(contract, key))
        else:
            wanted = f"{quoted('_batch_id')} = {literal(batch_id)} AND {quoted('_source_row')} = {source_row}"
        published = self._publications.get(contract.id)
        if published is None:
            return None
        rows = self._source.snapshot(contract, _only(contract, access, wanted), published.seq, limit=2)
        with closing(rows):
            found = [row for batch in rows for row in batch.to_pylist()]
        if len(found) != 1:
            return None
        (row,) = found
        texts = {f.name: text_of(row[f.name]) for f in contract.keys}
        typed = {f.name: row[f.name] for f in contract.keys}
        return Found(texts, typed, row["_batch_id"], row["_source_row"], published.seq)

    def changes(self, contract: Contract, keys: Iterable[Key], first: int, upto: int) -> Iterator[Happened]:
        """What publications ``first`` to ``upto`` changed of these records, in order for each."""
        every = Access(contract.id, tuple(f.name for f in contract.fields))
        listed = list(keys)
        for start in range(0, len(listed), _AT_ONCE):
            some = [_is(contract, key) for key in listed[start : start + _AT_ONCE]]
            wanted = " OR ".join(f"({one})" for one in some)
            access = replace(every, row_filter=wanted)
            rows = self._source.changes(contract, access, Position(first, 0), upto)
            with closing(rows):
                for batch in rows:
                    yield from (_happened(contract, row) for row in batch.to_pylist())


def key_of(contract: Contract, given: Mapping[str, Any]) -> Key:
    """The key's values as text, in order. Raises BadRequest naming every member that lacks or is too much."""
    names = [f.name for f in contract.keys]
    wrong = sorted({*names} ^ {*given})
    if wrong:
        zh, en = f"记录主键应为:{' '.join(names)}", f"A record's key has the members: {' '.join(names)}"
        problems = [Problem("record.key", zh, en, {"field": name}) for name in wrong]
        raise BadRequest(zh, en, problems=problems)
    texts = tuple(text_of(given[name]) for name in names)
    if any(not text.isprintable() for text in texts):
        raise BadRequest("主键含控制字符", "A key value holds control characters")
    return texts


def typed(contract: Contract, key: Key) -> dict[str, Any]:
    """The key's values as the table would have them. Raises BadRequest for a text of no such type."""
    row: dict[str, Any] = {}
    for field, text in zip(contract.keys, key, strict=True):
        try:
            row[field.name] = _READ.get(field.type, str)(text)
        except (ValueError, ArithmeticError):
            zh, en = f"{field.name} 的值不合类型", f"The value of {field.name} is not of its type"
            raise BadRequest(
                zh, en, problems=[Problem("record.key", zh, en, {"field": field.name})]
            ) from None
    return row


def text_of(value: Any) -> str:
    """A key's value as text, the same whether it came from a request or from a row."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return timestamp(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return decimal_text(value)
    return str(value).strip()


def _is(contract: Contract, key: Key) -> str:
    """A condition for one record. A text that is no value of the type finds nothing."""
    parts = zip(contract.keys, key, strict=True)
    return " AND ".join(f"{quoted(f.name)} = TRY_CAST({literal(text)} AS {_type(f)})" for f, text in parts)


def _type(field: Field) -> str:
    if field.type == "decimal":
        return f"DECIMAL({field.precision or 38},{field.scale})"
    return _TYPES[field.type]


def _only(contract: Contract, access: Access, wanted: str) -> Access:
    """Rows of the access that meet the condition, with their keys plain: the platform's own look."""
    rows = f"({access.row_filter}) AND ({wanted})" if access.row_filter else wanted
    return replace(access, fields=tuple(f.name for f in contract.keys), masks={}, row_filter=rows)


def _happened(contract: Contract, row: Mapping[str, Any]) -> Happened:
    return Happened(
        tuple(text_of(row[f.name]) for f in contract.keys),
        row["_seq"],
        row["_op"],
        tuple(row["_changed_columns"] or ()),
        row["_batch_id"],
        row["_source_row"],
    )
