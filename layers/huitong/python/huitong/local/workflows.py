"""A workflow engine that only remembers, and does the work when told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from huitong.ports import WorkflowState


@dataclass
class MemoryWorkflows:
    """``started`` has what each execution was given, in order; ``ended`` how it ended."""

    started: dict[str, dict[str, Any]] = field(default_factory=dict)
    ended: dict[str, WorkflowState] = field(default_factory=dict)

    def start(self, name: str, given: Mapping[str, Any]) -> None:
        self.started.setdefault(name, dict(given))

    def state(self, name: str) -> WorkflowState | None:
        if name in self.ended:
            return self.ended[name]
        return WorkflowState("running") if name in self.started else None

    @property
    def running(self) -> dict[str, dict[str, Any]]:
        return {name: given for name, given in self.started.items() if name not in self.ended}

    def end(self, name: str, reason: str = "") -> None:
        self.ended[name] = WorkflowState("failed", reason) if reason else WorkflowState("succeeded")

    def work_off(self, machine: Callable[[Mapping[str, Any]], object]) -> int:
        """Take every execution that runs through the machine; how many there were."""
        found = self.running
        for name, given in found.items():
            machine(given)
            self.end(name)
        return len(found)
