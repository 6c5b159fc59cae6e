"""Dead letters: what was given up is looked at, sent again or dropped, with a reason on record (L-34)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from huitong.audit.trace import Trace, Traces
from huitong.batches.register import Batches
from huitong.batches.replay import Replay
from huitong.delivery.replay import Replay as Redelivery
from huitong.errors import BadRequest, Conflict, NotFound
from huitong.operating.heartbeats import PK
from huitong.operating.letters import Letter, LetterBoxes
from huitong.ports import Clock, Item, timestamp

MOST: Final = 100


@dataclass(frozen=True, slots=True)
class DeadLetters:
    boxes: LetterBoxes
    batches: Batches
    replay: Replay
    redelivery: Redelivery
    traces: Traces
    clock: Clock

    def counts(self) -> list[dict[str, Any]]:
        """Every queue with a dead-letter queue and how much lies there."""
        return [
            {"box": name, "dead": depth.dead, "waiting": depth.visible + depth.delayed}
            for name, depth in sorted(self.boxes.depths().items())
            if depth.dead is not None
        ]

    def letters(self, name: str, most: int = MOST) -> list[dict[str, Any]]:
        """Letters of a queue as they may be shown, oldest first. Raises NotFound."""
        letters = self.boxes.read(name, most)
        try:
            return sorted((letter.shown() for letter in letters), key=lambda shown: str(shown["sent_at"]))
        finally:
            self.boxes.put_back(letters)

    def settle(
        self, name: str, ids: Sequence[str], reason: str, *, by: str, drop: bool = False
    ) -> list[dict[str, Any]]:
        """Send letters again, or ``drop`` them; what became of each. No ids = all that are there.

        A batch that failed is set moving, a subscription that was suspended goes on, everything else goes
        back to its queue: all of them are wake-ups, so one that comes twice changes nothing. The record is
        written first. Raises BadRequest without a reason, NotFound for a queue or letter that is not there.
        """
        if not reason.strip():
            raise BadRequest("请给出理由", "Give a reason")
        letters = list(self.boxes.read(name, MOST))
        chosen = [letter for letter in letters if not ids or letter.id in ids]
        missing = set(ids) - {letter.id for letter in chosen}
        left = [letter for letter in letters if letter not in chosen]
        try:
            if missing:
                left = letters
                raise NotFound(
                    f"死信队列 {name} 中没有 {'、'.join(sorted(missing))}",
                    f"No such letters in {name}: {', '.join(sorted(missing))}",
                    box=name,
                )
            return [self._settle(letter, reason, by, drop) for letter in chosen]
        finally:
            self.boxes.put_back(left)

    def _settle(self, letter: Letter, reason: str, by: str, drop: bool) -> dict[str, Any]:
        self._record(letter, reason, by, "dropped" if drop else "replayed")
        if drop:
            self.boxes.remove(letter)
            return {**letter.shown(), "became": "dropped"}
        return {**letter.shown(), "became": self._again(letter, by)}

    def _again(self, letter: Letter, by: str) -> str:
        body = letter.body
        try:
            if (
                "sequence" in body and "subscription" in body
            ):  # a delivery that failed for good, told by its sender
                self.redelivery.replay(str(body["subscription"]), by=by)
                self.boxes.remove(letter)
                return "subscription-resumed"
            found = self.batches.find(str(body["batch_id"])) if "batch_id" in body else None
            if found is not None and found.batch.status == "failed":
                self.replay.replay(found.batch.id, by=by)
                self.boxes.remove(letter)
                return "batch-replayed"
        except Conflict:  # somebody did it already, or it was never needed
            self.boxes.remove(letter)
            return "settled-before"
        self.boxes.return_to_queue(letter)
        return "returned-to-queue"

    def _record(self, letter: Letter, reason: str, by: str, what: str) -> None:
        now = timestamp(self.clock.now())
        kept = {"at": now, "by": by, "reason": reason, "what": what, **letter.shown()}
        trace = Trace("procedure", by, "", detail=f"letter:{what}:{letter.box}:{letter.id}"[:128])
        self.traces.commit(trace, creates=[Item(PK, f"LETTER#{now}#{letter.box}#{letter.id}", kept)])
