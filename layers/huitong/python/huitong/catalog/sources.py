"""One number, one source (一数一源, L-04): which resource is the authoritative source of a data element.

All claims stand in 32 entries of the register by a hash of the element's id,
so that the claims of one entry, however many items it has, fit into the
transaction that publishes it, and of two resources published at once that
claim the same element one gets a Conflict.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Final

from huitong.catalog.elements import Element, element_of
from huitong.catalog.model import Entry
from huitong.contracts.model import Contract
from huitong.ports import Item, Register

_SOURCES: Final = "CATALOG-SOURCES"
_SHARDS: Final = 32


def collected(entry: Entry, contract: Contract, known: Mapping[str, Element]) -> dict[str, str]:
    """Field → element of the items that the resource itself collects: neither taken over from another
    resource nor an identifier nor of the record."""
    found = {}
    for field in contract.fields:
        if field.refers_to or field.name in entry.references:
            continue
        element = element_of(contract.id, field, known, entry.elements)
        if element and element.kind == "content":
            found[field.name] = element.id
    return found


class Sources:
    def __init__(self, register: Register) -> None:
        self._register = register

    def all(self) -> dict[str, str]:
        """Element → resource."""
        return {e: r for item in self._register.query(_SOURCES) for e, r in item.body.items()}

    def claims(
        self, resource: str, elements: Mapping[str, str], excepted: Mapping[str, str]
    ) -> tuple[list[Item], list[Item]]:
        """Entries to create and to replace so that the resource holds what it collects and nothing else.

        ``elements`` is field → element; what another holds stays the other's (an exception was recorded,
        or publication is refused before). ``excepted``: fields that claim nothing.
        """
        wanted = {element for name, element in elements.items() if name not in excepted}
        creates, replaces = [], []
        stored = {item.sk: item for item in self._register.query(_SOURCES)}
        shards = {_shard(element) for element in wanted} | set(stored)
        for shard in sorted(shards):
            item = stored.get(shard)
            before = dict(item.body) if item else {}
            after = {e: r for e, r in before.items() if r != resource or e in wanted}
            after |= {e: resource for e in wanted if _shard(e) == shard and e not in before}
            if item is None:
                creates.append(Item(_SOURCES, shard, after))
            elif after != before:
                replaces.append(replace(item, body=after))
        return creates, replaces


def _shard(element: str) -> str:
    return f"{sha256(element.encode()).digest()[0] % _SHARDS:02}"
