"""From publications of the court's resources into the case register: in order, once, restartable.

``caseRegister: stage`` marks the resource of stages (IN-01), ``rulings`` that of rulings (IN-02). The
first resource of a kind that feeds the register stays the only one (one number, one source): another
contract that claims the same is told of and not read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Final, Protocol

from huitong.audit.subjects import blind, subject_text
from huitong.audit.trace import Trace, Traces
from huitong.cases.model import News
from huitong.cases.numbers import canonical
from huitong.cases.register import BY, Cases
from huitong.contracts.model import Contract
from huitong.delivery.changes import ChangeSource
from huitong.delivery.model import Position
from huitong.errors import Conflict
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, Item, Register, timestamp
from huitong.sharing.access import Access

#: After so many rows the place is kept; a run that is killed begins there again.
_STEP: Final = 200


class Contracts(Protocol):
    def get(self, id: str, version: int = 0) -> Contract: ...


class Publication(Protocol):
    @property
    def seq(self) -> int: ...


class Published(Protocol):
    def get(self, resource: str) -> Publication | None: ...


@dataclass(frozen=True, slots=True)
class Fed:
    """What a run did: rows read, cases whose stage or persons changed, rows that could not be."""

    rows: int = 0
    changed: int = 0
    refused: int = 0


class Feed:
    """``source`` and ``key`` (of blind indexes) are called only when there is something to read."""

    def __init__(
        self,
        cases: Cases,
        register: Register,
        traces: Traces,
        contracts: Contracts,
        publications: Published,
        source: Callable[[], ChangeSource],
        key: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._cases = cases
        self._register = register
        self._traces = traces
        self._contracts = contracts
        self._publications = publications
        self._source = source
        self._key = key
        self._clock = clock

    def run(self, resource: str) -> Fed:
        """Apply what was published of a resource and not yet applied; nothing for others than the court's.

        Raises faults of the stores; what was applied before stays applied.
        """
        pointer = self._publications.get(resource)
        if pointer is None:
            return Fed()
        contract = self._contracts.get(resource)
        if not contract.case_register or not self._is_the_source(contract):
            return Fed()
        place = self._place(resource)
        if place[0] > pointer.seq:
            return Fed()
        return self._read(contract, place, pointer.seq)

    def _read(self, contract: Contract, place: tuple[int, int], upto: int) -> Fed:
        rows = changed = refused = 0
        access = Access(contract.id, tuple(f.name for f in contract.fields), owner=True)
        for row in self._rows(contract, access, place, upto):
            news = self._news(contract, row)
            what = self._cases.apply(news).what if news else "noted"
            changed += what in ("opened", "moved", "extended")
            refused += what in ("refused", "unknown", "gone")
            rows += 1
            if rows % _STEP == 0:
                self._keep(contract.id, (int(row["_seq"]), int(row["_ordinal"])))
        self._keep(contract.id, (upto + 1, 0))
        return Fed(rows, changed, refused)

    def _rows(
        self, contract: Contract, access: Access, place: tuple[int, int], upto: int
    ) -> Iterator[Mapping[str, Any]]:
        batches = self._source().changes(contract, access, Position(*place), upto)
        with closing(batches):
            for batch in batches:
                yield from batch.to_pylist()

    def _news(self, contract: Contract, row: Mapping[str, Any]) -> News | None:
        """The news; None for a row without a case number and for a ruling that was taken back."""
        number = canonical(str(row.get(contract.case_field) or ""))
        place = int(row["_seq"]), int(row["_ordinal"])
        rulings, gone = contract.case_register == "rulings", row["_op"] == "delete"
        if not number or (rulings and gone):
            return None
        kind: Final = "ruling" if rulings else "gone" if gone else "stage"
        news = News(number, kind, contract.id, place, contract.provider)
        if gone:
            return news
        if rulings:
            document, what, day = (_text(row.get(n)) for n in ("doc_no", "doc_type", "doc_date"))
            return replace(news, document=document, document_type=what, time=day)
        debtor = _text(row.get("debtor_id_no"))
        return replace(
            news,
            stage=_text(row.get("case_stage")),
            time=_text(row.get("stage_time")) or _text(row.get("_changed_at")),
            procedure_type=_text(row.get("procedure_type")),
            administrator=_text(row.get("administrator_uscc")),
            apply_date=_text(row.get("apply_date")),
            debtor=blind(self._key(), "subject", subject_text(debtor)) if debtor else "",
        )

    # --- how far, and from where

    def _place(self, resource: str) -> tuple[int, int]:
        item = self._register.get("CASES", f"POSITION#{resource}")
        return (int(item.body["seq"]), int(item.body["ordinal"])) if item else (1, 0)

    def _keep(self, resource: str, place: tuple[int, int]) -> None:
        """Only ever forward; where somebody else is further on, that counts."""
        stored = self._register.get("CASES", f"POSITION#{resource}")
        body = {"seq": place[0], "ordinal": place[1], "at": timestamp(self._clock.now())}
        try:
            if stored is None:
                self._register.create(Item("CASES", f"POSITION#{resource}", body))
            elif (int(stored.body["seq"]), int(stored.body["ordinal"])) < place:
                self._register.replace(stored.with_body(**body))
        except Conflict:
            return  # rows that are read again change nothing

    def _is_the_source(self, contract: Contract) -> bool:
        key = f"SOURCE#{contract.case_register}"
        stored = self._register.get("CASES", key)
        if stored is None:
            body = {"resource": contract.id, "provider": contract.provider}
            trace = Trace("configure", BY, contract.provider, resource=contract.id, detail=f"case:{key}")
            try:
                self._traces.commit(trace, creates=[Item("CASES", key, body)])
            except Conflict:
                return self._is_the_source(contract)
            return True
        if stored.body == {"resource": contract.id, "provider": contract.provider}:
            return True
        self._tell_of_second(contract, str(stored.body["resource"]))
        return False

    def _tell_of_second(self, contract: Contract, first: str) -> None:
        told = f"REFUSED#{contract.id}@{contract.version}"
        if self._register.get("CASES", told) is not None:
            return
        zh = f"资源 {contract.id} 自称案件登记的来源,来源已是 {first},未予采用"
        en = f"Resource {contract.id} claims to feed the case register, which {first} does: it is not read"
        notice = Notice(OPERATOR, "case.source", contract.id, zh, en)
        trace = Trace("refuse", BY, contract.provider, resource=contract.id, detail="case:source")
        try:
            self._traces.commit(
                trace,
                creates=[
                    Item("CASES", told, {"resource": contract.id}),
                    entry_of(notice, timestamp(self._clock.now())),
                ],
            )
        except Conflict:
            return  # told of by another run


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return timestamp(value)
    return value.isoformat() if isinstance(value, date) else str(value)
