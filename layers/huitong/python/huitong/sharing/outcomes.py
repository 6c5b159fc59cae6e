"""What each step of an application brings with it, in the step's own write."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, Protocol

from huitong.contracts.model import Contract
from huitong.contracts.registry import Contracts
from huitong.errors import BadRequest, Conflict, NotPermitted, Problem
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice
from huitong.ports import Clock, Item, timestamp
from huitong.procedures.calendar import china_day
from huitong.procedures.desk import Effects
from huitong.procedures.model import Record
from huitong.sharing.application_procedure import APPLICATION, IN_FORCE
from huitong.sharing.circle import Circle
from huitong.sharing.closing import marker_of
from huitong.sharing.deciding import STANDING, Decision, compiled, decided, needs_second
from huitong.sharing.disputes import disputed
from huitong.sharing.grants import NOT_SHARED, Grants
from huitong.sharing.implementation_sheets import entry_of, sheet_of

if TYPE_CHECKING:
    from huitong.sharing.applications import Applications

_UNCONDITIONAL: Final = "1"


class Gate(Protocol):
    """What must be registered before a unit may use a resource (:mod:`huitong.standing.gates`)."""

    def lacks(self, unit: str, resource: Contract | str, interface: str = "sql") -> Sequence[Problem]: ...


class Outcomes:
    """Consequences of steps (see :data:`huitong.procedures.desk.Consequences`)."""

    def __init__(
        self,
        applications: Applications,
        contracts: Contracts,
        grants: Grants,
        clock: Clock,
        gate: Gate | None,
        circle: Circle,
    ) -> None:
        self._applications = applications
        self._contracts = contracts
        self._grants = grants
        self._clock = clock
        self._gate = gate
        self._circle = circle
        self._of: dict[str, Callable[[Record], Effects]] = {
            "submit": self._submitted, "send": self._sent, "forward": self._forwarded, "report": self._told,
            "ask_supplement": self._asked_more, "supplement": self._told,
            "decide": self._decided, "decide_binding": self._decided_binding,
            "return_decision": self._returned,
            "settle": self._settled, "second": self._seconded, "confirm": self._seconded,
            "refuse": self._told, "overdue": self._told, "escalate": self._told, "negotiated": self._told,
            "coordinated": self._told, "uphold": self._told, "withdraw": self._told,
            "provide": self._provided, "provide_by_desk": self._provided, "open_at_once": self._provided,
            "propose_end": self._told, "owner_propose_end": self._told, "owner_keep": self._told,
            "keep": self._told,
            **dict.fromkeys(
                ("give_up", "owner_agree_end", "agree_end", "end_by_decision", "expire"), self._ended
            ),
        }  # fmt: skip

    def __call__(self, before: Record | None, after: Record) -> Effects:
        step = after.history[-1]
        if step.step == "revise" and before is not None:
            return Effects(content=self._applications.revised(before, step.given))
        if step.step == "escalate" and before is not None and before.state == "approved":
            self._must_be_late(after)
        outcome = self._of.get(step.step)
        return outcome(after) if outcome else Effects()

    # --- inside the unit, and on its way

    def _submitted(self, after: Record) -> Effects:
        return Effects(notices=[self._notice(after, after.parties["receiver"])])

    def _sent(self, after: Record) -> Effects:
        route = self._circle.route(after.parties["receiver"])
        if not after.content["resource"] or route is not None:
            return Effects(then=("forward",))
        contract = self._contract(after)
        share_type = self._applications.share_type(contract)
        if share_type == NOT_SHARED:
            raise NotPermitted(
                "该资源已列为不予共享", "The resource is not shared any more", resource=contract.id
            )
        content = {**after.content, "share_type": share_type}
        if share_type == _UNCONDITIONAL and not after.content["unmasked"]:
            at = after.history[-1].at
            whole = Decision(
                tuple(after.content["fields"]), row_filter=after.content["row_filter"], by=STANDING, at=at
            )
            return Effects(content={**content, "decision": whole.as_dict()}, then=("settle",))
        return Effects(content=content, notices=[self._notice(after, after.parties["owner"])])

    def _forwarded(self, after: Record) -> Effects:
        route = self._circle.route(after.parties["receiver"])
        to = route.as_dict() if route else dict(after.content["elsewhere"])
        number = f"ZF-{after.history[-1].at[:10].replace('-', '')}-{after.id[-8:]}"
        content = {**after.content, "forwarded_to": to, "tracking_number": number}
        return Effects(
            content=content,
            notices=[self._notice(after, unit) for unit in (OPERATOR, after.parties["receiver"])],
        )

    # --- the decision

    def _asked_more(self, after: Record) -> Effects:
        if after.clocks["answer"].breached:
            zh, en = "答复已逾期,不能再要求补充", "The answer is overdue: nothing more can be asked for"
            raise Conflict(zh, en, id=after.id)
        return self._told(after)

    def _decided(self, after: Record) -> Effects:
        return self._on_decision(after, "ask_second")

    def _decided_binding(self, after: Record) -> Effects:
        given = after.history[-1].given
        if given["share"] == "no":
            return Effects(then=("uphold",))
        if given["share"] != "yes":
            raise BadRequest("share 应为 yes 或 no", "share must be yes or no")
        return self._on_decision(after, "ask_confirm")

    def _on_decision(self, after: Record, by_two: str) -> Effects:
        contract, step = self._contract(after), after.history[-1]
        decision = decided(after.content, step.given, contract, by=step.by, at=step.at)
        row_filter = self._applications.narrowed(
            after.content["row_filter"], str(step.given.get("row_filter", "")), contract
        )
        decision = replace(decision, row_filter=row_filter, basis=str(step.given.get("document", "")))
        then = by_two if needs_second(decision, contract) else "settle"
        notices = [self._notice(after, after.parties["owner"])] if then == "ask_second" else []
        return Effects(
            content={**after.content, "decision": decision.as_dict()}, then=(then,), notices=notices
        )

    def _returned(self, after: Record) -> Effects:
        return Effects(then=("overdue",)) if disputed(after) else Effects()

    def _seconded(self, after: Record) -> Effects:
        decision = Decision.from_dict(after.content["decision"])
        return self._approved(after, replace(decision, seconded_by=after.history[-1].by))

    def _settled(self, after: Record) -> Effects:
        return self._approved(after, Decision.from_dict(after.content["decision"]))

    def _approved(self, after: Record, decision: Decision) -> Effects:
        number = len(self._applications.sheets.of(after.id)) + 1
        sheet = sheet_of(after, self._contract(after), decision, number, timestamp(self._clock.now()))
        at_once = decision.by == STANDING or self._adds_nothing(after, decision)
        return Effects(
            creates=[entry_of(sheet, number)],
            content={**after.content, "decision": decision.as_dict(), "sheet": sheet["number"]},
            notices=[self._notice(after, unit) for unit in sorted(set(after.parties.values()))],
            then=("open_at_once",) if at_once else (),
        )

    def _adds_nothing(self, after: Record, decision: Decision) -> bool:
        """An amendment within the fields and methods that are provided already needs no new connection."""
        former = self._applications.desk.find(after.content["amends"]) if after.content["amends"] else None
        return (
            former is not None
            and set(decision.approved) <= set(former.content["decision"]["approved"])
            and set(after.content["methods"]) <= set(former.content["methods"])
        )

    # --- in force

    def _provided(self, after: Record) -> Effects:
        """The grant, compiled and written with the step. Raises NotPermitted with all that lacks (L-39)."""
        contract, unit = self._contract(after), after.parties["receiver"]
        self._pass_gates(after, unit, contract)
        decision = Decision.from_dict(after.content["decision"])
        today, root = china_day(self._clock.now()).isoformat(), after.content["root"]
        if after.content["ends"] < today:
            raise Conflict("申请的截止日期已过", "The last day that was applied for is over", id=after.id)
        grant = compiled(
            after.content,
            decision,
            unit=unit,
            resource=contract.id,
            id=root,
            application=after.id,
            today=today,
        )
        former = self._grants.find(unit, contract.id, root)
        if former is not None and former.revoked:
            raise Conflict(
                "原授权已终止,请重新申请", "The former grant has ended: file a new application", id=after.id
            )
        grant, creates, replaces = self._grants.prepared(grant, contract, by=decision.by)
        replaced: Sequence[Item] = ()
        if after.content["amends"]:
            replaced = [self._replaced(after.content["amends"])]
        return Effects(
            creates=creates,
            replaces=[*replaces, *replaced],
            content={**after.content, "grant": grant.id},
            notices=[self._notice(after, u) for u in sorted(set(after.parties.values()))],
        )

    def _replaced(self, id: str) -> Item:
        former = self._applications.desk.get(id)
        if former.state not in IN_FORCE:
            raise Conflict("被变更的共享已不在执行中", "The sharing to be amended is not in force", id=id)
        return self._applications.desk.moved(former, "replace")

    def _pass_gates(self, after: Record, unit: str, contract: Contract) -> None:
        lacks: dict[str, Problem] = {}
        if self._gate is not None:
            for method in after.content["methods"]:
                lacks |= {p.rule + p.en: p for p in self._gate.lacks(unit, contract, method)}
        if lacks:
            named = ";".join(p.zh for p in lacks.values())
            raise NotPermitted(
                f"尚不能开通:{named}", "It cannot be opened yet", problems=list(lacks.values()), id=after.id
            )

    def _ended(self, after: Record) -> Effects:
        """The grant ends with the step; what is still to be closed is named in the same write (Q-55, S-10).

        An amendment that was not opened yet has no grant: what it was to change goes on.
        """
        unit, resource, root = after.parties["receiver"], after.content["resource"], after.content["root"]
        step = after.history[-1]
        grant = self._grants.find(unit, resource, root) if after.content.get("grant") else None
        reason = f"application:{after.id}:{step.step}"
        ends = self._grants.end_items([grant], by=step.by, reason=reason) if grant is not None else []
        closing = [marker_of(after.id, unit, resource, root, at=step.at)] if grant is not None else []
        notices = [self._notice(after, u) for u in sorted(set(after.parties.values()))]
        return Effects(creates=closing, replaces=ends, notices=notices)

    # --- told

    def _must_be_late(self, after: Record) -> None:
        if not after.clocks["provide"].breached:
            zh, en = "提供期限未到,不能提请协商", "It is not late yet: there is nothing to negotiate"
            raise Conflict(zh, en, id=after.id)

    def _told(self, after: Record) -> Effects:
        units = set(after.parties.values())
        if disputed(after):
            units.add(OPERATOR)
        return Effects(notices=[self._notice(after, unit) for unit in sorted(units)])

    def _notice(self, after: Record, unit: str) -> Notice:
        step, state = APPLICATION.step(after.history[-1].step), APPLICATION.state(after.state)
        told_zh, told_en = (step.zh, step.en) if step else ("", "")
        return Notice(
            to=unit,
            kind=f"application.{after.history[-1].step}",
            about=f"application:{after.id}",
            zh=f"共享申请 {after.id}:{told_zh}({state.zh})",
            en=f"Application {after.id}: {told_en} ({state.en})",
        )

    def _contract(self, after: Record) -> Contract:
        return self._contracts.get(after.content["resource"])
