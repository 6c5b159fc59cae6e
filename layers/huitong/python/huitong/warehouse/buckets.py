"""Key buckets: a share of a table's rows, told by the key alone. Text only; nothing here imports DuckDB.

A row is in bucket ``h mod n``, h being the last eight bytes (the least significant first) of the MD5 of its
key's texts, joined by unit separators. That never changes and any program can compute it: MD5 spreads here,
it protects nothing. n is a power of two: a bucket of few is made of whole buckets of many. A data file
whose rows are all of one bucket says so in its name (``…-b03of16-…``). Readers check that; no result depends
on a name being true.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from huitong.contracts.model import Field
from huitong.errors import Fault
from huitong.warehouse.sql import quoted

#: The most parts that one comparison is cut into.
MOST: Final = 1_024
_NAMED: Final = re.compile(r"-b(\d+)of(\d+)-[^/]*$")
_TEXTS: Final[Mapping[str, str]] = {"timestamp": "epoch_us({})::VARCHAR"}


@dataclass(frozen=True, slots=True)
class Bucket:
    """Number ``number`` of ``of``; ``of`` is a power of two."""

    number: int
    of: int

    def __post_init__(self) -> None:
        if not (self.of & (self.of - 1) == 0 < self.of and 0 <= self.number < self.of):
            raise Fault(f"没有分桶 {self.number}/{self.of}", f"There is no bucket {self.number} of {self.of}")

    def contains(self, other: Bucket) -> bool:
        """Whether every row of the other is one of this."""
        return other.of >= self.of and other.number % self.of == self.number

    def meets(self, other: Bucket) -> bool:
        return self.contains(other) or other.contains(self)

    def tag(self) -> str:
        """What stands in the name of a file; nothing for all rows."""
        return f"-b{self.number:02}of{self.of:02}" if self.of > 1 else ""


WHOLE: Final = Bucket(0, 1)


def bucket_of(key: str) -> Bucket:
    """Which rows a data file has, as its name says."""
    found = _NAMED.search(key)
    return Bucket(int(found[1]), int(found[2])) if found else WHOLE


def number_sql(keys: Sequence[Field], of: int) -> str:
    """The bucket's number of a row, as a DuckDB expression over the typed key columns."""
    texts = ", ".join(_TEXTS.get(f.type, "{}::VARCHAR").format(quoted(f.name)) for f in keys)
    return f"(md5_number_lower(concat_ws(chr(31), {texts})) % {of})"


def buckets_for(rows: int, rows_each: int) -> int:
    """How many buckets of about so many rows: a power of two, at most :data:`MOST`."""
    wanted = max(1, -(-rows // max(1, rows_each)))
    return min(MOST, 1 << (wanted - 1).bit_length())
