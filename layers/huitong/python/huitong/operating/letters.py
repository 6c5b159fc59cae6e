"""Queues and their dead letters as operating needs them: shown without what may name persons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from huitong import correlation, unnamed


@dataclass(frozen=True, slots=True)
class Depth:
    """How many messages a queue and its dead-letter queue hold, roughly; None = it has none."""

    visible: int
    in_flight: int = 0
    delayed: int = 0
    dead: int | None = None


@dataclass(frozen=True, slots=True)
class Letter:
    """A message of a dead-letter queue. ``receipt`` is good for moving it, for a short while."""

    box: str
    id: str
    body: Mapping[str, Any]
    sent_at: str = ""
    group: str = ""
    followed: str = ""  # the delivery that it carries
    receipt: str = field(default="", repr=False)

    @property
    def correlation(self) -> str:
        if self.followed:
            return self.followed
        for key, version in _objects(self.body):
            return correlation.of_object(key, version)
        return ""

    def shown(self) -> dict[str, Any]:
        """Ids alone: a file's name and its folder's a person chose, and unknown members may be anything."""
        told = unnamed.message(self.body)
        for key, _ in _objects(self.body):
            told["object"] = unnamed.key(key)
        return {
            "id": self.id,
            "box": self.box,
            "sent_at": self.sent_at,
            "correlation": self.correlation,
            "message": told,
        }


class LetterBoxes(Protocol):
    """The deployment's queues by name."""

    def names(self) -> Sequence[str]: ...

    def depths(self) -> Mapping[str, Depth]:
        """Of every queue. Raises Unavailable."""
        ...

    def read(self, name: str, most: int) -> Sequence[Letter]:
        """Dead letters of a queue, hidden from others for half a minute. Raises NotFound, Unavailable."""
        ...

    def put_back(self, letters: Sequence[Letter]) -> None:
        """Show letters that were read again, at once."""
        ...

    def return_to_queue(self, letter: Letter) -> None:
        """Send it to the queue that it came from, then remove it: twice rather than never."""
        ...

    def remove(self, letter: Letter) -> None: ...


def _objects(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    from huitong.intake.notification import named

    try:
        return [named(record) for record in body.get("Records", ())]
    except (KeyError, TypeError, AttributeError):
        return []  # somebody else's message: it is shown by its id alone
