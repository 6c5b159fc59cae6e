"""The engine of procedures: clocks, marks, conflicts, permission."""

from __future__ import annotations

from typing import Any

import pytest

from huitong.audit.trace import Traces
from huitong.errors import BadRequest, Conflict, NotPermitted, Unavailable
from huitong.identity.model import OPERATOR, Principal, Role
from huitong.local.messages import ManualClock
from huitong.local.register import MemoryRegister
from huitong.notices.notices import Notices
from huitong.ports import Item
from huitong.procedures.breaches import breaches_of
from huitong.procedures.calendar import Calendar, Year, china_day
from huitong.procedures.deciding import Actor
from huitong.procedures.desk import Desk, Effects
from huitong.procedures.model import OPERATOR_PARTY, Procedure, Record, State, Step, Term

ASKER, OWNER, OTHER = "1144030000AA01027D", "1144030000AA01019J", "1144030000AA010358"

SAMPLE = Procedure(
    "sample",
    "样例",
    "sample",
    states=(
        State("waiting", "待办", "waiting"),
        State("paused", "待补", "paused"),
        State("late", "逾期", "late"),
        State("done", "办结", "done", final=True),
    ),
    opening=Step("ask", "提出", "ask", (), "waiting", "asker", ("applicant",), starts=("answer",)),
    steps=(
        Step("more", "要求补充", "ask for more", ("waiting",), "paused", "owner", ("approver",), ("question",),
             pauses=("answer",)),
        Step("add", "补充", "add", ("paused",), "waiting", "asker", ("applicant",), resumes=("answer",)),
        Step("again", "重新计时", "start anew", ("waiting",), "waiting", OPERATOR_PARTY, ("officer",),
             starts=("answer",)),
        Step("answer", "答复", "answer", ("waiting", "late"), "done", "owner", ("approver",), ("text",),
             apart_from=("more",)),
        Step("lapse", "转逾期", "lapse", ("waiting",), "late"),
        Step("note", "记录", "note", ("late",), "", OPERATOR_PARTY, ("officer",), takes=("text",)),
    ),
    terms=(Term("answer", "答复", "answer", 10, warn=2, on_breach="lapse", of="owner"),),
    parties={"asker": ("申请方", "asker"), "owner": ("提供方", "owner")},
)  # fmt: skip


def person(id: str, unit: str, *roles: Role) -> Actor:
    return Actor(Principal(id, unit, frozenset(roles)), unit)


APPLICANT = person("ann", ASKER, "applicant")
APPROVER = person("ben", OWNER, "approver")
SECOND = person("cai", OWNER, "approver")
OFFICER = person("dan", OPERATOR, "officer")


class World:
    def __init__(self, **more: Any) -> None:
        self.register, self.clock = MemoryRegister(), ManualClock()  # Monday 2026-01-05
        self.traces, self.calendar = Traces(self.register, self.clock), Calendar(self.register)
        self.notices = Notices(self.register, self.clock)
        self.desk = Desk(SAMPLE, self.register, self.traces, self.calendar, self.clock, **more)

    def open(self, id: str = "r1") -> Record:
        return self.desk.open(
            id, APPLICANT, parties={"asker": ASKER, "owner": OWNER}, content={"resource": "x"}
        )

    def day(self, month: int, day: int) -> None:
        self.clock.moment = self.clock.moment.replace(month=month, day=day)

    def kinds(self, unit: str) -> list[str]:
        return sorted(n.kind for n in self.notices.of_unit(unit))

    def version(self) -> int:
        return self.desk.get("r1").version


@pytest.fixture
def world() -> World:
    return World()


def test_a_reminder_and_a_breach_are_told_once_and_nothing_is_written_without_news(world: World) -> None:
    """L-17: due on the 19th; the reminder two working days before; a look without news leaves no trace."""
    world.open()
    seen = []
    for day in range(5, 25):
        world.day(1, day)
        seen += [(day, one.kind) for _ in range(3) for _, one in world.desk.tick()]
    assert seen == [(15, "warned"), (20, "breached")]
    assert world.kinds(ASKER) == world.kinds(OWNER) == ["sample.breached", "sample.warned"]
    assert world.version() == 3  # opened, reminded, breached
    assert len(world.traces.list(resource="x", limit=0)) == 3


def test_a_breach_and_its_step_are_one_write(world: World) -> None:
    """Killed before the write: nothing; after it: both."""
    world.open()
    world.day(1, 20)
    write = world.register.write

    def down(*_: Any, **__: Any) -> None:
        raise Unavailable("断", "down")

    world.register.write = down  # type: ignore[method-assign]
    with pytest.raises(Unavailable):
        world.desk.tick()
    assert (world.desk.get("r1").state, world.desk.get("r1").clocks["answer"].breached) == ("waiting", "")
    world.register.write = write  # type: ignore[method-assign]
    world.desk.tick()
    after = world.desk.get("r1")
    assert after.state == "late"
    assert after.clocks["answer"].breached
    assert after.history[-1].by == "platform"


def test_nobody_escapes_the_breach_by_answering_before_the_clock_looks(world: World) -> None:
    """L-17"""
    world.open()
    world.day(1, 20)
    after = world.desk.take("r1", "answer", APPROVER, {"text": "是"})
    assert after.clocks["answer"].breached
    assert "sample.breached" in world.kinds(OWNER)
    (breach,) = breaches_of(
        SAMPLE, world.desk.in_state(), world.calendar.working_days(), china_day(world.clock.now())
    )
    assert (breach.unit, breach.due, breach.ended, breach.days_late) == (OWNER, "2026-01-19", "2026-01-20", 1)


def test_the_last_day_is_in_time(world: World) -> None:
    world.open()
    world.day(1, 19)
    assert not world.desk.take("r1", "answer", APPROVER, {"text": "是"}).clocks["answer"].breached
    assert (
        breaches_of(
            SAMPLE, world.desk.in_state(), world.calendar.working_days(), china_day(world.clock.now())
        )
        == []
    )


def test_a_clock_that_is_started_anew_keeps_what_it_was(world: World) -> None:
    """A breach is not wiped out by starting again."""
    world.open()
    world.day(1, 20)
    world.desk.take("r1", "again", OFFICER)
    record = world.desk.get("r1")
    assert record.earlier[0].run.breached
    assert not record.clocks["answer"].breached
    (breach,) = breaches_of(SAMPLE, [record], world.calendar.working_days(), china_day(world.clock.now()))
    assert breach.due == "2026-01-19"


def test_a_pause_keeps_the_days_used_and_a_reminder_stays_one(world: World) -> None:
    world.open()
    world.day(1, 16)  # nine used, reminded
    world.desk.tick()
    world.desk.take("r1", "more", APPROVER, {"question": "?"})
    world.day(2, 2)
    assert world.desk.tick() == []
    assert world.desk.take("r1", "add", APPLICANT).clocks["answer"].due == "2026-02-03"
    assert world.desk.tick() == []
    world.day(2, 4)
    assert [one.kind for _, one in world.desk.tick()] == ["breached"]


def test_a_provisional_deadline_reminds_but_does_not_accuse_and_is_counted_anew(world: World) -> None:
    """standards.md 2.10"""
    world.clock.moment = world.clock.moment.replace(month=12, day=21)
    world.open()
    assert world.desk.get("r1").clocks["answer"].provisional
    world.clock.moment = world.clock.moment.replace(year=2027, month=1, day=20)
    assert world.desk.tick() == []
    world.calendar.put(Year.of(2027, ["2027-01-01"], []), world.traces, by="dan")
    ((record, told),) = world.desk.tick()
    assert (told.kind, told.due) == ("breached", "2027-01-05")
    assert not record.clocks["answer"].provisional


def test_of_two_steps_at_once_one_wins(world: World) -> None:
    world.open()
    write, raced = world.register.write, []

    def meanwhile(*args: Any, **more: Any) -> None:
        if not raced:
            raced.append(1)
            world.desk.take("r1", "more", APPROVER, {"question": "?"})
        write(*args, **more)

    world.register.write = meanwhile  # type: ignore[method-assign]
    with pytest.raises(Conflict):
        world.desk.take("r1", "answer", SECOND, {"text": "是"})
    assert [t.step for t in world.desk.get("r1").history] == ["ask", "more"]


def test_who_looked_at_an_older_version_is_told_so(world: World) -> None:
    seen = world.open().version
    world.desk.take("r1", "more", APPROVER, {"question": "?"}, seen=seen)
    with pytest.raises(Conflict, match="read it again"):
        world.desk.take("r1", "add", APPLICANT, seen=seen)


@pytest.mark.parametrize(
    ("actor", "step", "given"),
    [
        (APPLICANT, "answer", {"text": "x"}),  # the role and unit of another party
        (person("eve", OTHER, "approver"), "answer", {"text": "x"}),  # another unit
        (person("eve", "", "approver"), "answer", {"text": "x"}),  # no unit
        (person("eve", OWNER, "analyst"), "answer", {"text": "x"}),  # another role
        (APPROVER, "lapse", {}),  # the platform's own step
        (person("platform", "", "admin"), "lapse", {}),  # one who is only named like it
        (person("eve", OTHER, "officer"), "again", {}),  # an officer, but not of the operator
    ],
)
def test_a_step_is_taken_by_its_party_and_role_only(
    world: World, actor: Actor, step: str, given: Any
) -> None:
    """S-08"""
    world.open()
    with pytest.raises(NotPermitted):
        world.desk.take("r1", step, actor, given)
    assert world.version() == 1


def test_four_eyes_hold_and_possible_steps_tell_them(world: World) -> None:
    world.open()
    world.desk.take("r1", "more", APPROVER, {"question": "?"})
    after = world.desk.take("r1", "add", APPLICANT)
    assert [s.name for s in world.desk.possible(after, APPROVER)] == ["more"]
    with pytest.raises(NotPermitted):
        world.desk.take("r1", "answer", APPROVER, {"text": "是"})
    assert world.desk.take("r1", "answer", SECOND, {"text": "是"}).state == "done"


def test_content_that_is_missing_unknown_or_too_much_is_told_at_once(world: World) -> None:
    world.open()
    with pytest.raises(BadRequest) as refused:
        world.desk.take("r1", "answer", APPROVER, {"text": "  ", "other": 1})
    assert {p.rule for p in refused.value.problems} == {"procedure.needs", "procedure.unknown"}
    for text in ("x" * 20_001, ["x" * 1_000] * 61):
        with pytest.raises(BadRequest):
            world.desk.take("r1", "answer", APPROVER, {"text": text})


def test_a_wrong_state_says_what_is_possible(world: World) -> None:
    world.open()
    with pytest.raises(Conflict) as refused:
        world.desk.take("r1", "add", APPLICANT)
    assert refused.value.where["possible"] == ["more", "again", "answer", "lapse"]


def test_a_record_whose_step_is_refused_keeps_no_other_from_its_clock() -> None:
    """One poisoned record: told of at the end, when all were looked at."""

    def consequences(_: Record | None, after: Record) -> Effects:
        if after.id == "bad" and after.state == "late":
            raise NotPermitted("不可", "not now")
        return Effects()

    world = World(consequences=consequences)
    for id in ("bad", "good"):
        world.open(id)
    world.day(1, 20)
    with pytest.raises(NotPermitted):
        world.desk.tick()
    assert (world.desk.get("good").state, world.desk.get("bad").state) == ("late", "waiting")


def test_steps_of_the_platform_follow_in_the_same_write() -> None:
    def consequences(_: Record | None, after: Record) -> Effects:
        step = after.history[-1].step
        item = Item("SIDE", step, {})
        return Effects(creates=[item], then=("lapse",) if step == "again" else ())

    world = World(consequences=consequences)
    world.open()
    after = world.desk.take("r1", "again", OFFICER)
    assert [t.step for t in after.history] == ["ask", "again", "lapse"]
    assert (after.version, world.version()) == (2, 2)
    assert [i.sk for i in world.register.query("SIDE")] == ["again", "ask", "lapse"]
    assert "sample:r1:again+lapse" in [t.detail for t in world.traces.list(resource="x")]


def test_lists_go_on_where_they_stopped(world: World) -> None:
    for n in range(5):
        world.open(f"r{n}")
        world.clock.advance(minutes=1)
    first = world.desk.of_unit(OWNER, limit=2)
    rest = world.desk.of_unit(OWNER, after=world.desk.place(first[-1]), limit=9)
    assert [r.id for r in (*first, *rest)] == ["r4", "r3", "r2", "r1", "r0"]


def test_a_description_that_contradicts_itself_is_refused() -> None:
    bad = Step("x", "x", "x", ("nowhere",), "done", OPERATOR_PARTY)
    with pytest.raises(ValueError, match=r"no state nowhere.*name roles") as refused:
        Procedure("p", "p", "p", (State("a", "a", "a"), State("done", "d", "d", final=True)),
                  Step("open", "o", "o", (), "a"), (bad,), (Term("t", "t", "t", 1, warn=1),))  # fmt: skip
    assert "never started" in str(refused.value)
    assert "reminder" in str(refused.value)
