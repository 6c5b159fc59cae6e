"""Verification page by page (S-13): a chain is followed from where the page before ended."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from huitong.audit.chain import SHARDS, Keyring, Tail, number, partition
from huitong.audit.heads import FOLDER, Head, Heads, entries_after
from huitong.audit.verify import Finding, Raw, Verdict, follow, read
from huitong.errors import BadRequest
from huitong.ports import ObjectStore, Register, Signer

PAGE: Final = 2_000
#: Signed places are compared once a day's worth of entries, and at the newest head.


@dataclass(frozen=True, slots=True)
class Checked:
    shard: int
    first: int
    last: int
    count: int
    finding: Finding | None
    next: str  # continues here; empty when the chain is done

    def as_dict(self) -> dict[str, Any]:
        found = self.finding.as_dict() if self.finding else None
        return {"shard": self.shard, "first": self.first, "last": self.last, "count": self.count,
                "finding": found, "next": self.next or None}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Files:
    items: tuple[tuple[str, bytes], ...]
    next: str


class Checking:
    def __init__(
        self,
        register: Register,
        evidence: ObjectStore,
        signer: Signer,
        keys: Keyring,
        heads: Heads,
    ) -> None:
        self._register = register
        self._evidence = evidence
        self._signer = signer
        self._keys = keys
        self._heads = heads

    def page(self, shard: int, after: str = "", limit: int = PAGE) -> Checked:
        """Follow a shard for up to ``limit`` entries. Raises BadRequest for a shard or place that is none.

        The place itself is no matter of trust: the chain has to link to the entry found there.
        """
        if not 0 <= shard < SHARDS:
            raise BadRequest(f"分片须为 0 至 {SHARDS - 1}", f"A shard is 0 to {SHARDS - 1}", shard=shard)
        start = self._start(shard, after)
        if isinstance(start, Finding):
            return Checked(shard, start.n, start.n, 0, start, "")
        raws = list(entries_after(self._register, start, limit + 1))
        more = len(raws) > limit
        places, wrong = self._signed(shard, raws[:limit])
        if wrong is not None:
            return Checked(shard, start.n + 1, start.n, 0, wrong, "")
        verdict = follow(raws[:limit], start, self._keys, places, to_end=not more)
        going = more and verdict.finding is None
        return Checked(
            shard,
            start.n + 1,
            verdict.tail.n,
            verdict.count,
            verdict.finding,
            str(verdict.tail.n) if going else "",
        )

    def files(self, low: str, after: str, limit: int) -> Files:
        """Head files in order, as they were signed, from a day on. ``after`` is the key before."""
        found: list[tuple[str, bytes]] = []
        for one in self._evidence.list(FOLDER):
            if one.key > (after or f"{FOLDER}{low}"):
                if len(found) == limit:
                    return Files(tuple(found), found[-1][0])
                found.append((one.key, self._evidence.read(one.key)))
        return Files(tuple(found), "")

    def _start(self, shard: int, after: str) -> Tail | Finding:
        if not after or after == "0":
            return Tail(shard)
        if not after.isdecimal() or len(after) > 12:
            raise BadRequest("after 不是续页标记", "after is no token of this list")
        item = self._register.get(partition(shard), number(int(after)))
        entry = read(item.body) if item else None
        if entry is None or entry.n != int(after) or not self._keys.fits(entry):
            return Finding("changed" if item else "removed", shard, int(after))
        return Tail.of(entry)

    def _signed(self, shard: int, raws: Sequence[Raw]) -> tuple[list[Tail], Finding | None]:
        """Places of this shard that were signed: at the end of each day seen, and by the newest head."""
        days = sorted({str(entry.at)[:10] for entry in (read(raw) for _, raw in raws) if entry is not None})
        heads = [head for day in days if (head := self._last_of(day)) is not None]
        newest = self._heads.newest()
        places = []
        for head in [*heads, *([newest] if newest else [])]:
            if not self._signer.verify(head.message(), head.signature):
                return [], Finding("head", shard, 0, id=head.key, at=head.at)
            places += [place for place in head.places if place.shard == shard]
        if newest is not None and self._evidence.head(newest.key) is None:
            return [], Finding("head", shard, 0, id=newest.key, at=newest.at)
        first, last = (raws[0][0], raws[-1][0]) if raws else (0, 0)
        newest_of = [p for p in places[-1:] if newest is not None]
        return [p for p in places if first <= p.n <= last] + newest_of, None

    def _last_of(self, day: str) -> Head | None:
        keys = sorted(found.key for found in self._evidence.list(f"{FOLDER}{day}/"))
        return Head.read(json.loads(self._evidence.read(keys[-1]))) if keys else None


def check_export(
    entries: Iterable[dict[str, Any]], heads: Sequence[tuple[str, bytes]], fits: Any
) -> dict[str, Any]:
    """An export, without the platform: every head's signature and order, every chain's links.

    ``heads``: files (name, bytes) in order; ``fits(message, signature)`` checks a
    signature. The exported entries of a shard follow each other in order; memory stays bounded.
    """
    signed, findings = _heads_in_order(heads, fits)
    count, seen = 0, set()
    for shard, chain in groupby(entries, key=lambda body: int(body.get("shard", -1))):
        raws = ((int(body.get("n", 0)), body) for body in chain)
        verdict: Verdict = follow(raws, Tail(shard), None, signed.get(shard, []))
        count += verdict.count
        seen.add(shard)
        findings += [verdict.finding] if verdict.finding else []
    for shard in signed.keys() - seen:
        verdict = follow((), Tail(shard), None, signed[shard])
        findings += [verdict.finding] if verdict.finding else []
    return {"entries": count, "heads": len(heads), "findings": [f.as_dict() for f in findings]}


def _heads_in_order(
    heads: Sequence[tuple[str, bytes]], fits: Any
) -> tuple[dict[int, list[Tail]], list[Finding]]:
    signed: dict[int, list[Tail]] = {}
    findings: list[Finding] = []
    before = ""
    for name, data in heads:
        head = Head.read(json.loads(data))
        if head.text() != data or head.previous != before or not fits(head.message(), head.signature):
            findings.append(Finding("head", -1, 0, id=name, at=head.at))
        before = hashlib.sha256(data).hexdigest()
        for place in head.places:
            signed.setdefault(place.shard, []).append(place)
    return signed, findings
