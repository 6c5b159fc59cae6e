"""Publications become deliveries, deliveries are sent.

Messages: ``{"resource", "seq"}`` moves the case register on, plans deliveries, then follows corrections,
``{"subscription"}`` sends what is due, ``{"message", "group"}`` waited in the
waiting queue and is handed on to the FIFO queue now.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Any, Final

from huitong import wiring
from huitong.errors import HuitongError

SHORT: Final = 60.0  # seconds


def work(message: Mapping[str, Any]) -> Mapping[str, Any]:
    if "message" in message:
        wiring.push_queue().send(message["message"], group=message["group"])
        return {"handed_on": message["group"]}
    if "subscription" in message:
        return _send(message["subscription"])
    for hook in wiring.build_after_publication():
        hook(message["resource"])
    planned = wiring.build_push().plan(message["resource"], int(message["seq"]))
    wiring.build_following()(message["resource"])  # last: a fault there holds no delivery back
    return {"planned": planned}


def _send(subscription: str) -> Mapping[str, Any]:
    """Longer pauses are left to the schedule, which wakes by the register every minute."""
    again = wiring.build_push().send(subscription)
    if again is not None and again <= SHORT:
        wiring.push_queue().send(
            {"subscription": subscription}, group=f"sub:{subscription}", delay=ceil(again)
        )
    return {"again_in": again}


def give_up(message: Mapping[str, Any], problem: HuitongError) -> None:
    """Deliveries stay due: the schedule wakes them again. Here it is only told."""
    wiring.build_failures().of_step("push_changes", message, problem)


handler = wiring.consumer("push_changes", work, give_up)
