"""What follows a publication holds no delivery back."""

from __future__ import annotations

from typing import Any

import pytest

from huitong import wiring
from huitong.errors import Corrupt
from huitong.wiring import areas, settings


def test_values_that_cannot_be_compared_hold_no_delivery_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """X-08, C-17: conflicts between units are looked for after the deliveries, and after corrections, in any case."""
    called: list[str] = []

    class Area:
        def __init__(self, name: str) -> None:
            self.name = name
            self.changed = False

        def run(self, *_: Any) -> Any:
            called.append(self.name)
            if self.name == "following":
                raise Corrupt("坏", "bad")
            return self

        def look(self, _: str) -> None:
            called.append(self.name)

    monkeypatch.setattr(settings.PushSettings, "read", lambda: None)
    monkeypatch.setattr(areas, "builder", lambda _: Area)
    for hook in wiring.build_after_publication.__wrapped__():
        hook("IN-01")
    assert called == ["case_feed"]
    with pytest.raises(Corrupt):
        wiring.build_following.__wrapped__()("IN-01")
    assert called == ["case_feed", "following", "conflicts"]
