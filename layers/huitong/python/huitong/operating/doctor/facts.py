"""What is read of a deployment before anything is judged: plain values, made by an adapter or by a test.

A fact that could not be read is :class:`Unseen` with the reason; a check over it says "not checkable here"
and never "ok".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, TypeVar


@dataclass(frozen=True, slots=True)
class Unseen:
    """Not read, and why."""

    zh: str
    en: str


T = TypeVar("T")
Seen: TypeAlias = T | Unseen
NOT_ASKED: Final = Unseen("未询问", "not asked")


@dataclass(frozen=True, slots=True)
class ApiFacts:
    """As the command line reaches it. ``status`` is 0 when nothing answered."""

    url: str
    status: int
    version: str = ""
    skew_seconds: float | None = None  # its clock minus ours
    certificate_ends: str = ""  # ISO 8601; empty = no TLS
    who: Seen[Mapping[str, Any]] = NOT_ASKED
    page: Seen[Mapping[str, Any]] = NOT_ASKED
    balanced: Seen[bool] = NOT_ASKED
    broken_chains: Seen[tuple[int, ...]] = NOT_ASKED
    late: Seen[tuple[str, ...]] = NOT_ASKED
    keys: Seen[Mapping[str, str]] = NOT_ASKED  # name → made at
    credentials: Seen[Mapping[str, str]] = NOT_ASKED


@dataclass(frozen=True, slots=True)
class StackFacts:
    name: str
    status: str
    outputs: Mapping[str, str]
    waiting_changes: tuple[str, ...] = ()
    incomplete: tuple[str, ...] = ()  # logical ids of resources that are not complete
    created: str = ""  # ISO 8601


@dataclass(frozen=True, slots=True)
class FunctionFact:
    name: str
    state: str
    updated: str
    runtime: str
    tracing: str = ""
    log_group: str = ""


@dataclass(frozen=True, slots=True)
class QueueFact:
    """``waits``: messages; ``dead_letters_to``: the ARN of its redrive policy, empty = none."""

    name: str
    arn: str
    waits: int
    dead_letters_to: str
    receives: int = 0
    encrypted: bool = True


@dataclass(frozen=True, slots=True)
class MappingFact:
    function: str
    queue: str
    state: str


@dataclass(frozen=True, slots=True)
class ScheduleFact:
    """A rule: of the clock, or of events."""

    name: str
    state: str
    targets: int
    clock: bool = True


@dataclass(frozen=True, slots=True)
class MachineFact:
    """A state machine; ``ended_badly``: when executions failed, ran out of time or were stopped, of late."""

    name: str
    status: str
    ended_badly: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BucketFact:
    name: str
    versioned: bool
    encryption: str  # algorithm, empty = none
    closed: bool
    only_tls: bool
    locked: bool = False
    must_lock: bool = False


@dataclass(frozen=True, slots=True)
class KeyFact:
    id: str
    state: str
    rotates: bool
    may_rotate: bool = True  # keys that sign do not


@dataclass(frozen=True, slots=True)
class TableFact:
    name: str
    status: str
    recovers: bool  # point-in-time recovery


@dataclass(frozen=True, slots=True)
class AlarmFact:
    name: str
    state: str
    tells: bool  # it has an action that is enabled


@dataclass(frozen=True, slots=True)
class Facts:
    """``emulator``: read from one, whose word on some things is not AWS's; see :mod:`.checks`."""

    emulator: bool
    at: str
    api: ApiFacts
    stack: Seen[StackFacts]
    functions: Seen[tuple[FunctionFact, ...]]
    queues: Seen[tuple[QueueFact, ...]]
    mappings: Seen[tuple[MappingFact, ...]]
    schedules: Seen[tuple[ScheduleFact, ...]]
    buckets: Seen[tuple[BucketFact, ...]]
    keys: Seen[tuple[KeyFact, ...]]
    tables: Seen[tuple[TableFact, ...]]
    alarms: Seen[tuple[AlarmFact, ...]]
    machines: Seen[tuple[MachineFact, ...]]
    glue_database: Seen[bool]
    workgroup: Seen[str]  # its state, empty = there is none
