"""Marks of exported files: who took what, for what, when, readable by people and by us (L-38, S-33). Light.

Each file says it in the open: in its name, in its metadata, and in every row,
whose last column is the export's id. Beside that it has a hidden mark that
stays when these are cut off: the order of its rows. Two neighbours stand in
the order of their digests for a 0 and against it for a 1; the bits are a keyed
digest of the export's id, so nobody without the key can read or forge them. It
needs rows that were not asked for in an order, and 64 of them at least.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self

#: The column that every exported row ends with.
COLUMN: Final = "_mark"
BITS: Final = 64
#: Fewer rows hold too few bits to tell exports apart.
LEAST_ROWS: Final = 64
_LEAST_BITS: Final = 24


@dataclass(frozen=True, slots=True)
class Mark:
    """What a file is marked with, and by which ``huitong audit trace-mark`` finds its use."""

    id: str
    unit: str
    user: str
    at: str
    resources: tuple[str, ...]
    purpose: str = ""
    case_no: str = ""
    duty: str = ""
    grants: tuple[str, ...] = ()
    request: str = ""
    query: str = ""
    format: str = ""
    rows: int = 0
    ordered: bool = True  # its rows were asked for in an order: there is no hidden mark

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Any) -> Self:
        known = {f.name: body[f.name] for f in fields(cls) if f.name in body}
        return cls(**{**known, "resources": tuple(body["resources"]), "grants": tuple(body["grants"])})

    def lines(self) -> list[tuple[str, str]]:
        """The mark as people read it."""
        return [
            ("标识 mark", self.id), ("单位 unit", self.unit), ("用户 user", self.user),
            ("时间 time", self.at),
            ("资源 resources", ", ".join(self.resources)), ("用途 purpose", self.purpose),
            ("案号 case", self.case_no), ("职责 duty", self.duty), ("授权 grants", ", ".join(self.grants)),
            ("请求 request", self.request),
        ]  # fmt: skip

    def text(self) -> str:
        return ";".join(f"{name}={value}" for name, value in self.lines() if value)


def bits_of(key: str, id: str) -> str:
    """The hidden mark of an export: 64 digits 0 and 1."""
    digest = hmac.new(key.encode(), f"mark\x1f{id}".encode(), hashlib.sha256).digest()
    return "".join(f"{byte:08b}" for byte in digest[: BITS // 8])


def marked_order(rows: Sequence[Sequence[str]], bits: str) -> list[int]:
    """Places of the rows in the order that holds the bits; neighbours that are equal hold none."""
    places = list(range(len(rows)))
    for n, first in enumerate(range(0, len(rows) - 1, 2)):
        low, high = row_digest(rows[first]), row_digest(rows[first + 1])
        wanted = bits[n % BITS] == "1"
        if low != high and (low > high) != wanted:
            places[first], places[first + 1] = first + 1, first
    return places


def found_bits(rows: Iterable[Sequence[str]]) -> str:
    """The bits in the order of a file's rows: 64 of 0, 1 or ? (unknown). Cells as they stand in the file,
    without the mark's own column."""
    votes = [0] * BITS
    before: str | None = None
    for place, row in enumerate(rows):
        digest = row_digest(row)
        if place % 2 and before is not None and before != digest:
            votes[place // 2 % BITS] += 1 if before > digest else -1
        before = digest
    return "".join("?" if v == 0 else "1" if v > 0 else "0" for v in votes)


def agrees(found: str, bits: str) -> bool:
    """Whether the bits found are those of an export, with enough of them to be sure."""
    pairs = [(f, b) for f, b in zip(found, bits, strict=True) if f != "?"]
    wrong = sum(f != b for f, b in pairs)
    return len(pairs) >= _LEAST_BITS and wrong * 16 <= len(pairs)


def row_digest(cells: Sequence[str]) -> str:
    return hashlib.sha256("\x1f".join(cells).encode()).hexdigest()
