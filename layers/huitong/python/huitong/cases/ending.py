"""What follows the end of a case: grants, subscriptions and requests under it end, recipients are told.

The end itself is one write (the case, its retention clock, the entry in the list of
destructions and an ``ENDING`` entry); from then on every use is refused. What hangs on the
case is ended after it, piece by piece, each with its evidence; the ``ENDING`` entry stays
until all of it is done, so that a run that is killed is taken up by the next one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from huitong.audit.trace import Trace, Traces
from huitong.cases.register import BY
from huitong.delivery.model import Subscription
from huitong.errors import Conflict
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, Item, Register, timestamp
from huitong.sharing.grant import Grant

REASON = "case-ended"
_ATTEMPTS = 8
_PIECE = 20


class CaseGrants(Protocol):
    """What is needed of :class:`huitong.sharing.grants.Grants`."""

    def of_case(self, case_no: str) -> list[Grant]: ...

    def end_items(self, grants: Sequence[Grant], *, by: str, reason: str) -> list[Item]: ...


class CaseRequests(Protocol):
    """What is needed of :class:`huitong.tickets.requests.Requests`."""

    def end_of_case(self, case_no: str, unit: str = "") -> list[str]: ...


class CaseSubscriptions(Protocol):
    """What is needed of :class:`huitong.delivery.subscriptions.Subscriptions`."""

    def of_resource(self, resource: str) -> list[Subscription]: ...

    def cancel(self, id: str, *, by: str, reason: str = "") -> Subscription: ...


class CaseClock(Protocol):
    """What is needed of :class:`huitong.cases.register.Cases`."""

    def end_due(self) -> list[str]: ...


class Endings:
    def __init__(
        self,
        register: Register,
        traces: Traces,
        clock: Clock,
        grants: CaseGrants,
        subscriptions: CaseSubscriptions,
        requests: CaseRequests,
        cases: CaseClock,
    ) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock
        self._grants = grants
        self._subscriptions = subscriptions
        self._requests = requests
        self._cases = cases

    def tick(self) -> int:
        """What the clock starts: ends that are due, and what is left of earlier ones; how many."""
        self._cases.end_due()
        return len(self.run())

    def run(self) -> list[str]:
        """End what is left of all ended cases; case numbers. Raises Conflict when others keep writing."""
        done = []
        for item in self._register.query("CASES", prefix="ENDING#"):
            self._end(str(item.body["case_no"]), str(item.body["unit"]))
            self._register.write(deletes=[(item.pk, item.sk)])
            done.append(str(item.body["case_no"]))
        return done

    def _end(self, case_no: str, unit: str) -> None:
        self._requests.end_of_case(case_no, unit)
        for attempt in range(_ATTEMPTS):
            try:
                grants = self._end_grants(case_no, unit)
                break
            except Conflict:
                if attempt + 1 == _ATTEMPTS:
                    raise
        self._cancel(grants)
        if not unit:
            self._close_team(case_no)

    def _end_grants(self, case_no: str, unit: str) -> list[Grant]:
        """All grants of the case, those that had ended before too; each end is told to its unit."""
        every = [g for g in self._grants.of_case(case_no) if not unit or g.unit == unit]
        living = [g for g in every if not g.revoked]
        for start in range(0, len(living), _PIECE):
            piece = living[start : start + _PIECE]
            now = timestamp(self._clock.now())
            traces = [
                Trace(
                    "rights", BY, g.unit, resource=g.resource, case_no=case_no, detail=f"grant:ended:{g.id}"
                )
                for g in piece
            ]
            told = [entry_of(_notice(case_no, g), now) for g in piece]
            self._traces.commit(
                *traces, creates=told, replaces=self._grants.end_items(piece, by=BY, reason=REASON)
            )
        return every

    def _cancel(self, grants: Iterable[Grant]) -> list[str]:
        """End the subscriptions that rest on these grants; their ids."""
        ended = {(g.unit, g.resource, g.ref) for g in grants}
        done = []
        for resource in sorted({resource for _, resource, _ in ended}):
            for one in self._subscriptions.of_resource(resource):
                if one.state != "cancelled" and (one.unit, resource, one.grant) in ended:
                    self._subscriptions.cancel(one.id, by=BY, reason=REASON)
                    done.append(one.id)
        return done

    def _close_team(self, case_no: str) -> None:
        now = timestamp(self._clock.now())
        for item in self._register.query(f"CASE#{case_no}", prefix="TEAM#"):
            if not item.body["ended_at"]:
                trace = Trace("rights", BY, "", case_no=case_no, detail=f"case:team:-{item.body['id']}")
                self._traces.commit(trace, replaces=[item.with_body(ended_at=now, ended_by=BY)])


def _notice(case_no: str, grant: Grant) -> Notice:
    return Notice(
        grant.unit,
        "case.ended",
        f"case:{case_no}",
        f"案件 {case_no} 的共享终止:{grant.resource} 的授权已收回,请按期销毁所得数据",
        f"Sharing for case {case_no} has ended: the grant of {grant.resource} is withdrawn; "
        "destroy what was received when its retention ends",
        must_acknowledge=True,
    )
