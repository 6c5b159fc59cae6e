"""Reading without sign-in: rows of released resources, open fields, items whose day is not over. Heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from huitong.contracts.model import STANDING, Contract, Mask
from huitong.delivery.pull import Pull
from huitong.errors import NotFound
from huitong.open_access.publication_rules import open_access
from huitong.open_access.releases import Release
from huitong.ports import Clock
from huitong.procedures.calendar import china_day
from huitong.sharing.access import Access
from huitong.sharing.names import literal, quoted

#: Rows of one person in one resource; more of them are read at the desk.
MOST_OWN: Final = 500


@dataclass(frozen=True, slots=True)
class OpenRows:
    rows: tuple[Mapping[str, Any], ...]
    next: str
    has_more: bool
    seq: int
    fields: tuple[str, ...]


class OpenReading:
    def __init__(self, pull: Pull, clock: Clock) -> None:
        self._pull = pull
        self._clock = clock

    def page(self, contract: Contract, release: Release, after: str, limit: int) -> OpenRows:
        """Rows as of the last publication. Raises BadRequest for a cursor that is none."""
        access = open_access(contract, china_day(self._clock.now()))
        shown = tuple(name for name in access.fields if name in release.fields)
        return self._rows(contract, replace(access, fields=shown), after, limit)

    def expired(self, contract: Contract, limit: int = 1_000) -> int:
        """How many items have ended and are no longer shown, at most ``limit`` of them counted."""
        if contract.publish_until in ("", STANDING):
            return 0
        today = literal(china_day(self._clock.now()).isoformat())
        over = f"{quoted(contract.publish_until)} < CAST({today} AS DATE)"
        access = Access(contract.id, tuple(f.name for f in contract.keys), row_filter=over)
        return len(self._rows(contract, access, "", limit).rows)

    def own(self, contract: Contract, number: str) -> list[Mapping[str, Any]]:
        """Rows about one person, by the person's own number; what is about others in them is masked.

        A row can name several persons (a couple). Fields of the others are their number fields and those
        that begin with the same word (``spouse_id_no``, ``spouse_name``).
        """
        found: list[Mapping[str, Any]] = []
        for field in contract.subject_fields:
            others = [f for f in contract.subject_fields if f is not field]
            masks: dict[str, Mask] = {}
            for other in others:
                word = other.name.partition("_")[0] + "_"
                same = [f for f in contract.fields if f.name.startswith(word) and f is not field]
                own = field.name.startswith(word)
                for one in (*(() if own else same), other):
                    masks[one.name] = one.mask or "all"
            wanted = f"UPPER(TRIM({quoted(field.name)})) = {literal(number.strip().upper())}"
            names = tuple(f.name for f in contract.fields)
            access = Access(contract.id, names, masks, wanted)
            found += self._rows(contract, access, "", MOST_OWN).rows
        return found

    def _rows(self, contract: Contract, access: Access, after: str, limit: int) -> OpenRows:
        try:
            page = self._pull.snapshot(access, contract, contract.id, after, limit)
        except NotFound:  # nothing is published yet
            return OpenRows((), "", False, 0, access.fields)
        rows = tuple(event["data"]["row"] for event in page.events)
        return OpenRows(rows, page.next if page.has_more else "", page.has_more, page.seq, access.fields)
