"""Queues with dead letters that only remember."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from huitong.errors import NotFound
from huitong.local.messages import MemoryQueue
from huitong.operating.letters import Depth, Letter


@dataclass
class MemoryLetterBoxes:
    """``dead`` holds the letters by the name of their queue; ``shown`` counts those that were put back."""

    queues: Mapping[str, MemoryQueue]
    dead: dict[str, list[Letter]] = field(default_factory=dict)
    shown: int = 0

    def names(self) -> Sequence[str]:
        return sorted(self.queues)

    def depths(self) -> Mapping[str, Depth]:
        return {
            name: Depth(len(queue.sent), dead=len(self.dead.get(name, ())))
            for name, queue in self.queues.items()
        }

    def read(self, name: str, most: int) -> Sequence[Letter]:
        if name not in self.queues:
            raise NotFound(f"没有死信队列 {name}", f"There is no dead-letter queue {name}", box=name)
        return self.dead.get(name, [])[:most]

    def put_back(self, letters: Sequence[Letter]) -> None:
        self.shown += len(letters)

    def return_to_queue(self, letter: Letter) -> None:
        self.queues[letter.box].send(letter.body, group=letter.group)
        self.remove(letter)

    def remove(self, letter: Letter) -> None:
        self.dead[letter.box].remove(letter)
