"""Signed heads (S-13): where each chain ended, signed, under object lock outside the database.

A head file names the one before it by its digest, so that missing files are
found, too. The register keeps the newest file whole: a job that is killed after
claiming its turn and before storing the file is made good by the next one.

A chain is followed from head to head before it is signed: what does not fit is
told at once (``EvidenceBroken``) and is never signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from huitong.audit.chain import SHARDS, Entry, Keyring, Tail, canonical, number, partition
from huitong.audit.verify import Finding, Raw, Verdict, follow
from huitong.errors import Conflict
from huitong.ports import Clock, EventBus, Item, ObjectStore, Register, Signature, Signer, timestamp

FOLDER: Final = "heads/"
PK, SK = "EVIDENCE", "HEADS"
_PAGE: Final = 1_000
_MOST: Final = 20_000  # entries followed in one run, of each chain
_QUIET: Final = timedelta(hours=1)  # a head is signed at least so often, also when nothing happened
Observer = Callable[[Sequence[Entry]], None]


@dataclass(frozen=True, slots=True)
class Head:
    """One signed file."""

    at: str
    previous: str  # SHA-256 of the file before; empty for the first
    previous_key: str
    places: tuple[Tail, ...]
    signature: Signature

    @property
    def key(self) -> str:
        return f"{FOLDER}{self.at[:10]}/{self.at}.json"

    def message(self) -> bytes:
        """What is signed: short, since a key of KMS signs at most 4 KiB."""
        return message_of(self.content())

    def content(self) -> dict[str, Any]:
        return content_of(self.at, self.previous, self.previous_key, self.places)

    def text(self) -> bytes:
        return canonical({**self.content(), "signature": asdict(self.signature)})

    @classmethod
    def read(cls, body: Mapping[str, Any]) -> Head:
        places = tuple(Tail(**place) for place in body["places"])
        return cls(body["at"], body["previous"], body["previous_key"], places, Signature(**body["signature"]))


def content_of(at: str, previous: str, previous_key: str, places: Sequence[Tail]) -> dict[str, Any]:
    return {"format": 1, "at": at, "previous": previous, "previous_key": previous_key,
            "places": [asdict(place) for place in places]}  # fmt: skip


def message_of(content: Mapping[str, Any]) -> bytes:
    return b"huitong evidence head " + hashlib.sha256(canonical(content)).hexdigest().encode()


class Heads:
    """``observers`` are shown what was written since the last head: alerts are made from it."""

    def __init__(
        self,
        register: Register,
        evidence: ObjectStore,
        signer: Signer,
        keys: Keyring,
        clock: Clock,
        events: EventBus,
        observers: Sequence[Observer] = (),
    ) -> None:
        self._register = register
        self._evidence = evidence
        self._signer = signer
        self._keys = keys
        self._clock = clock
        self._events = events
        self._observers = observers

    def run(self) -> dict[str, int]:
        """Sign where the chains end now. Two at once: one signs, the other leaves it."""
        item = self._register.get(PK, SK)
        before = Head.read(item.body) if item else None
        if before is not None:
            self._store(before)
        places, seen, findings = self._followed(before)
        now = self._clock.now()
        if before is not None and not seen and now - datetime.fromisoformat(before.at) < _QUIET:
            return {"entries": 0, "findings": len(findings), "signed": 0}
        at = timestamp(now)
        if before is not None and at <= before.at:  # a clock that went back: the order of heads does not
            return {"entries": seen, "findings": len(findings), "signed": 0}
        digest = hashlib.sha256(before.text()).hexdigest() if before else ""
        content = content_of(at, digest, before.key if before else "", places)
        head = Head(
            at, digest, content["previous_key"], tuple(places), self._signer.sign(message_of(content))
        )
        try:
            self._register.write(
                creates=() if item else [Item(PK, SK, _body(head))],
                replaces=[Item(PK, SK, _body(head), item.version)] if item else (),
            )
        except Conflict:
            return {"entries": seen, "findings": len(findings), "signed": 0}
        self._store(head)
        return {"entries": seen, "findings": len(findings), "signed": 1}

    def newest(self) -> Head | None:
        item = self._register.get(PK, SK)
        return Head.read(item.body) if item else None

    def _store(self, head: Head) -> None:
        with suppress(Conflict):  # it is there
            self._evidence.put(head.key, head.text(), content_type="application/json", if_absent=True)

    def _followed(self, before: Head | None) -> tuple[list[Tail], int, list[Finding]]:
        known = {place.shard: place for place in before.places} if before else {}
        places, seen, findings = [], 0, []
        for shard in range(SHARDS):
            tail = known.get(shard, Tail(shard))
            read: list[Raw] = list(entries_after(self._register, tail, _MOST))
            verdict = self._lost(tail) or follow(read, tail, self._keys, to_end=False)
            good = [Entry.from_dict(raw) for _, raw in read[: verdict.count]]
            for observer in self._observers:
                observer(good)
            if verdict.finding is not None:
                findings.append(verdict.finding)
                self._events.publish("EvidenceBroken", verdict.finding.as_dict())
            places.append(verdict.tail)
            seen += verdict.count
        return places, seen, findings

    def _lost(self, tail: Tail) -> Verdict | None:
        """Is the entry that was signed last still there, and the same?"""
        if not tail.n:
            return None
        item = self._register.get(partition(tail.shard), number(tail.n))
        if item is None:
            return Verdict(tail, 0, Finding("truncated", tail.shard, tail.n, at=tail.at))
        same = (item.body.get("mac"), item.body.get("link")) == (tail.mac, tail.link)
        return None if same else Verdict(tail, 0, Finding("rewritten", tail.shard, tail.n, at=tail.at))


def entries_after(register: Register, tail: Tail, most: int) -> Iterator[Raw]:
    """Entries of a chain as they are stored, page by page."""
    after, left = number(tail.n), most
    while left > 0:
        page = register.query(partition(tail.shard), after=after, limit=min(_PAGE, left))
        yield from ((int(item.sk), item.body) for item in page)
        if len(page) < min(_PAGE, left):
            return
        after, left = page[-1].sk, left - len(page)


def _body(head: Head) -> dict[str, Any]:
    return {**head.content(), "signature": asdict(head.signature)}
