"""Services that throttle, or answer too late: the message comes again and the end is the same."""

from __future__ import annotations

import pytest
from faulty import BadWeather, Fuse, answer_lost, fused, throttled
from flow_world import Flow
from test_killed_between_effects import (  # noqa: F401 (fixtures)
    EFFECTS,
    KEY,
    check_end_state,
    ports,
    published_once,
)

from huitong.errors import HuitongError
from huitong.local.platform import Ports


def work_off(flow: Flow, messages: list[tuple[str, str]], *, patience: int) -> int:
    """As the queues do it: a message whose handling failed comes again, to the same warm function."""
    given, failures = flow.ports, 0
    while True:
        messages += [("validate", m["batch_id"]) for m in given.validate_queue.drain()]  # type: ignore[attr-defined]
        messages += [("compare", m["resource"]) for m in given.compare_queue.drain()]  # type: ignore[attr-defined]
        if not messages:
            return failures
        step, what = messages[0]
        try:
            getattr(flow, step)(what)
        except HuitongError:
            failures += 1
            if failures > patience:
                raise
            continue
        messages.pop(0)


@pytest.mark.parametrize("after", [False, True], ids=["throttled", "answer lost"])
@pytest.mark.parametrize("at", range(1, EFFECTS + 1))
def test_an_effect_that_fails_once_is_made_good_by_the_next_receive(
    ports: Ports,  # noqa: F811
    at: int,
    after: bool,
) -> None:
    """X-08: whatever service fails at whatever effect, in a function that stays warm."""
    fuse = Fuse(at, after=after, error=answer_lost if after else throttled)
    flow = Flow(None, "", ports=fused(ports, fuse))
    assert work_off(flow, [("ingest", KEY)], patience=1) <= 1
    assert fuse.blown, "the flow has fewer effects now: lower EFFECTS"
    check_end_state(ports)


@pytest.mark.parametrize("seed", range(3))
def test_in_bad_weather_everything_arrives_once(ports: Ports, seed: int) -> None:  # noqa: F811
    """X-08: every tenth call fails, reads and writes alike, and again while it is made good."""
    weather = BadWeather(seed, 0.1)
    flow = Flow(None, "", ports=fused(ports, weather))
    work_off(flow, [("ingest", KEY)], patience=200)
    assert weather.failures
    check_end_state(ports)
