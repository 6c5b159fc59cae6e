"""Who was given a record, as the evidence of use knows it (L-35), for :mod:`huitong.tickets.telling`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from huitong.audit.search import Receipt
from huitong.contracts.model import Contract
from huitong.tickets.telling import Given

#: Far above what one record is given out in its life: nobody may be left out for a page's end.
_MOST: Final = 1_000_000


class Evidence(Protocol):
    def recipients(
        self,
        *,
        subject: str = "",
        record: str = "",
        fields: Sequence[str] = (),
        low: str = "",
        high: str = "",
        limit: int = 0,
    ) -> list[Receipt]: ...


class EvidencedReceivers:
    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def of_record(
        self, contract: Contract, record: str, fields: Sequence[str], low: str, high: str
    ) -> Iterable[Given]:
        """Every act that disclosed one of the fields of the record between two moments (empty = open)."""
        found = self._evidence.recipients(record=record, fields=fields, low=low, high=high, limit=_MOST)
        return [
            Given(r.unit, r.at, r.fields, r.masked, r.path or r.act, r.grant, r.seq)
            for r in found
            if r.resource == contract.id
        ]
