"""Cutting a stream of events into deliveries: small ones inline, large ones as a file behind a link.

A delivery never holds events of two publications, and order is kept. Memory
holds at most one inline delivery; what is larger goes to a temporary file.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, cast

from huitong.audit.subjects import Pair
from huitong.delivery.events import Placed, array_of, encoded, numbered
from huitong.delivery.limits import DeliveryLimits
from huitong.delivery.model import Form, Position


@dataclass(frozen=True, slots=True)
class Chunk:
    """What delivery ``n`` carries. ``next`` is the place of the event after it, None at the end."""

    n: int
    seq: int
    first: int
    last: int
    count: int
    form: Form
    sha256: str
    size: int
    content: bytes | Path
    next: Position | None
    batch: str
    pairs: frozenset[Pair] = frozenset()  # whose records these are


def chunks(events: Iterator[Placed], n: int, limits: DeliveryLimits, folder: Path) -> Iterator[Chunk]:
    """Deliveries ``n``, ``n+1`` …; the file of a chunk is removed when the next one is asked for."""
    upcoming = next(events, None)
    while upcoming is not None:
        seq, first = upcoming.at
        batch = str(upcoming.event.get("batchid", ""))
        basket = _Basket(n, limits, folder / f"{n}.ndjson.gz")
        last = first
        while upcoming is not None and upcoming.at.seq == seq and basket.count < limits.link_events:
            basket.add(encoded(numbered(upcoming.event, n)))
            basket.pairs.update(upcoming.pairs)
            last = upcoming.at.ordinal
            upcoming = next(events, None)
        made = basket.chunk(seq, first, last, upcoming.at if upcoming else None, batch)
        yield replace(made, pairs=frozenset(basket.pairs))
        basket.path.unlink(missing_ok=True)
        n += 1


class _Basket:
    def __init__(self, n: int, limits: DeliveryLimits, path: Path) -> None:
        self.path = path
        self.count = 0
        self.pairs: set[Pair] = set()
        self._n = n
        self._limits = limits
        self._held: list[bytes] = []
        self._size = 2
        self._raw: BinaryIO | None = None
        self._file: gzip.GzipFile | None = None

    def add(self, event: bytes) -> None:
        self.count += 1
        self._size += len(event) + 1
        if self._file is None:
            self._held.append(event)
            if self.count <= self._limits.inline_events and self._size <= self._limits.inline_bytes:
                return
            # no name and no time inside: the same events give the same bytes
            self._raw = cast(BinaryIO, self.path.open("wb"))
            self._file = gzip.GzipFile("", "wb", compresslevel=3, fileobj=self._raw, mtime=0)
            for held in self._held:
                self._file.write(held + b"\n")
            self._held.clear()
        else:
            self._file.write(event + b"\n")

    def chunk(self, seq: int, first: int, last: int, following: Position | None, batch: str) -> Chunk:
        if self._file is None:
            body = array_of(self._held)
            digest = hashlib.sha256(body).hexdigest()
            return Chunk(
                self._n, seq, first, last, self.count, "inline", digest, len(body), body, following, batch
            )
        self._file.close()
        if self._raw is not None:
            self._raw.close()
        with self.path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        size = self.path.stat().st_size
        return Chunk(self._n, seq, first, last, self.count, "link", digest, size, self.path, following, batch)
