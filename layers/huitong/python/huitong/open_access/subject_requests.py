"""Requests of persons about their own data (S-31): access, correction, deletion, explanation.

A desk registers the request with the proof of identity; of the person only a blind index is kept. Somebody
else approves. An approved request for access gets an authorisation code: shown once, good once and for a
short time, kept as its digest. Keys: ``SUBJECT-CODE#{digest}`` / ``CODE``.
"""

from __future__ import annotations

import hashlib
import secrets as random_source
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from huitong.audit.trace import Traces
from huitong.errors import BadRequest, Conflict, NotPermitted
from huitong.identity.model import OPERATOR, Role
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import OPERATOR_PARTY, Procedure, Record, State, Step, Term

#: How long a code is good, and how many wrong numbers it survives.
CODE_LIFE: Final = timedelta(minutes=30)
MOST_WRONG: Final = 3
KINDS: Final = ("access", "correction", "deletion", "explanation")
_DESK: Final[tuple[Role, ...]] = ("admin", "officer", "case_officer")

SUBJECT_REQUEST: Final = Procedure(
    "subject_request", "个人信息主体请求", "request of a data subject",
    states=(
        State("registered", "已登记", "registered"), State("approved", "已同意", "approved"),
        State("answered", "已答复", "answered", final=True),
        State("refused", "已拒绝", "refused", final=True),
    ),
    opening=Step("register", "登记", "register", (), "registered", OPERATOR_PARTY, _DESK,
                 needs=("kind", "identity_proof", "agreement"), takes=("resources", "wish"),
                 starts=("answer",)),
    steps=(
        Step("approve", "同意", "approve", ("registered",), "approved", OPERATOR_PARTY, _DESK,
             needs=("basis",), apart_from=("register",)),
        Step("refuse", "拒绝", "refuse, with the reason", ("registered",), "refused", OPERATOR_PARTY, _DESK,
             needs=("reason",), stops=("answer",)),
        Step("issue_code", "发放授权码", "issue an authorisation code", ("approved",), "approved",
             OPERATOR_PARTY, _DESK, needs=("expires_at",)),
        Step("use_code", "使用授权码", "the code was used", ("approved",), "approved", needs=("resources",)),
        Step("answer", "答复", "answer", ("approved",), "answered", OPERATOR_PARTY, _DESK,
             needs=("answer",), takes=("ticket",), stops=("answer",)),
    ),
    terms=(Term("answer", "答复", "answered", 15, warn=3, of="desk"),),
    parties={"desk": ("受理单位", "desk that takes it")},
)  # fmt: skip


class SubjectRequests:
    """``blind`` gives a person's blind index."""

    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        blind: Callable[[str], str],
        *,
        new_id: Callable[[], str],
    ) -> None:
        self.desk = Desk(SUBJECT_REQUEST, register, traces, calendar, clock)
        self._register = register
        self._clock = clock
        self.blind = blind
        self._new_id = new_id

    def open(self, actor: Actor, number: str, given: Mapping[str, Any]) -> Record:
        """Register a request; the person's number is not kept. Raises NotPermitted, BadRequest."""
        if given["kind"] == "access" and not given.get("resources"):
            raise BadRequest("请指明资源", "Name the resources that are to be read", field="resources")
        content = {"subject": self.blind(number), "kind": given["kind"]}
        id, parties = f"subject-{self._new_id()}", {"desk": OPERATOR}
        return self.desk.open(id, actor, parties=parties, content=content, given=given)

    def take(
        self, id: str, step: str, actor: Actor, given: Mapping[str, Any] | None = None, *, seen: int = 0
    ) -> Record:
        if step == "issue_code":
            raise BadRequest("授权码须单独申领", "A code is issued by an operation of its own", step=step)
        return self.desk.take(id, step, actor, given, seen=seen)

    def issue(self, id: str, actor: Actor) -> tuple[str, str]:
        """A code for the person, and until when it is good; shown once. Raises Conflict, NotPermitted."""
        record = self.desk.get(id)
        if record.content["kind"] != "access":
            raise Conflict("该请求不是查阅请求", "The request is not one for access", id=id)
        code = random_source.token_urlsafe(18)
        end = self._clock.now() + CODE_LIFE
        self.desk.take(
            id,
            "issue_code",
            actor,
            {"expires_at": timestamp(end)},
            seen=record.version,
            consequences=lambda _before, _after: _with_code(record, code, end),
        )
        return code, timestamp(end)

    def redeem(self, code: str, number: str) -> tuple[Record, list[str]]:
        """The request that a code opens for this person, and its resources; the code is used up by it.

        Raises NotPermitted, the same for a code that is none, old, used, or another person's; Conflict
        when it is being used at this moment.
        """
        item = self._register.get(_pk(code), "CODE")
        now = timestamp(self._clock.now())
        if item is None or item.body["used_at"] or item.body["expires_at"] <= now:
            raise _wrong_code()
        if item.body["wrong"] >= MOST_WRONG:
            raise _wrong_code()
        # counted before it is looked at: of many numbers at once one is tried, the others get the conflict
        item = self._register.replace(item.with_body(wrong=item.body["wrong"] + 1))
        if item.body["subject"] != self.blind(number):
            raise _wrong_code()
        resources = [str(r) for r in item.body["resources"]]
        used = item.with_body(used_at=now)
        request = self.desk.get(str(item.body["request"]))
        if request.state != "approved":
            raise _wrong_code()
        record = self.desk.take(
            request.id, "use_code", BY_CLOCK, {"resources": resources}, seen=request.version,
            consequences=lambda _before, _after: Effects(replaces=[used]),
        )  # fmt: skip
        return record, resources

    def tick(self) -> int:
        return len(self.desk.tick())


def _with_code(record: Record, code: str, end: datetime) -> Effects:
    registered = record.history[0].given
    resources: Sequence[str] = registered.get("resources", ())
    body = {
        "request": record.id,
        "subject": record.content["subject"],
        "resources": list(resources),
        "expires_at": timestamp(end),
        "used_at": "",
        "wrong": 0,
    }
    return Effects(creates=[Item(_pk(code), "CODE", body, expires=int(end.timestamp()) + 86_400)])


def _pk(code: str) -> str:
    return f"SUBJECT-CODE#{hashlib.sha256(code.encode()).hexdigest()}"


def _wrong_code() -> NotPermitted:
    return NotPermitted("授权码或证件号码不正确", "The code or the number is not right")
