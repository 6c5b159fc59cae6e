"""What the clock does for tickets: reminders and breaches, notices told to the event bus, another look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from huitong.notices.notices import Notices
from huitong.ports import EventBus, Queue
from huitong.tickets.corrections import Corrections
from huitong.warehouse.publication import Publications


class Ticking(Protocol):
    def tick(self) -> int: ...


class TicketClocks:
    def __init__(
        self,
        desks: Sequence[Ticking],
        corrections: Corrections,
        notices: Notices,
        publications: Publications,
        push_queue: Queue,
        events: EventBus,
    ) -> None:
        self._desks = desks
        self._corrections = corrections
        self._notices = notices
        self._publications = publications
        self._push_queue = push_queue
        self._events = events

    def tick(self) -> int:
        """Clocks of tickets, correction notices, bulk corrections, requests of subjects, statements."""
        return sum(desk.tick() for desk in self._desks)

    def announce(self) -> int:
        return self._notices.announce(self._events)

    def look_again(self) -> list[str]:
        """Wake the push function for resources whose corrections are being told: a push with the wrong value
        may have been on its way, or a look after a publication may have come to nothing."""
        kinds = ("correction", "review", "objection")
        told = {
            str(record.content["resource"])
            for kind in kinds
            for record in self._corrections.desk(kind).in_state("corrected", limit=0)
        }
        for resource in sorted(told):
            published: Any = self._publications.get(resource)
            if published is not None:
                message = {"resource": resource, "seq": published.seq}
                self._push_queue.send(message, group=f"resource:{resource}")
        return sorted(told)
