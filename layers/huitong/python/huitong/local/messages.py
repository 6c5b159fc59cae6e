"""Queues, events, clock and secrets that only remember."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from huitong import correlation


@dataclass
class MemoryQueue:
    """Keeps what was sent, as (message, group), in order; and of each the delivery it belongs to."""

    sent: list[tuple[dict[str, Any], str]] = field(default_factory=list)
    followed: list[str] = field(default_factory=list)

    def send(self, message: Mapping[str, Any], *, group: str = "", dedup: str = "", delay: int = 0) -> None:  # noqa: ARG002
        self.sent.append((dict(message), group))
        self.followed.append(correlation.current())

    def drain(self) -> list[dict[str, Any]]:
        taken = [message for message, _ in self.sent]
        self.sent.clear()
        return taken


@dataclass
class MemoryEvents:
    published: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def publish(self, kind: str, detail: Mapping[str, Any]) -> None:
        self.published.append((kind, dict(detail)))


@dataclass
class ManualClock:
    """Stands still until told otherwise."""

    moment: datetime = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def advance(self, **delta: float) -> None:
        self.moment += timedelta(**delta)


class PlainSecrets:
    """Marks, but does not hide. For tests only."""

    def seal(self, plain: str, context: str) -> str:
        return f"{context}|{plain}"

    def unseal(self, sealed: str, context: str) -> str:
        head, _, plain = sealed.partition("|")
        if head != context:
            raise ValueError("sealed for another context")
        return plain
