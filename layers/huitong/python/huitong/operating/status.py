"""The status page: each part's state, from what the steps and the clock keep in the register (Q-05).

Everything but the depth of queues is read from a few items, so the page is cheap and works while the
parts that it tells of do not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from huitong import __version__
from huitong.operating.heartbeats import PK, Heartbeats
from huitong.operating.letters import Depth, LetterBoxes
from huitong.operating.parts import PARTS, Part, Step
from huitong.operating.pulse import SK
from huitong.ports import Clock, Register, timestamp

State = Literal["ok", "attention", "failing", "unknown"]
_WORSE: Final[Mapping[State, int]] = {"ok": 0, "unknown": 1, "attention": 2, "failing": 3}
_HEAD_LATE: Final = timedelta(hours=2)
_WAITS_LONG: Final = 3_600
#: Which waiting batches belong to which part.
_BATCHES: Final = {"aggregation": ("received",), "governance": ("ingested", "validated")}


@dataclass(frozen=True, slots=True)
class Trouble:
    state: State
    zh: str
    en: str

    def as_dict(self) -> dict[str, str]:
        return {"state": self.state, "zh": self.zh, "en": self.en}


@dataclass(frozen=True, slots=True)
class Seen:
    """What the page is made of."""

    at: datetime
    successes: Mapping[str, str]
    depths: Mapping[str, Depth]
    pulse: Mapping[str, Any]
    head: str  # when the chains of evidence were last signed


class StatusPage:
    def __init__(self, register: Register, heartbeats: Heartbeats, boxes: LetterBoxes, clock: Clock) -> None:
        self._register = register
        self._heartbeats = heartbeats
        self._boxes = boxes
        self._clock = clock

    def show(self) -> dict[str, Any]:
        """The page as JSON-ready values. Raises Unavailable when the register cannot be read."""
        pulse, head = self._register.get(PK, SK), self._register.get("EVIDENCE", "HEADS")
        return page(
            Seen(
                at=self._clock.now(),
                successes=self._heartbeats.all(),
                depths=self._boxes.depths(),
                pulse=pulse.body if pulse else {},
                head=str(head.body["at"]) if head else "",
            )
        )


def page(seen: Seen) -> dict[str, Any]:
    """Pure: what is seen, judged."""
    parts = [_part(part, seen) for part in PARTS]
    return {
        "at": timestamp(seen.at),
        "version": __version__,
        "state": worst([str(part["state"]) for part in parts]),
        "parts": parts,
        "tables": list(seen.pulse.get("tables", ())),
        "evidence": {"last_head": seen.head or None},
        "measured_at": seen.pulse.get("at"),
    }


def worst(states: Sequence[Any]) -> State:
    return max(states, key=lambda state: _WORSE[state], default="ok")


def _part(part: Part, seen: Seen) -> dict[str, Any]:
    troubles = [*_of_queues(part, seen), *_of_steps(part, seen), *_of_batches(part, seen)]
    if part.id == "service":
        troubles += _of_pushes(seen)
    if part.id == "security":
        troubles += _of_evidence(seen)
    return {
        "id": part.id,
        "zh": part.zh,
        "en": part.en,
        "state": worst([trouble.state for trouble in troubles]),
        "queues": [_queue(name, seen.depths[name]) for name in part.queues if name in seen.depths],
        "steps": [_step(step, seen) for step in part.steps],
        "troubles": [trouble.as_dict() for trouble in troubles],
    }


def _queue(name: str, depth: Depth) -> dict[str, Any]:
    return {
        "name": name,
        "waiting": depth.visible + depth.delayed,
        "in_flight": depth.in_flight,
        "dead": depth.dead,
    }


def _step(step: Step, seen: Seen) -> dict[str, Any]:
    return {"id": step.id, "zh": step.zh, "en": step.en, "last_success": seen.successes.get(step.id)}


def _of_queues(part: Part, seen: Seen) -> list[Trouble]:
    dead = {name: seen.depths[name].dead for name in part.queues if name in seen.depths}
    return [
        Trouble("attention", f"死信队列 {name} 有 {count} 条", f"{count} dead letters of {name}")
        for name, count in dead.items()
        if count
    ]


def _of_steps(part: Part, seen: Seen) -> list[Trouble]:
    found = []
    for step in part.steps:
        if not step.every:
            continue
        last = seen.successes.get(step.id, "")
        if not last:
            found.append(Trouble("unknown", f"{step.zh}尚无成功记录", f"{step.en}: no success on record yet"))
        elif seen.at - datetime.fromisoformat(last) > timedelta(minutes=step.every):
            found.append(
                Trouble("failing", f"{step.zh}自 {last} 未成功", f"{step.en}: no success since {last}")
            )
    return found


def _of_batches(part: Part, seen: Seen) -> list[Trouble]:
    waiting = seen.pulse.get("batches", {})
    found = []
    for status in _BATCHES.get(part.id, ()):
        kept = waiting.get(status)
        age = seconds_since(kept["oldest"], seen.at) if kept else 0
        if age > _WAITS_LONG:
            zh, en = (
                f"批次停在 {status} 已 {age // 60} 分钟",
                f"A batch has been {status} for {age // 60} minutes",
            )
            found.append(Trouble("attention", zh, en))
    return found


def _of_pushes(seen: Seen) -> list[Trouble]:
    pushes = seen.pulse.get("pushes", {})
    found = []
    age = seconds_since(pushes.get("oldest", ""), seen.at)
    if age > _WAITS_LONG:
        zh, en = f"推送滞后 {age // 60} 分钟", f"A delivery has waited for {age // 60} minutes"
        found.append(Trouble("attention", zh, en))
    if pushes.get("suspended"):
        count = pushes["suspended"]
        found.append(Trouble("attention", f"{count} 项订阅被中止", f"{count} subscriptions are suspended"))
    return found


def _of_evidence(seen: Seen) -> list[Trouble]:
    if not seen.head:
        return [Trouble("unknown", "证据链尚未签名", "The chains of evidence were not signed yet")]
    if seen.at - datetime.fromisoformat(seen.head) > _HEAD_LATE:
        return [Trouble("failing", f"证据链自 {seen.head} 未签名", f"No signed head since {seen.head}")]
    return []


def seconds_since(moment: str, now: datetime) -> int:
    return int(max(0.0, (now - datetime.fromisoformat(moment)).total_seconds())) if moment else 0
