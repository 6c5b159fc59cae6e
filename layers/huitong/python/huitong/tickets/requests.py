"""Requests for information or verification in a case (查询、核对申请; Q-56 to Q-59, figures 2 and 3). Light.

A case officer files one; another person of the unit checks it (C-20); the source unit decides within
10 working days and provides within 5. Approval compiles into a grant of the case; the answer is read
under it by the ordinary ways (interface), or comes by the subscription on the municipal platform.
Case information going out (figure 3) is the same procedure with the direction ``out``.

Who is asked about stands in the record as blind index and relation only. The numbers and names for
the answering unit are sealed beside it (``REQUEST#{id}`` / ``PERSONS``) and gone with the last step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Protocol
from uuid import uuid4

from huitong.audit.subjects import blind, inline, subject_text
from huitong.audit.trace import Trace, Traces
from huitong.cases.model import Case, Named
from huitong.cases.register import BY, Cases, Kept, Member
from huitong.cases.stages import FAMILY, USABLE
from huitong.contracts.model import Contract
from huitong.errors import BadRequest, Conflict, NotFound, NotPermitted, Problem
from huitong.identity.model import OPERATOR
from huitong.ports import Clock, Item, Register, Secrets, timestamp
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Consequences, Desk, Effects
from huitong.procedures.model import Record
from huitong.sharing.access import Path_
from huitong.sharing.grant import Grant
from huitong.tickets.request_content import (
    Asked,
    Person,
    notice_of,
    notices_of,
    problems_of,
    source_of,
    told,
)
from huitong.tickets.request_procedure import REQUEST

METHODS: Final[Mapping[str, tuple[Path_, ...]]] = {
    "interface": ("sql", "read", "request"),
    "subscription": ("push", "pull"),
}
_ATTEMPTS: Final = 4
_ENDED_BY: Final = {"close": "request-closed", "withdraw": "request-withdrawn", "end": "case-ended"}


class RequestGrants(Protocol):
    """What is needed of :class:`huitong.sharing.grants.Grants`."""

    def item(self, grant: Grant, version: int = 0) -> Item: ...

    def find(self, unit: str, resource: str, id: str = "") -> Grant | None: ...

    def end_items(self, grants: Sequence[Grant], *, by: str, reason: str) -> list[Item]: ...


class Duties(Protocol):
    def held(self, principal: Any, unit: str, duty: str) -> Any: ...


class Exchanges(Protocol):
    """What is needed of :class:`huitong.standing.gates.Gates`."""

    def check_ways(self, unit: str, resource: Contract | str, ways: Sequence[str]) -> None: ...


class Contracts(Protocol):
    def get(self, id: str, version: int = 0) -> Contract: ...


class Requests:
    """``key`` (of blind indexes), ``duties`` and ``gates`` are called only when a request needs them."""

    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        cases: Cases,
        grants: RequestGrants,
        contracts: Contracts,
        secrets: Secrets,
        key: Callable[[], str],
        duties: Callable[[], Duties],
        gates: Callable[[], Exchanges] | None = None,
    ) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock
        self._cases = cases
        self._grants = grants
        self._contracts = contracts
        self._secrets = secrets
        self._key = key
        self._duties = duties
        self._gates = gates
        self._calendar = calendar
        self.desk = self._desk(self._of_clock)

    # --- filing

    def file(self, asked: Asked, actor: Actor) -> Record:
        """A new request. Raises NotPermitted (not bound to the case, no such duty, a person outside of the
        case) and BadRequest with all that is wrong with it."""
        problems = problems_of(asked, actor)
        if problems:
            raise BadRequest("申请有误", "The request is not valid", problems=problems)
        persons = self._blinded(asked.persons)
        number = self._ground(asked, actor, persons)
        contract, id = asked.resource, f"q{uuid4().hex[:20]}"
        content = {
            "case_no": number,
            "duty": asked.duty,
            "resource": contract.id,
            "title": contract.title,
            "fields": list(asked.fields),
            "purpose": asked.purpose,
            "kind": asked.kind,
            "mode": asked.mode,
            "direction": "out" if source_of(contract) == OPERATOR or contract.direction == "out" else "in",
            "persons": [{"subject": b, "relation": relation} for b, relation in persons.items()],
        }
        return self._desk(partial(self._opened, id, asked.persons, number)).open(
            id,
            actor,
            parties={"asker": actor.unit, "source": source_of(contract)},
            content=content,
            resource=contract.id,
        )

    def _desk(self, consequences: Consequences) -> Desk:
        """The desk with consequences that know what the step was asked with."""
        return Desk(REQUEST, self._register, self._traces, self._calendar, self._clock, consequences)

    def _opened(
        self, id: str, persons: Sequence[Person], number: str, _before: Record | None, after: Record
    ) -> Effects:
        creates = []
        if persons:
            sealed = [
                self._secrets.seal(json.dumps(told(p), ensure_ascii=False), f"request:{id}") for p in persons
            ]
            creates.append(Item(f"REQUEST#{id}", "PERSONS", {"sealed": sealed}))
        if number:
            creates.append(Item(f"CASE#{number}", f"REQUEST#{id}", {"id": id}))
        zh = f"查询核对申请 {id} 待本单位审核({after.content['resource']})"
        notice = notice_of(after, "asker", zh, f"Request {id} waits for your unit's check")
        return Effects(creates, notices=[notice])

    def _ground(self, asked: Asked, actor: Actor, persons: Mapping[str, Named]) -> str:
        """The case's number in its canonical form; "" for a request under a duty."""
        if not asked.case_no:
            if not self._duties().held(actor.principal, actor.unit, asked.duty):
                zh, en = "未登记该职责", "The asker does not hold this duty"
                raise NotPermitted(zh, en, duty=asked.duty)
            return ""
        binding = self._cases.bound(asked.case_no, actor.principal, actor.unit)
        case = self._cases.get(binding.case_no)
        for b, relation in persons.items():
            known = case.subjects.get(b)
            if relation == "debtor" and known != "debtor":
                raise NotPermitted(
                    "所列债务人不是本案债务人", "It is not this case's debtor", field="persons"
                )
            if relation in ("spouse", "dependant") and case.stage not in FAMILY:
                zh, en = "本阶段不得查询配偶和受扶养人", "The family is not asked about in this stage"
                raise NotPermitted(zh, en, stage=case.stage)
        return binding.case_no

    def _blinded(self, persons: Sequence[Person]) -> dict[str, Named]:
        if not persons:
            return {}
        key = self._key()
        return {blind(key, "subject", subject_text(p.id_no)): p.relation for p in persons}

    # --- steps

    def take(
        self, id: str, step: str, actor: Actor, given: Mapping[str, Any] | None = None, *, seen: int = 0
    ) -> Record:
        """A step of the procedure. Of two at once one wins; a case that moved meanwhile is no obstacle.

        Raises what :meth:`huitong.procedures.desk.Desk.take` raises.
        """
        given = given or {}
        before = self.desk.get(id)
        for attempt in range(_ATTEMPTS):
            try:
                return self.desk.take(
                    id,
                    step,
                    actor,
                    given,
                    seen=seen or before.version,
                    consequences=partial(self._brings, step, actor),
                )
            except Conflict:
                if attempt + 1 == _ATTEMPTS or self.desk.get(id).version != before.version:
                    raise
                if step not in {s.name for s in REQUEST.steps_from(before.state)}:
                    raise
        raise AssertionError("unreachable")

    def persons(self, id: str, actor: Actor, *, request: str = "") -> list[dict[str, Any]]:
        """Numbers and names of those who are asked about, for the two units while the request runs.

        Evidence comes first (S-15). Raises NotFound, NotPermitted.
        """
        record = self.desk.get(id)
        who = actor.principal
        allowed = {"asker": ("case_officer", "approver"), "source": ("approver",)}
        if not any(
            record.parties[party] == actor.unit and actor.unit and who.has(*roles)  # type: ignore[arg-type]
            for party, roles in allowed.items()
        ):
            raise NotPermitted("无权查看被查询人", "You may not see who is asked about", request=id)
        item = self._register.get(f"REQUEST#{id}", "PERSONS")
        if item is None:
            raise NotFound("被查询人信息已销毁或未填", "There is no list of persons, or it is destroyed")
        pairs = [(str(p["subject"]), "") for p in record.content["persons"]]
        self._traces.write(
            Trace(
                "access",
                who.who,
                actor.unit,
                resource=str(record.content["resource"]),
                case_no=str(record.content["case_no"]),
                purpose=str(record.content["purpose"]),
                count=len(pairs),
                request=request,
                detail=f"request:{id}:persons",
                path="request",
            ),
            inline(pairs),
        )
        return [json.loads(self._secrets.unseal(s, f"request:{id}")) for s in item.body["sealed"]]

    def of_case(self, case_no: str) -> list[Record]:
        items = self._register.query(f"CASE#{case_no}", prefix="REQUEST#")
        return [self.desk.get(str(i.body["id"])) for i in items]

    def end_of_case(self, case_no: str, unit: str = "") -> list[str]:
        """End what still runs for a case, or a unit's part of it; ids. Its grant is ended with it."""
        done = []
        for record in self.of_case(case_no):
            final = REQUEST.state(record.state).final
            if not final and (not unit or record.parties["asker"] == unit):
                self.take(record.id, "end", BY_CLOCK)
                done.append(record.id)
        return done

    def tick(self) -> int:
        """Reminders and breaches that are due; how many."""
        return len(self.desk.tick())

    # --- what a step brings

    def _of_clock(self, _before: Record | None, _after: Record) -> Effects:
        return Effects()

    def _brings(self, step: str, actor: Actor, _before: Record | None, after: Record) -> Effects:
        if step == "approve":
            return self._approved(actor, after)
        effects = Effects(notices=notices_of(step, after))
        if REQUEST.state(after.state).final:
            deletes = [(f"REQUEST#{after.id}", "PERSONS")]
            effects = replace(effects, replaces=self._ended_grant(after, step, actor), deletes=deletes)
        return effects

    def _approved(self, actor: Actor, after: Record) -> Effects:
        """The grant and the case's persons, in the same write as the decision (Q-57)."""
        content, given = after.content, after.history[-1].given
        unit, contract = after.parties["asker"], self._contracts.get(str(content["resource"]))
        if self._gates is not None:
            self._gates().check_ways(unit, contract, METHODS[str(content["mode"])])
        fields = _narrowed(given.get("fields"), content["fields"])
        checked = after.last("check")
        grant = Grant(
            unit,
            contract.id,
            fields=fields,
            unmasked=_narrowed(given.get("unmasked") or [], fields),
            purpose=str(content["purpose"]),
            ends=str(given.get("ends", "")),
            given_by=actor.principal.who,
            given_at=timestamp(self._clock.now()),
            seconded_by=checked.by if checked else "",
            id=after.id,
            application=after.id,
            basis=f"request:{after.id}",
            case_no=str(content["case_no"]),
            duty=str(content["duty"]),
            methods=METHODS[str(content["mode"])],
        )
        kept = self._entered(after, unit) if grant.case_no else Kept()
        return Effects(
            [self._grants.item(grant), *kept.creates], kept.replaces, notices=notices_of("approve", after)
        )

    def _entered(self, record: Record, unit: str) -> Kept:
        """The named persons enter the case; a unit that is pushed to is bound to it as a unit."""
        case = self._cases.get(str(record.content["case_no"]))
        if case.ended or case.stage not in USABLE:
            raise Conflict("案件已不在可查询阶段", "The case is not in a stage in which it is asked about")
        named: dict[str, Named] = {p["subject"]: p["relation"] for p in record.content["persons"]}
        kept = self._cases.entries(case, _with(case, record.id, named)) if named else Kept()
        if record.content["mode"] != "subscription":
            return kept
        member = Member(unit, unit, BY, timestamp(self._clock.now()), request=record.id)
        bound = self._cases.bind_entries(case, member)
        return Kept((*kept.creates, *bound.creates), (*kept.replaces, *bound.replaces))

    def _ended_grant(self, record: Record, step: str, actor: Actor) -> list[Item]:
        grant = self._grants.find(record.parties["asker"], str(record.content["resource"]), record.id)
        if grant is None:
            return []
        return self._grants.end_items([grant], by=actor.principal.who, reason=_ENDED_BY.get(step, step))


def _with(case: Case, id: str, named: Mapping[str, Named]) -> Case:
    """Known to this request's grant only: what a unit says of somebody's family opens no other resource."""
    return replace(case, named={**case.named, id: dict(named)})


def _narrowed(wanted: Any, of: Sequence[str]) -> tuple[str, ...]:
    """What the approver gives of what was asked for. Raises BadRequest for more than that."""
    if wanted is None:
        return tuple(of)
    more = [str(name) for name in wanted if name not in of]
    if more:
        problems = [Problem("request.field", f"未申请字段 {n}", f"Field {n} was not asked for") for n in more]
        raise BadRequest("批准超出申请", "More is approved than was asked for", problems=problems)
    return tuple(name for name in of if name in wanted)
