"""What operates a deployment, over the local ports of a world."""

from __future__ import annotations

from typing import Any

from huitong.batches.replay import Replay
from huitong.delivery.replay import Replay as Redelivery
from huitong.identity.platform_keys import PlatformKeys
from huitong.local.letter_boxes import MemoryLetterBoxes
from huitong.local.messages import PlainSecrets
from huitong.operating.dead_letters import DeadLetters
from huitong.operating.heartbeats import Heartbeats
from huitong.operating.keys import KeyRotation
from huitong.operating.status import StatusPage


def operating_areas(world: Any) -> None:
    """Gives the world what the routes of operating ask for by name."""
    queue, traces = world.queues, world.traces
    world.boxes = MemoryLetterBoxes(queue)
    world.heartbeats = Heartbeats(world.register, world.clock)
    world.status_page = StatusPage(world.register, world.heartbeats, world.boxes, world.clock)
    world.dead_letters = DeadLetters(
        world.boxes,
        world.batches,
        Replay(world.batches, queue["ingest"], queue["validate"], queue["compare"]),
        Redelivery(world.subscriptions),
        traces,
        world.clock,
    )
    keys = PlatformKeys(world.register, PlainSecrets(), world.clock)
    world.key_rotation = KeyRotation(keys, traces)
