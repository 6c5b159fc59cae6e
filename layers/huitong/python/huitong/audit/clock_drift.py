"""Whether our clock agrees with the object store's (S-39)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from huitong.ports import Clock, EventBus, RemoteTime

MOST_SECONDS: Final = 1.0


@dataclass(frozen=True, slots=True)
class ClockDrift:
    clock: Clock
    remote: RemoteTime
    events: EventBus

    def run(self) -> float:
        """Seconds by which the clocks differ at least; above one an event tells of it. Raises Unavailable.

        The answer carries whole seconds and was made some time between asking and
        getting it: only what cannot be explained by that counts.
        """
        asked = self.clock.now()
        there = self.remote.now()
        got = self.clock.now()
        behind = (there - got).total_seconds()
        ahead = (asked - there).total_seconds() - 1
        drift = max(behind, ahead, 0.0)
        if drift > MOST_SECONDS:
            self.events.publish("ClockDrift", {"seconds": round(drift, 3)})
        return round(drift, 3)
