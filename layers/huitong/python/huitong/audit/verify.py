"""Is the evidence whole? Follows one chain entry by entry and names the first that is wrong (S-13): pure.

What is checked: numbers without gap, the mac of each entry under a key of ours,
the plain link, and at every signed head that mac and link are those that were
signed. Without keys (:data:`NO_KEYS`) links and heads remain: enough to find any
change of what a head covers, from an export and the public key alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from huitong.audit.chain import Entry, Keyring, Tail, linked

Kind = Literal["changed", "removed", "inserted", "reordered", "truncated", "rewritten", "head"]
NO_KEYS: Final = None
_TEXTS: Final[Mapping[Kind, tuple[str, str]]] = {
    "changed": ("记录被更改", "the record was changed"),
    "removed": ("记录被删除", "the record was removed"),
    "inserted": ("记录为后来插入", "the record was inserted"),
    "reordered": ("记录被调换次序", "the record is out of its place"),
    "truncated": ("链尾被截断", "the end of the chain was cut off"),
    "rewritten": ("与签名的链头不符", "the chain is not the one whose head was signed"),
    "head": ("链头签名无效", "the signed head is not valid"),
}
Raw = tuple[int, Mapping[str, Any]]  # place in the store, and the body there


@dataclass(frozen=True, slots=True)
class Finding:
    """The first wrong record of a chain. ``id`` and ``at`` are empty where the record is gone."""

    kind: Kind
    shard: int
    n: int
    id: str = ""
    at: str = ""

    def as_dict(self) -> dict[str, Any]:
        zh, en = _TEXTS[self.kind]
        return {**asdict(self), "zh": zh, "en": en}


@dataclass(frozen=True, slots=True)
class Verdict:
    """``tail``: the last good entry; ``count`` good ones were seen."""

    tail: Tail
    count: int
    finding: Finding | None = None


def follow(
    entries: Iterable[Raw],
    start: Tail,
    keys: Keyring | None,
    heads: Sequence[Tail] = (),
    *,
    to_end: bool = True,
) -> Verdict:
    """Follow a chain after ``start``, in the order of the store, up to the first wrong entry.

    ``heads`` are signed places of this shard. ``to_end`` says that the entries go
    to the chain's end, so that a signed place beyond it means that the end is missing.
    """
    signed = {head.n: head for head in heads if head.n}
    tail, count = start, 0
    if start.n in signed and _differs(signed[start.n], start):
        return Verdict(tail, 0, Finding("rewritten", start.shard, start.n, at=start.at))
    for (place, raw), upcoming in _with_next(entries):
        kind = _wrong(place, raw, upcoming, tail, keys, signed.get(place))
        if kind is not None:
            return Verdict(tail, count, _named(kind, place, raw, tail))
        tail, count = Tail.of(Entry.from_dict(raw)), count + 1
    last = max(signed, default=0)
    if to_end and last > tail.n:
        return Verdict(tail, count, Finding("truncated", start.shard, tail.n + 1))
    return Verdict(tail, count)


def _wrong(
    place: int,
    raw: Mapping[str, Any],
    upcoming: Raw | None,
    tail: Tail,
    keys: Keyring | None,
    signed: Tail | None,
) -> Kind | None:
    if place > tail.n + 1:
        return "removed"
    entry = read(raw)
    if entry is None:
        return "changed"
    if place <= tail.n or (entry.n, entry.shard) != (place, tail.shard):
        return "reordered"
    if entry.prev != tail.mac or not linked(entry, tail.link) or not (keys is None or keys.fits(entry)):
        return _guess(entry, read(upcoming[1]) if upcoming else None, tail, keys)
    if signed is not None and _differs(signed, Tail.of(entry)):
        return "rewritten"
    return None


def _guess(entry: Entry, following: Entry | None, tail: Tail, keys: Keyring | None) -> Kind:
    """What was most likely done to an entry that does not fit; that it does not is certain."""
    if following is not None and entry.prev == following.mac:
        return "reordered"
    moved = replace(entry, n=entry.n + 1)
    if entry.prev != tail.mac and keys is not None and keys.fits(moved):
        return "removed"  # the ones after it moved up
    if following is not None and following.prev == tail.mac:
        return "inserted"
    return "changed"


def read(raw: Mapping[str, Any]) -> Entry | None:
    """The entry, or None when its members are not those of an entry."""
    texts = all(isinstance(raw.get(name), str) for name in ("alg", "key", "prev", "mac", "link"))
    numbers = all(type(raw.get(name)) is int for name in ("shard", "n"))
    if not (texts and numbers and isinstance(raw.get("record"), Mapping)) or len(raw) != len(Entry.__slots__):
        return None
    return Entry.from_dict(raw)


def _differs(signed: Tail, found: Tail) -> bool:
    return (signed.mac, signed.link) != (found.mac, found.link)


def _named(kind: Kind, place: int, raw: Mapping[str, Any], tail: Tail) -> Finding:
    if kind == "removed":
        return Finding(kind, tail.shard, tail.n + 1)
    record = raw.get("record")
    known = record if isinstance(record, Mapping) else {}
    return Finding(kind, tail.shard, place, str(known.get("id", "")), str(known.get("at", "")))


def _with_next(entries: Iterable[Raw]) -> Iterator[tuple[Raw, Raw | None]]:
    made = iter(entries)
    one = next(made, None)
    while one is not None:
        following = next(made, None)
        yield one, following
        one = following
