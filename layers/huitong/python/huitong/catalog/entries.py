"""The catalogue (资源目录): entries from draft to publication, and what is published.

Q-02, Q-43, L-08, X-17: every step is one conditional write with its evidence; publication is the one
that also moves the authoritative sources, the feed of the search index and the
notices to those who use the resource.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from huitong.audit.trace import Traces
from huitong.catalog.codes import reservation, with_code
from huitong.catalog.conformance import Finding, Known, findings
from huitong.catalog.deriving import derived
from huitong.catalog.documents import document
from huitong.catalog.elements import Elements
from huitong.catalog.model import WRITABLE, Entry
from huitong.catalog.procedure import ENTRY
from huitong.catalog.published import Published, Shelf
from huitong.catalog.publishing import Publishing
from huitong.catalog.sources import Sources
from huitong.contracts.registry import Contracts
from huitong.errors import BadRequest, NotFound, Problem
from huitong.identity.model import DATA_DEPARTMENT, OPERATOR
from huitong.identity.units import Units
from huitong.ports import Clock, Register
from huitong.procedures.calendar import Calendar, china_day
from huitong.procedures.deciding import Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import Record

#: Raises NotPermitted with everything that a unit lacks before its resource may be shared.
Gate = Callable[[str, str], None]
#: The units that use a resource.
Users = Callable[[str], Collection[str]]

_DEPARTS: Final = ("purpose", "need", "volume", "frequency")


def no_gate(_resource: str, _provider: str) -> None:
    return None


class Catalog:
    """``gate`` is asked before publication, ``users`` whom a change concerns."""

    def __init__(
        self,
        register: Register,
        contracts: Contracts,
        units: Units,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        *,
        users: Users,
        gate: Gate = no_gate,
    ) -> None:
        self._register, self._clock = register, clock
        self._contracts, self._units = contracts, units
        self.elements = Elements(register, clock)
        self.shelf = Shelf(register)
        self.sources = Sources(register)
        self._publishing = Publishing(register, self.shelf, self.sources, clock, self.known, users, gate)
        self.desk = Desk(ENTRY, register, traces, calendar, clock, self._consequences)

    # --- what is published -------------------------------------------------

    def entry(self, resource: str) -> Entry | None:
        """The published entry of a resource; None when there is none. For applications and searches."""
        found = self.shelf.current(resource)
        return found.entry if found else None

    def published(self, resource: str) -> Published:
        """Raises NotFound."""
        found = self.shelf.current(resource)
        if found is None:
            raise _none(resource)
        return found

    def document(self, entry: Entry) -> dict[str, Any]:
        """An entry with its items, by the version of the contract that it was published with."""
        contract = self._contracts.find(entry.resource, entry.contract_version)
        return document(entry, contract, self.elements.all())

    # --- the procedure -----------------------------------------------------

    def open(
        self, resource: str, content: Mapping[str, Any], actor: Actor, *, supervisor: str = ""
    ) -> Record:
        """A new draft; what the content leaves out is taken from the contract.

        Raises NotFound (no such contract), NotPermitted, BadRequest, and Conflict when the resource has
        an entry or the code was used.
        """
        contract = self._contracts.get(resource)
        provider = contract.provider or OPERATOR
        supervisor = supervisor or DATA_DEPARTMENT
        _refuse_unknown(content)
        if supervisor == provider:
            raise BadRequest(
                "监督单位不得是提供方本身", "The supervising unit is not the provider", unit=supervisor
            )
        unit = self._units.find(provider)
        entry = derived(contract, unit, self._today()).with_content(content)
        parties = {
            "editor": actor.unit if actor.unit == provider else OPERATOR,
            "source": provider,
            "department": DATA_DEPARTMENT,
            "supervisor": supervisor,
        }
        at_desk = Actor(actor.principal, actor.unit or OPERATOR)
        return self.desk.open(
            contract.id,
            at_desk,
            parties=parties,
            content={"resource": contract.id, "entry": entry.as_dict(), "filings": []},
        )

    def edit(self, resource: str, content: Mapping[str, Any], actor: Actor, *, seen: int = 0) -> Record:
        """A draft with those members replaced that the content names; a member of null is taken away.

        Raises as :meth:`take`.
        """
        _refuse_unknown(content)

        def edited(_before: Record | None, after: Record) -> Effects:
            old = Entry.from_dict(after.content["entry"])
            new = old.with_content(content).stamped(metadata_updated=self._today())
            last = self.shelf.at(resource, self.shelf.count(resource))
            new = with_code(last.entry, new) if last else new
            kept = {**after.content, "entry": new.as_dict()}
            return Effects(creates=reservation(self._register, new), content=kept)

        return self.desk.take(
            resource, "edit", _seated(actor), seen=seen, consequences=edited, resource=resource
        )

    def take(
        self, resource: str, step: str, actor: Actor, given: Mapping[str, Any] | None = None, *, seen: int = 0
    ) -> Record:
        """Take a step of :data:`~huitong.catalog.procedure.ENTRY`.

        Raises NotFound, NotPermitted, BadRequest (publication: with every failed rule) and Conflict.
        """
        if step == "edit":
            raise BadRequest("内容请用 PUT 保存", "Content is saved with PUT", step=step)
        return self.desk.take(resource, step, _seated(actor), given, seen=seen)

    def get(self, resource: str) -> Record:
        """Raises NotFound."""
        return self.desk.get(resource)

    # --- conformance -------------------------------------------------------

    def known(self, resource: str) -> Known:
        contract = self._contracts.find(resource)
        return Known(
            contract,
            self.elements.all(),
            self.sources.all(),
            frozenset(u.code for u in self._units.list()),
            contract.version if contract else 0,
        )

    def findings(self, entry: Entry, shared: Known | None = None) -> list[Finding]:
        """Every rule that an entry fails now (L-13). ``shared`` spares reading what many entries need."""
        if shared is None:
            return findings(entry, self.known(entry.resource))
        contract = self._contracts.find(entry.resource)
        version = contract.version if contract else 0
        known = Known(contract, shared.elements, shared.sources, shared.units, version)
        return findings(entry, known)

    def tell(self) -> int:
        """Send the notices of changes that did not fit into their transaction."""
        return self._publishing.tell()

    # --- within ------------------------------------------------------------

    def _today(self) -> str:
        return china_day(self._clock.now()).isoformat()

    def _consequences(self, before: Record | None, after: Record) -> Effects:
        step = after.history[-1]
        if before is None:
            entry = Entry.from_dict(after.content["entry"])
            return Effects(creates=reservation(self._register, entry))
        if step.step == "review":
            _refuse_half_review(step.given)
        if step.step == "reevaluate":
            _refuse_unknown_departure(step.given)
        if step.step == "file":
            filings = [*after.content["filings"], {**step.given, "at": step.at, "by": step.by}]
            return Effects(content={**after.content, "filings": filings})
        if step.step == "publish":
            return self._publishing.publish(before, after)
        if step.step == "withdraw":
            return self._publishing.withdraw(after)
        if step.step in ("discard", "drop"):
            return self._publishing.left(after)
        return Effects()


def _seated(actor: Actor) -> Actor:
    """Staff without a unit take the operator's steps."""
    return actor if actor.unit else Actor(actor.principal, OPERATOR)


def _none(resource: str) -> NotFound:
    return NotFound(f"目录中没有 {resource}", f"There is no {resource} in the catalogue", resource=resource)


def _refuse_unknown(content: Mapping[str, Any]) -> None:
    problems = [
        Problem("entry.unknown", f"条目没有元素 {name}", f"An entry has no {name} to write", {"path": name})
        for name in content
        if name not in WRITABLE
    ]
    if problems:
        raise BadRequest("条目内容有误", "The entry's content is not valid", problems=problems)


def _refuse_half_review(given: Mapping[str, Any]) -> None:
    """L-08: accuracy, completeness and compliance are each confirmed."""
    missing = [n for n in ("accuracy", "completeness", "compliance") if given.get(n) is not True]
    problems = [
        Problem("L-08", f"审核未确认 {name}", f"The review does not confirm {name}", {"field": name})
        for name in missing
    ]
    if problems:
        zh, en = "审核须逐项确认,否则退回", "A review confirms all three, or sends the entry back"
        raise BadRequest(zh, en, problems=problems)


def _refuse_unknown_departure(given: Mapping[str, Any]) -> None:
    if given["departs"] not in _DEPARTS:
        known = " ".join(_DEPARTS)
        raise BadRequest(f"departs 须为 {known} 之一", f"departs is one of {known}", field="departs")
