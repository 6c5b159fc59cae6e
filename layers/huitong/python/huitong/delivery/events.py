"""Change rows as CloudEvents 1.0: the one form in which changes leave the platform.

Rows arrive filtered, projected and masked (:mod:`huitong.delivery.changes`);
here they only get their envelope. Values in JSON: text, whole numbers and
truth values as such; decimals as text, since JSON readers round them; dates
``2026-01-31``; moments ``2026-01-31T08:00:00.000000Z``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from huitong.audit.subjects import PERSONS, RECORD, Pair, pairs_of
from huitong.contracts.model import Contract
from huitong.contracts.numbers import decimal_text
from huitong.delivery.changes import BEFORE, BLIND, MARKED
from huitong.delivery.model import Position
from huitong.ports import timestamp
from huitong.sharing.access import Access

if TYPE_CHECKING:
    import pyarrow as pa

TYPE_PREFIX: Final = "cn.huitong.record"
TYPES: Final = {
    "insert": f"{TYPE_PREFIX}.inserted",
    "update": f"{TYPE_PREFIX}.updated",
    "delete": f"{TYPE_PREFIX}.deleted",
    "snapshot": f"{TYPE_PREFIX}.snapshot",
}
LINK_TYPES: Final = {
    "changes": "cn.huitong.changes.available",
    "snapshot": "cn.huitong.snapshot.available",
}
BATCH_CONTENT: Final = "application/cloudevents-batch+json"
LINES_FORMAT: Final = "ndjson+gzip"

Event = dict[str, Any]
Rows = Generator["pa.RecordBatch", None, None]


@dataclass(frozen=True, slots=True)
class Placed:
    """An event and its place in the resource's change log (or, for a snapshot, in the table)."""

    at: Position
    event: Event
    pairs: tuple[Pair, ...] = ()  # whose it is, as blind indexes: for the evidence, never in the event


class EventMaker:
    """Makes the events of one asker of one resource. The same rows always give the same events."""

    def __init__(self, contract: Contract, access: Access) -> None:
        self._resource = contract.id
        self._fields = tuple(f.name for f in contract.fields if f.name in access.fields)
        keys = tuple(f.name for f in contract.keys)
        plain = all(k in access.fields and not access.masks.get(k) for k in keys)
        self._keys = keys if plain else ()
        self._source = f"/v1/resources/{quote(contract.id, safe='')}"
        self._doubles = any(f.type == "double" for f in contract.fields if f.name in access.fields)

    def changes(self, batches: Rows) -> Iterator[Placed]:
        """Events of change rows, one for one, in their order."""
        for row in _rows(batches):
            at = Position(row["_seq"], row["_ordinal"])
            event = self._change(row, f"{self._resource}:{at.seq}:{at.ordinal}")
            yield Placed(at, event, _disclosed(row))

    def snapshot(self, batches: Rows) -> Iterator[Placed]:
        """Events of table rows; their ids never equal those of changes."""
        for row in _rows(batches):
            at = Position(row["_seq"], row["_ordinal"])
            id = f"{self._resource}:{at.seq}:s{at.ordinal}"
            data = {"op": "snapshot", "row": self._shown(row), "source_row": row["_source_row"]}
            event = self._envelope(row, id, "snapshot", row["_received_at"], data)
            yield Placed(at, event, _disclosed(row))

    def _change(self, row: Mapping[str, Any], id: str) -> Event:
        op = row["_op"]
        data: Event = {"op": op, "row": self._shown(row), "source_row": row["_source_row"]}
        if op == "update":
            data["changed_columns"] = row["_changed_columns"] or []
            data["before"] = self._shown(row[BEFORE] or {})
        return self._envelope(row, id, op, row["_changed_at"], data)

    def _envelope(self, row: Mapping[str, Any], id: str, op: str, moment: datetime, data: Event) -> Event:
        event: Event = {
            "specversion": "1.0",
            "id": id,
            "source": self._source,
            "type": TYPES[op],
            "subject": self._subject(row) or id,
            "time": moment_text(moment),
            "datacontenttype": "application/json",
            "batchid": row["_batch_id"],
            "unit": row["_unit"],
            "caseno": row["_case_no"],
            "underreview": row.get(MARKED) or None,  # the record is under verification, and usable
            "data": data,
        }
        # CloudEvents attributes are never null or empty
        return {name: value for name, value in event.items() if value not in (None, "")}

    def _subject(self, row: Mapping[str, Any]) -> str:
        """The key as text; what stands for it where it may not be seen; else nothing."""
        if not self._keys:
            return str(row.get(BLIND) or "")
        parts = [_text(row[name]) for name in self._keys]
        if len(parts) == 1:
            return parts[0]
        return "|".join(part.replace("\\", "\\\\").replace("|", "\\|") for part in parts)

    def _shown(self, row: Mapping[str, Any]) -> Event:
        shown = {name: row.get(name) for name in self._fields}
        if self._doubles:  # JSON has no NaN and no infinity
            return {name: _finite(value) for name, value in shown.items()}
        return shown


def encoded(event: Mapping[str, Any]) -> bytes:
    """One event as compact JSON in UTF-8, without line breaks."""
    return _JSON.encode(event).encode()


def numbered(event: Mapping[str, Any], n: int) -> Event:
    """The event as part of delivery ``n``: the extension attribute ``sequence`` sorts as text."""
    return {**event, "sequence": f"{n:010d}"}


def array_of(events: Sequence[bytes]) -> bytes:
    """The body of application/cloudevents-batch+json."""
    return b"[" + b",".join(events) + b"]"


def link_event(
    resource: str, kind: str, seq: int, first: int, last: int, *, now: datetime, data: Mapping[str, Any]
) -> Event:
    """The one event of a delivery whose records wait behind a link."""
    return {
        "specversion": "1.0",
        "id": f"{resource}:{seq}:{'s' if kind == 'snapshot' else ''}{first}-{last}",
        "source": f"/v1/resources/{quote(resource, safe='')}",
        "type": LINK_TYPES[kind],
        "subject": resource,
        "time": timestamp(now),
        "datacontenttype": "application/json",
        "data": dict(data),
    }


@lru_cache(maxsize=256)  # all changes of a publication have the same one
def moment_text(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds."""
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _finite(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return moment_text(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return decimal_text(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_text)


def _disclosed(row: Mapping[str, Any]) -> tuple[Pair, ...]:
    record = row.get(RECORD)
    return tuple(pairs_of(str(record), row.get(PERSONS) or ())) if record else ()


def _rows(batches: Rows) -> Iterator[dict[str, Any]]:
    with closing(batches) as open_batches:
        for batch in open_batches:
            yield from batch.to_pylist()
