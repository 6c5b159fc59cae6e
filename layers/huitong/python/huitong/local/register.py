"""A register in memory, with the same conditions as the real one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from threading import RLock

from huitong.errors import Conflict
from huitong.ports import Index, Item


class MemoryRegister:
    def __init__(self) -> None:
        self._items: dict[tuple[str, str], Item] = {}
        self._lock = RLock()

    def get(self, pk: str, sk: str) -> Item | None:
        with self._lock:
            found = self._items.get((pk, sk))
        return replace(found, body=json.loads(json.dumps(found.body))) if found else None

    def create(self, item: Item) -> Item:
        self.write(creates=[item])
        return replace(item, version=1)

    def replace(self, item: Item) -> Item:
        self.write(replaces=[item])
        return replace(item, version=item.version + 1)

    def write(
        self,
        creates: Sequence[Item] = (),
        replaces: Sequence[Item] = (),
        deletes: Sequence[tuple[str, str]] = (),
    ) -> None:
        with self._lock:
            for item in creates:
                if (item.pk, item.sk) in self._items:
                    raise _conflict(item)
            for item in replaces:
                stored = self._items.get((item.pk, item.sk))
                if stored is None or stored.version != item.version:
                    raise _conflict(item)
            for item in (*creates, *replaces):
                body = json.loads(json.dumps(item.body))
                self._items[item.pk, item.sk] = replace(item, body=body, version=item.version + 1)
            for key in deletes:
                self._items.pop(key, None)

    def delete(self, item: Item) -> None:
        with self._lock:
            stored = self._items.get((item.pk, item.sk))
            if stored is None or stored.version != item.version:
                raise _conflict(item)
            del self._items[item.pk, item.sk]

    def query(
        self, pk: str, *, prefix: str = "", after: str = "", limit: int = 0, descending: bool = False
    ) -> list[Item]:
        with self._lock:
            found = [i for i in self._items.values() if i.pk == pk and i.sk.startswith(prefix)]
        found.sort(key=lambda i: i.sk, reverse=descending)
        if after:
            found = [i for i in found if (i.sk < after if descending else i.sk > after)]
        return found[:limit] if limit else found

    def query_index(
        self,
        index: Index,
        pk: str,
        *,
        low: str = "",
        high: str = "",
        limit: int = 0,
        descending: bool = False,
    ) -> list[Item]:
        with self._lock:
            pairs = [(getattr(i, index), i) for i in self._items.values()]
        found = [
            (p[1], i) for p, i in pairs if p and p[0] == pk and p[1] >= low and (not high or p[1] <= high)
        ]
        found.sort(key=lambda pair: pair[0], reverse=descending)
        items = [i for _, i in found]
        return items[:limit] if limit else items


def _conflict(item: Item) -> Conflict:
    return Conflict(
        f"{item.pk}/{item.sk} 已被他人更改",
        f"{item.pk}/{item.sk} was changed by somebody else",
        pk=item.pk,
        sk=item.sk,
        failed=[(item.pk, item.sk)],
    )
