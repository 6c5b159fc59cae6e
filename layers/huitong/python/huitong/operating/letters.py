"""Queues and their dead letters as operating needs them: shown without what may name persons."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from huitong import correlation

#: Members of a message that are ids, codes or counts.
_SHOWN: Final = (
    "batch_id", "resource", "seq", "subscription", "group", "returned", "let_go", "unit", "sequence",
    "reason", "attempts", "http_status", "count",
)  # fmt: skip
_CODE: Final = re.compile(r"[\w.:#-]{1,128}", re.ASCII)  # a name of a person is a word, too

_UPLOAD: Final = re.compile(r"u[0-9a-f]{16,64}")


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
        inner = self.body.get("message")
        body = {**self.body, **(inner if isinstance(inner, Mapping) else {})}
        told = {name: body[name] for name in _SHOWN if name in body and _harmless(body[name])}
        for key, _ in _objects(self.body):
            told["object"] = "/".join([*map(_folder, range(99), key.split("/")[:-1]), "…"])
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


def _harmless(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and _CODE.fullmatch(value) is not None)


def _folder(depth: int, name: str) -> str:
    """Unit, resource and upload as they are; what somebody else put in their places, not."""
    known = _CODE if depth < 2 else _UPLOAD
    return name if known.fullmatch(name) else "…"


def _objects(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    from huitong.intake.notification import named

    try:
        return [named(record) for record in body.get("Records", ())]
    except (KeyError, TypeError, AttributeError):
        return []  # somebody else's message: it is shown by its id alone
