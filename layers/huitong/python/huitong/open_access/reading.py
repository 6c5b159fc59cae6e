"""Reading without sign-in: rows of released resources, open fields, items whose day is not over. Heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from huitong.contracts.model import STANDING, Contract, Field, Mask
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
        """Rows about one person, by the person's own number; what is about others in them is masked."""
        found: list[Mapping[str, Any]] = []
        for field in contract.subject_fields:
            wanted = f"UPPER(TRIM({quoted(field.name)})) = {literal(number.strip().upper())}"
            names = tuple(f.name for f in contract.fields)
            masks: dict[str, Mask] = {f.name: f.mask or "all" for f in of_others(contract, field)}
            found += self._rows(contract, Access(contract.id, names, masks, wanted), "", MOST_OWN).rows
        return found

    def _rows(self, contract: Contract, access: Access, after: str, limit: int) -> OpenRows:
        try:
            page = self._pull.snapshot(access, contract, contract.id, after, limit)
        except NotFound:  # nothing is published yet
            return OpenRows((), "", False, 0, access.fields)
        rows = tuple(event["data"]["row"] for event in page.events)
        return OpenRows(rows, page.next if page.has_more else "", page.has_more, page.seq, access.fields)


def of_others(contract: Contract, own: Field) -> list[Field]:
    """The fields of a row that are about somebody else than the person whom ``own`` names.

    The first number of a resource names whom its rows are about; a further one belongs to a relative, with
    all fields that begin with the same word (``spouse_id_no``, ``spouse_name``). A relative sees of the
    first person's fields only those that are not sensitive.
    """
    first, *relatives = contract.subject_fields
    words = [_word(f) for f in relatives]
    if own is first:
        return [f for f in contract.fields if f in relatives or f.name.startswith(tuple(words))]
    return [f for f in contract.fields if (f.masked or f is first) and not f.name.startswith(_word(own))]


def _word(field: Field) -> str:
    return field.name.partition("_")[0] + "_"
