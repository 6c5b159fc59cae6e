"""Bulk import of entries from a workbook (X-17): each good row becomes or changes one draft.

``all``: nothing is applied when any row has an error. ``rows``: good rows are
applied, the others told of. A row is one conditional write; what somebody else
changed in between is told as that row's error. The same workbook again
changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from huitong.catalog.columns import content_of
from huitong.catalog.conformance import Known
from huitong.catalog.entries import Catalog
from huitong.catalog.model import Entry
from huitong.catalog.procedure import EDITORS
from huitong.catalog.workbook import Outcome, Row, read, told
from huitong.contracts.registry import Contracts
from huitong.errors import Problem, Refusal
from huitong.identity.model import OPERATOR
from huitong.procedures.deciding import Actor
from huitong.procedures.model import Record

Option = Literal["rows", "all"]
#: Findings that make a row wrong: values outside of their domain. What is still missing a draft may miss.
_WRONG: Final = ("G17-3", "G17-13", "L-01", "Q-46", "Q-45", "Q-42", "L-15", "G17-7", "GB3-2")


@dataclass(frozen=True, slots=True)
class Report:
    outcomes: Sequence[Outcome]
    applied: bool

    def counts(self) -> dict[str, int]:
        names = ("created", "edited", "unchanged", "refused", "waiting")
        return {name: sum(o.result == name for o in self.outcomes) for name in names}

    def as_dict(self) -> dict[str, Any]:
        problems = [
            {**p.as_dict(), "where": {**p.where, "row": o.row.number}}
            for o in self.outcomes
            for p in o.problems
        ]
        shown = {"rows": len(self.outcomes), "applied": self.applied, **self.counts()}
        return {**shown, "problems": problems[:1_000]}

    def workbook(self) -> bytes:
        return told(self.outcomes, self.applied)


@dataclass(slots=True)
class _Planned:
    outcome: Outcome
    resource: str
    content: Mapping[str, Any]
    record: Record | None


class Importing:
    def __init__(self, catalog: Catalog, contracts: Contracts) -> None:
        self._catalog, self._contracts = catalog, contracts

    def run(self, data: bytes, actor: Actor, *, option: Option = "rows") -> Report:
        """Raises TooLarge and UnreadableFile (the workbook itself); everything else is in the report."""
        rows = read(data)
        shared = self._catalog.known("")
        planned = [self._planned(row, actor, shared) for row in rows]
        _refuse_twice(planned)
        wrong = any(one.outcome.problems for one in planned)
        if option == "all" and wrong:
            for one in planned:
                one.outcome.result = "refused" if one.outcome.problems else "waiting"
            return Report([one.outcome for one in planned], applied=False)
        for one in planned:
            self._apply(one, actor)
        return Report([one.outcome for one in planned], applied=True)

    def _planned(self, row: Row, actor: Actor, shared: Known) -> _Planned:
        outcome = Outcome(row, problems=list(row.faults))
        content, faults = content_of({k: v for k, v in row.cells.items() if not _faulty(row, k)})
        for column, fault in faults:
            where = {"path": column.path}
            outcome.problems.append(Problem("workbook.value", fault.zh, fault.en, where))
        name = row.cells.get("resource", "").strip()
        contract = self._contracts.find(name) if name else None
        if contract is None:
            zh, en = f"没有数据模型“{name}”", f"There is no contract {name}"
            outcome.problems.append(Problem("Q-18", zh, en, {"path": "resource"}))
            return _Planned(outcome, name, content, None)
        record = self._catalog.desk.find(contract.id)
        content = _merged(content, record)
        outcome.problems += self._barred(contract.provider or OPERATOR, record, actor)
        entry = Entry(contract.id, provider=contract.provider).with_content(content)
        known = Known(contract, shared.elements, shared.sources, shared.units, contract.version)
        wrong = [f for f in self._catalog.findings(entry, known) if f.rule in _WRONG and not _missing(f.zh)]
        outcome.problems += [f.as_problem() for f in wrong]
        return _Planned(outcome, contract.id, content, record)

    def _barred(self, provider: str, record: Record | None, actor: Actor) -> list[Problem]:
        where = {"path": "resource"}
        if record is None:
            if actor.principal.has(*EDITORS) and (actor.unit or OPERATOR) in (OPERATOR, provider):
                return []
            return [Problem("entry.party", "不能为此单位编目", "You may not edit for this unit", where)]
        if record.state != "draft":
            state = self._catalog.desk.procedure.state(record.state)
            zh, en = f"条目{state.zh},须先修订", f"The entry is {state.en}: revise it first"
            return [Problem("entry.state", zh, en, where)]
        seated = actor if actor.unit else Actor(actor.principal, OPERATOR)
        if any(step.name == "edit" for step in self._catalog.desk.possible(record, seated)):
            return []
        return [Problem("entry.party", "不能修改此条目", "You may not edit this entry", where)]

    def _apply(self, one: _Planned, actor: Actor) -> None:
        if one.outcome.problems:
            one.outcome.result = "refused"
            return
        try:
            if one.record is None:
                self._catalog.open(one.resource, one.content, actor)
                one.outcome.result = "created"
            elif _same(one.record, one.content):
                one.outcome.result = "unchanged"
            else:
                self._catalog.edit(one.resource, one.content, actor, seen=one.record.version)
                one.outcome.result = "edited"
        except Refusal as refusal:  # somebody was first, or the code is taken: this row's error
            one.outcome.result = "refused"
            where = {"path": "code"} if "code" in refusal.where else {"path": "resource"}
            given = refusal.problems or (Problem(refusal.code, refusal.zh, refusal.en, where),)
            one.outcome.problems += given


def _faulty(row: Row, path: str) -> bool:
    return any(p.where.get("path") == path for p in row.faults)


def _missing(text: str) -> bool:
    return text.startswith("必填元素")


def _merged(content: dict[str, Any], record: Record | None) -> dict[str, Any]:
    """A column of a compound element says a part of it: the rest stays."""
    if record is None or "condition" not in content:
        return content
    before = record.content["entry"].get("condition", {})
    return {**content, "condition": {**before, **content["condition"]}}


def _same(record: Record, content: Mapping[str, Any]) -> bool:
    before = Entry.from_dict(record.content["entry"])
    return before.with_content(content) == before


def _refuse_twice(planned: Sequence[_Planned]) -> None:
    for path in ("resource", "code"):
        seen: dict[str, int] = {}
        for one in planned:
            key = one.resource if path == "resource" else str(one.content.get("code") or "")
            if key and key in seen:
                zh, en = f"与第 {seen[key]} 行重复", f"The same as in row {seen[key]}"
                one.outcome.problems.append(Problem("workbook.twice", zh, en, {"path": path}))
            seen.setdefault(key, one.outcome.row.number)
