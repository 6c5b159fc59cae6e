"""Which batch of a resource is being compared in parts, by an execution of a workflow. Quick to import.

One entry for each resource, ``RESOURCE#{id}`` / ``PARTS``. While it is busy, batches that follow wait. It is
never deleted: its number names the executions, and an execution that was overtaken cannot publish, since its
own write names the version of this entry.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final

from huitong.ports import Item, Register

_SK: Final = "PARTS"


@dataclass(frozen=True, slots=True)
class Run:
    """An execution, past or present. ``until``: a later moment means that nobody told of its end."""

    batch: str = ""
    attempt: int = 0  # counts executions of the resource
    plan: str = ""  # key in the staging bucket
    given: Mapping[str, Any] = field(default_factory=dict)  # what the execution was started with
    until: str = ""
    busy: bool = False

    @property
    def name(self) -> str:
        return f"{self.batch}-{self.attempt}"

    def over(self, now: datetime) -> bool:
        return now >= datetime.fromisoformat(self.until)


@dataclass(frozen=True, slots=True)
class StoredRun:
    run: Run
    item: Item

    def freed(self) -> Item:
        """The entry when the execution has ended."""
        return replace(self.item, body=asdict(replace(self.run, busy=False, given={})))


class Runs:
    def __init__(self, register: Register) -> None:
        self._register = register

    def get(self, resource: str) -> StoredRun:
        """The latest execution; one that never was, without any."""
        item = self._register.get(_pk(resource), _SK)
        if item is None:
            return StoredRun(Run(), Item(pk=_pk(resource), sk=_SK, body={}))
        return StoredRun(Run(**item.body), item)

    def claim(self, before: StoredRun, run: Run) -> None:
        """Make the resource busy with the next execution. Raises Conflict when somebody was first."""
        item = replace(before.item, body=asdict(run))
        if before.item.version:
            self._register.replace(item)
        else:
            self._register.create(item)

    def free(self, stored: StoredRun) -> None:
        """Raises Conflict when somebody changed the entry meanwhile."""
        self._register.replace(stored.freed())


def _pk(resource: str) -> str:
    return f"RESOURCE#{resource}"
