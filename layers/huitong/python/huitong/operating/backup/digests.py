"""Are two sites equal? Digests of whatever they hold, and what differs."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from huitong.ports import Item


@dataclass(frozen=True, slots=True)
class Digest:
    """``rows`` things, and a value that is equal for equal things in any order."""

    rows: int
    value: str


@dataclass(frozen=True, slots=True)
class Difference:
    name: str
    here: Digest | None
    there: Digest | None

    def as_dict(self) -> dict[str, Any]:
        def told(one: Digest | None) -> Any:
            return None if one is None else {"rows": one.rows, "value": one.value}

        return {"name": self.name, "here": told(self.here), "there": told(self.there)}


def of_texts(texts: Iterable[str]) -> Digest:
    """Order does not matter, repetition does: the sum of the digests."""
    total, rows = 0, 0
    for text in texts:
        total += int.from_bytes(hashlib.sha256(text.encode()).digest(), "big")
        rows += 1
    return Digest(rows, f"{total % (1 << 256):064x}")


def of_items(items: Iterable[Item], skip: Callable[[Item], bool] = lambda _item: False) -> Digest:
    """Of register items, without what is stamped anew wherever it stands."""
    return of_texts(
        json.dumps([i.pk, i.sk, i.version, i.body, i.index1, i.index2], sort_keys=True, ensure_ascii=False)
        for i in items
        if not skip(i)
    )


def differences(here: Mapping[str, Digest], there: Mapping[str, Digest]) -> list[Difference]:
    """What is not equal, by name; missing things are differences."""
    names = sorted({*here, *there})
    return [
        Difference(name, here.get(name), there.get(name))
        for name in names
        if here.get(name) != there.get(name)
    ]
