"""A procedure (程序) as data: its states, steps, clocks and parties.

One description per procedure. Transitions, permissions, required content,
deadlines, the API's errors and the diagrams of the documentation all follow
from it (:mod:`huitong.procedures.desk`, :mod:`huitong.procedures.diagram`), so
that none of them can tell another story than the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from huitong.identity.model import Principal, Role

#: Who takes the steps that a clock takes.
PLATFORM: Final = Principal("platform", "", frozenset())
#: A party to whom everybody at the operator's desk belongs, whatever the unit.
OPERATOR_PARTY: Final = "operator"


@dataclass(frozen=True, slots=True)
class State:
    name: str
    zh: str
    en: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class Term:
    """A clock of working days. ``warn`` working days before its end a reminder goes out; when it ends
    without having been stopped, the breach is recorded and ``on_breach`` (a step, "" = none) is taken.
    ``of`` is the party that is late then, for the statistics of supervision ("" = nobody)."""

    name: str
    zh: str
    en: str
    days: int
    warn: int = 1
    on_breach: str = ""
    of: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One transition.

    ``party`` names whose people take it (a key of the record's parties, or
    "operator"; "" = the platform itself: only a clock or another capability);
    ``roles`` they must have (any of them; none given = any). ``needs`` are the
    members of the step's content that must be there and not empty.
    ``apart_from``: steps whose latest actor must be somebody else (four eyes).
    ``target`` "" = the state stays. Clocks: started (anew), stopped, paused, resumed.
    """

    name: str
    zh: str
    en: str
    sources: tuple[str, ...]
    target: str
    party: str = ""
    roles: tuple[Role, ...] = ()
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()  # further members of the content that are kept
    apart_from: tuple[str, ...] = ()
    starts: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    pauses: tuple[str, ...] = ()
    resumes: tuple[str, ...] = ()
    since: str = ""  # member of the content: the day from which the started clocks count; "" = today
    until: str = ""  # member of the content: the last day of the started clocks, not their term's days


@dataclass(frozen=True, slots=True)
class Procedure:
    """``opening`` is the step that makes a record; its ``sources`` are empty. Raises ValueError when the
    description contradicts itself."""

    name: str
    zh: str
    en: str
    states: tuple[State, ...]
    opening: Step
    steps: tuple[Step, ...]
    terms: tuple[Term, ...] = ()
    parties: Mapping[str, tuple[str, str]] = field(default_factory=dict)  # name → (zh, en)

    def __post_init__(self) -> None:
        if faults := _faults(self):
            raise ValueError(f"procedure {self.name}: {'; '.join(faults)}")

    def state(self, name: str) -> State:
        return next(s for s in self.states if s.name == name)

    def step(self, name: str) -> Step | None:
        return next((s for s in (self.opening, *self.steps) if s.name == name), None)

    def term(self, name: str) -> Term:
        return next(t for t in self.terms if t.name == name)

    def steps_from(self, state: str) -> list[Step]:
        return [s for s in self.steps if state in s.sources]


@dataclass(frozen=True, slots=True)
class Running:
    """A clock of one record. Days are China's (``2026-01-31``); ``spent``: working days before a pause."""

    started: str
    counts_from: str  # later than started after a pause
    days: int
    due: str
    provisional: bool = False
    spent: int = 0
    paused: str = ""
    stopped: str = ""
    warned: str = ""
    breached: str = ""

    @property
    def ticking(self) -> bool:
        return not self.stopped and not self.paused


@dataclass(frozen=True, slots=True)
class Ran:
    """A former run of a clock that was started anew: its breach must not be forgotten."""

    clock: str
    run: Running


@dataclass(frozen=True, slots=True)
class Taken:
    """One step as it was taken. ``given`` is its content: references and texts, no values of persons."""

    step: str
    at: str
    by: str
    unit: str
    state: str  # the state after it
    given: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Record:
    """One case of a procedure: an application, an entry, a ticket, a request."""

    id: str
    procedure: str
    state: str
    parties: Mapping[str, str]
    content: Mapping[str, Any]
    history: tuple[Taken, ...]
    clocks: Mapping[str, Running]
    created_at: str
    version: int = 0
    earlier: tuple[Ran, ...] = ()

    def last(self, step: str) -> Taken | None:
        """The latest time that a step was taken."""
        return next((t for t in reversed(self.history) if t.step == step), None)

    def as_dict(self) -> dict[str, Any]:
        return {k: v for k, v in asdict(self).items() if k != "version"}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any], version: int) -> Self:
        return cls(
            **{
                **body,
                "history": tuple(Taken(**t) for t in body["history"]),
                "clocks": {name: Running(**clock) for name, clock in body["clocks"].items()},
                "earlier": tuple(Ran(r["clock"], Running(**r["run"])) for r in body.get("earlier", ())),
                "version": version,
            }
        )


def _faults(p: Procedure) -> list[str]:
    states, terms = {s.name for s in p.states}, {t.name for t in p.terms}
    finals = {s.name for s in p.states if s.final}
    steps = (p.opening, *p.steps)
    names = [s.name for s in steps]
    faults = [f"step {n} twice" for n in {n for n in names if names.count(n) > 1}]
    if p.opening.sources or p.opening.target not in states:
        faults.append("the opening step has sources, or no target")
    for s in steps:
        faults += [f"{s.name}: no state {n}" for n in (*s.sources, s.target) if n and n not in states]
        faults += [f"{s.name}: leaves the final state {n}" for n in s.sources if n in finals and s.target]
        clocks = (*s.starts, *s.stops, *s.pauses, *s.resumes)
        faults += [f"{s.name}: no clock {n}" for n in clocks if n not in terms]
        faults += [f"{s.name}: apart from unknown {n}" for n in s.apart_from if n not in names]
        if s.since and s.since not in s.needs:
            faults.append(f"{s.name}: counts since {s.since}, which it does not need")
        if s.party and s.party not in p.parties and s.party != OPERATOR_PARTY:
            faults.append(f"{s.name}: no party {s.party}")
        if s.party == OPERATOR_PARTY and not s.roles:
            faults.append(f"{s.name}: anybody without a unit could take it: name roles")
        if s is not p.opening and not s.sources:
            faults.append(f"{s.name}: can never be taken")
    faults += _terms(p, names)
    reached = {p.opening.target, *(s.target for s in p.steps)}
    faults += [f"state {n} is never reached" for n in sorted(states - reached)]
    return faults


def _terms(p: Procedure, steps: Sequence[str]) -> list[str]:
    faults = []
    started = {name for s in (p.opening, *p.steps) for name in s.starts}
    for t in p.terms:
        if t.on_breach and t.on_breach not in steps:
            faults.append(f"clock {t.name}: no step {t.on_breach}")
        if t.of and t.of not in p.parties and t.of != OPERATOR_PARTY:
            faults.append(f"clock {t.name}: no party {t.of}")
        if t.name not in started:
            faults.append(f"clock {t.name} is never started")
        if t.days < 1 or not 0 <= t.warn < t.days:
            faults.append(f"clock {t.name}: the reminder is not within its {t.days} days")
    return faults
