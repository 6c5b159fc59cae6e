"""When each step last did its work: what the status page and ``huitong doctor`` ask (Q-05)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from huitong.errors import Conflict
from huitong.ports import Clock, Item, Register, timestamp

PK: Final = "OPERATING"
_PREFIX: Final = "SUCCESS#"
#: A busy step says so once a minute from each instance: the register is not for counting messages.
_OFTEN: Final = timedelta(minutes=1)


@dataclass(slots=True)
class Heartbeats:
    """One item for each step; instances overwrite each other, the last one counts."""

    register: Register
    clock: Clock
    _last: dict[str, datetime] = field(default_factory=dict)

    def succeeded(self, step: str) -> None:
        """Note that the step has just done its work. Raises Unavailable."""
        now = self.clock.now()
        if step in self._last and now - self._last[step] < _OFTEN:
            return
        self._last[step] = now
        found = self.register.get(PK, _PREFIX + step)
        item = found or Item(PK, _PREFIX + step, {"at": ""})
        if str(item.body["at"]) >= timestamp(now):
            return
        try:
            fresh = item.with_body(at=timestamp(now))
            self.register.replace(fresh) if found else self.register.create(fresh)
        except Conflict:
            return  # another instance, at this very moment

    def all(self) -> Mapping[str, str]:
        """Step → when it last succeeded (ports.timestamp); a step that never did is not there."""
        items = self.register.query(PK, prefix=_PREFIX)
        return {item.sk.removeprefix(_PREFIX): str(item.body["at"]) for item in items}
