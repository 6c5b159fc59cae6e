"""Landed objects become batches. Messages: S3's own notifications, ``{"batch_id"}`` to resume one,
``{"returned"}`` to make the file that goes back, ``{"let_go"}`` for what quarantine holds no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from huitong import runtime, wiring
from huitong.errors import HuitongError
from huitong.intake.notification import named


def work(message: Mapping[str, Any]) -> Mapping[str, Any]:
    if "returned" in message:
        return wiring.build_returned(message["returned"], bool(message.get("all")))
    if "let_go" in message:
        return wiring.build_let_go(message["let_go"])
    receive = wiring.build_receive()
    if "batch_id" in message:
        return runtime.of_batch(receive.resume(message["batch_id"]))
    told: dict[str, Any] = {"objects": 0}  # 0 for the s3:TestEvent that S3 sends when it is configured
    for landed in message.get("Records", ()):
        key, version = named(landed)
        batch = receive.object_landed(key, version, str(landed.get("eventTime") or ""))
        told = {"objects": told["objects"] + 1, **(runtime.of_batch(batch) if batch else {})}
    return told


def give_up(message: Mapping[str, Any], problem: HuitongError) -> None:
    failures = wiring.build_failures()
    for step in ("returned", "let_go"):
        if step in message:
            failures.of_step(step, message, problem)
            return
    if "batch_id" in message:
        failures.of_batch(message["batch_id"], problem)
        return
    for landed in message.get("Records", ()):
        key, version = named(landed)
        failures.of_object(key, problem, version)


handler = wiring.consumer("ingest_file", work, give_up)
