"""The hash chain over the records of evidence (S-13): pure.

Records form ``SHARDS`` chains, so that writers seldom meet. Each entry names the
entry before it and carries two values over (place, algorithm, key, value before,
record):

- ``mac``: HMAC with a key that only the platform has. Who can write to the
  database, but lacks the key, cannot make an entry that fits;
- ``link``: a plain digest over the link before and the entry. Whoever has an
  export and the signed heads checks it without any secret.

Algorithm and key are named in every entry: they can change, and what was
written before stays checkable.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self

from huitong.ports import Item

SHARDS: Final = 16
CHAIN: Final = "CHAIN#"
START: Final = "0" * 64  # what the first entry of a chain links to

Digest = Literal["sha256", "sm3"]
_MACS: Final[Mapping[str, Digest]] = {"HMAC-SHA256": "sha256", "HMAC-SM3": "sm3"}
_NAMES: Final[Mapping[Digest, str]] = {digest: name for name, digest in _MACS.items()}
UNKEYED: Final = "none"


@dataclass(frozen=True, slots=True)
class Entry:
    """One record in its place: number ``n`` (from 1, without gap) of a shard."""

    shard: int
    n: int
    alg: str
    key: str  # name of the key
    prev: str  # mac of the entry before
    mac: str
    link: str
    record: Mapping[str, Any]

    @property
    def id(self) -> str:
        return str(self.record.get("id", ""))

    @property
    def at(self) -> str:
        return str(self.record.get("at", ""))

    def covered(self) -> bytes:
        """The bytes that mac and link cover."""
        return canonical({
            "alg": self.alg, "key": self.key, "n": self.n, "prev": self.prev, "record": self.record,
            "shard": self.shard,
        })  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{name: body[name] for name in cls.__slots__})


@dataclass(frozen=True, slots=True)
class Tail:
    """Where a chain ends (or how far it was followed): the next entry links here. ``n`` 0 = at its start."""

    shard: int
    n: int = 0
    mac: str = START
    link: str = START
    at: str = ""

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(entry.shard, entry.n, entry.mac, entry.link, entry.at)


@dataclass(frozen=True, slots=True)
class Keyring:
    """The MAC keys by name; the last of ``names`` seals what is written now.

    ``get`` fetches a key (a call to KMS) when it is first needed, then it is kept.
    Without ``names`` entries are sealed with no key and say so: for tests and
    tools on one machine. A verifier with names takes no such entry for good.
    ``look`` lists the names as they are now: it is asked before the first entry is
    sealed, and again for an entry under a key that was made since (S-24).
    """

    get: Callable[[str], str] = lambda _name: ""
    names: tuple[str, ...] = (UNKEYED,)
    digest: Digest = "sha256"
    look: Callable[[], tuple[str, ...]] | None = None
    _listed: list[str] = field(default_factory=list, compare=False, repr=False)
    _known: dict[str, bytes] = field(default_factory=dict, compare=False, repr=False)

    def seal(self, tail: Tail, record: Mapping[str, Any]) -> Entry:
        """The entry that follows ``tail``. Raises what fetching the key raises."""
        alg, key = _NAMES[self.digest], self._names()[-1]
        bare = Entry(tail.shard, tail.n + 1, alg, key, tail.mac, "", "", record)
        covered = bare.covered()
        mac = _hmac(self.digest, self._key(key), covered)
        return Entry(
            bare.shard, bare.n, alg, key, bare.prev, mac, _link(self.digest, tail.link, covered), record
        )

    def fits(self, entry: Entry) -> bool:
        """Is the entry's mac the one that its content has under a key of ours?"""
        if entry.alg not in _MACS or entry.key not in self._names(entry.key):
            return False
        mac = _hmac(_MACS[entry.alg], self._key(entry.key), entry.covered())
        return hmac.compare_digest(mac, entry.mac)

    def _names(self, wanted: str = "") -> Sequence[str]:
        if self.look is None:
            return self.names
        if not self._listed or (wanted and wanted not in self._listed):
            self._listed[:] = self.look()
        return self._listed

    def _key(self, name: str) -> bytes:
        if name not in self._known:
            self._known[name] = self.get(name).encode()
        return self._known[name]


def linked(entry: Entry, before: str) -> bool:
    """Does the entry's plain link follow the link before it? Needs no key."""
    return entry.alg in _MACS and _link(_MACS[entry.alg], before, entry.covered()) == entry.link


def canonical(value: Mapping[str, Any]) -> bytes:
    """The one text of a JSON value: sorted members, no blanks, UTF-8; numbers are whole."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def item_of(entry: Entry) -> Item:
    """The register entry; ``index1`` lists a resource by time, ``index2`` the acting unit by time."""
    place, record = f"{entry.at}#{entry.id}", entry.record
    return Item(
        pk=partition(entry.shard),
        sk=number(entry.n),
        body=entry.as_dict(),
        index1=(f"TRACES#{record.get('resource', '')}", place),
        index2=(f"TRACES-BY#{record.get('unit', '')}", place),
    )


def partition(shard: int) -> str:
    return f"{CHAIN}{shard:02}"


def number(n: int) -> str:
    return f"{n:012}"


def _link(digest: Digest, before: str, covered: bytes) -> str:
    return _hash(digest, before.encode() + covered)


def _hash(digest: Digest, data: bytes) -> str:
    if digest == "sm3" and "sm3" not in hashlib.algorithms_available:
        from cryptography.hazmat.primitives import hashes  # brings an OpenSSL that has it

        made = hashes.Hash(hashes.SM3())
        made.update(data)
        return made.finalize().hex()
    return hashlib.new(digest, data).hexdigest()


def _hmac(digest: Digest, key: bytes, data: bytes) -> str:
    if digest == "sm3" and "sm3" not in hashlib.algorithms_available:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.hmac import HMAC

        made = HMAC(key, hashes.SM3())
        made.update(data)
        return made.finalize().hex()
    return hmac.new(key, data, digest).hexdigest()
