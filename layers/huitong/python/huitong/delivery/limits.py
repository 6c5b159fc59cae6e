"""How much goes into a delivery, how long an answer may take, when to try again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Final

MINUTE: Final = 60.0
HOUR: Final = 3600.0


@dataclass(frozen=True, slots=True)
class DeliveryLimits:
    """``pauses`` are the seconds before the second, third … attempt; after the last comes no more."""

    inline_events: int = 1_000
    inline_bytes: int = 512 * 1024
    link_events: int = 200_000
    link_seconds: int = 3_600
    answer_seconds: float = 15.0
    pauses: tuple[float, ...] = (
        5.0,
        30.0,
        2 * MINUTE,
        10 * MINUTE,
        HOUR,
        3 * HOUR,
        6 * HOUR,
        12 * HOUR,
        24 * HOUR,
    )
    jitter: float = 0.2  # share of a pause by which it may be longer, so that not all return at once
    lease_seconds: float = 60.0  # beyond answer_seconds; how long a killed sender keeps others out
    messages_per_run: int = 50
    run_seconds: float = 200.0  # after which no further message is begun
    rotation_hours: int = 24  # how long a replaced secret still signs
    page_events: int = 10_000
    page_bytes: int = 4_500_000  # an answer of a function may have 6 MB; the gateway's envelope needs room

    @property
    def attempts(self) -> int:
        return len(self.pauses) + 1

    def starting_after(self, seconds: float) -> DeliveryLimits:
        """The same with another first pause, the others in proportion."""
        factor = seconds / self.pauses[0]
        return replace(self, pauses=tuple(pause * factor for pause in self.pauses))

    def pause_after(self, attempts: int, random: Random) -> float | None:
        """Seconds to wait after that many failed attempts; None = it has failed for good."""
        if attempts > len(self.pauses):
            return None
        return self.pauses[attempts - 1] * (1 + self.jitter * random.random())
