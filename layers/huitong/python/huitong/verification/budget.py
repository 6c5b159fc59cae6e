"""How much may be compared, and when comparing has become guessing (S-38). Light.

Counters: ``VERIFY#{day}#{unit}`` / ``{resource}#{subject}`` (a blind index) and ``ASKER#{principal}``;
they hold counts and, for each field, keyed digests of the values that were claimed on that day, and
go after two days. They are raised before anything is compared: who breaks off has used its budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from huitong.errors import Conflict, LimitExceeded
from huitong.ports import Clock, Item, Register
from huitong.procedures.calendar import china_day

_ATTEMPTS: Final = 8
_PIECE: Final = 90
_KEPT: Final = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Rules:
    """``fewest``: distinct subjects of a comparison outside of a case; ``subject_day``: comparisons of one
    subject, ``asker_day``: of one asker, a day; ``claims``: different values claimed for one field of
    one subject a day: one more is guessing."""

    fewest: int = 10
    subject_day: int = 20
    asker_day: int = 2_000
    claims: int = 3


@dataclass(frozen=True, slots=True)
class Use:
    """What one item uses: ``claims`` are digests of claimed values by field."""

    subject: str
    claims: Mapping[str, str]


class Guessing(LimitExceeded):
    """Values are tried out. ``subjects``: of whom."""

    code = "enumeration"

    def __init__(self, subjects: Sequence[str]) -> None:
        zh, en = (
            "同一人同一项当日声明的不同值过多,已拒绝并告警",
            "Values are being tried out: refused, and told of",
        )
        super().__init__(zh, en, limit="claims")
        self.subjects = tuple(subjects)


class Budget:
    def __init__(self, register: Register, clock: Clock, rules: Rules | None = None) -> None:
        self._register = register
        self._clock = clock
        self.rules = rules or Rules()

    def day(self) -> str:
        return china_day(self._clock.now()).isoformat()

    def spend(self, unit: str, asker: str, resource: str, uses: Sequence[Use]) -> None:
        """Count the uses. Raises LimitExceeded or Guessing, then nothing may be compared; Conflict when
        others keep counting the same subjects. Of two at once both are counted."""
        pk = f"VERIFY#{self.day()}#{unit}"
        wanted = _by_subject(uses)
        self._check(self._read(pk, resource, asker, wanted), wanted, len(uses))  # before anything is counted
        keys = [_asker(asker), *(f"{resource}#{s}" for s in wanted)]
        for start in range(0, len(keys), _PIECE):
            self._count(pk, keys[start : start + _PIECE], resource, asker, wanted, len(uses))

    def _count(
        self, pk: str, keys: Sequence[str], resource: str, asker: str, wanted: _Wanted, total: int
    ) -> None:
        for attempt in range(_ATTEMPTS):
            found = self._read(pk, resource, asker, wanted, only=keys)
            self._check(found, wanted, total)
            items = [self._raised(pk, key, found.get(key), wanted, total) for key in keys]
            creates, replaces = [i for i in items if not i.version], [i for i in items if i.version]
            try:
                self._register.write(creates, replaces)
            except Conflict:
                if attempt + 1 == _ATTEMPTS:
                    raise
            else:
                return

    def _read(
        self, pk: str, resource: str, asker: str, wanted: _Wanted, *, only: Sequence[str] = ()
    ) -> dict[str, Item]:
        keys = only or [_asker(asker), *(f"{resource}#{s}" for s in wanted)]
        found = {key: self._register.get(pk, key) for key in keys}
        return {key: item for key, item in found.items() if item is not None}

    def _check(self, found: Mapping[str, Item], wanted: _Wanted, total: int) -> None:
        rules, guessed = self.rules, []
        for key, item in found.items():
            if key.startswith("ASKER#") and int(item.body["count"]) + total > rules.asker_day:
                raise LimitExceeded("今日比对次数已满", "No more comparisons today", limit="asker_day")
        counted = {key.rpartition("#")[2]: item.body for key, item in found.items()}
        for subject, (times, claims) in wanted.items():
            body: Mapping[str, Any] = counted.get(subject, {"count": 0, "claims": {}})
            for name, digests in claims.items():
                if len(digests.union(body["claims"].get(name, ()))) > rules.claims:
                    guessed.append(subject)
            if int(body["count"]) + times > rules.subject_day:
                zh, en = "此人今日比对次数已满", "No more comparisons of this person today"
                raise LimitExceeded(zh, en, limit="subject_day")
        if guessed:
            raise Guessing(sorted(set(guessed)))

    def _raised(self, pk: str, key: str, item: Item | None, wanted: _Wanted, total: int) -> Item:
        expires = int((self._clock.now() + _KEPT).timestamp())
        if key.startswith("ASKER#"):
            count = int(item.body["count"]) if item else 0
            return Item(pk, key, {"count": count + total}, item.version if item else 0, expires=expires)
        times, claims = wanted[key.rpartition("#")[2]]
        before: Mapping[str, Any] = item.body if item else {"count": 0, "claims": {}}
        names = {*before["claims"], *claims}
        known = {n: sorted(claims.get(n, set()).union(before["claims"].get(n, ()))) for n in sorted(names)}
        body = {"count": int(before["count"]) + times, "claims": known}
        return Item(pk, key, body, item.version if item else 0, expires=expires)


_Wanted = dict[str, tuple[int, dict[str, set[str]]]]


def _asker(principal: str) -> str:
    return f"ASKER#{principal}"


def _by_subject(uses: Sequence[Use]) -> _Wanted:
    wanted: _Wanted = {}
    for use in uses:
        times, claims = wanted.get(use.subject, (0, {}))
        for name, digest in use.claims.items():
            claims.setdefault(name, set()).add(digest)
        wanted[use.subject] = (times + 1, claims)
    return wanted
