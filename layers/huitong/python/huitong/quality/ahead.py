"""Blocks checked two at a time while the one before is dealt with: Arrow, numpy and DuckDB leave the
interpreter free meanwhile. The answers come in the order of the blocks."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from itertools import chain, islice
from queue import SimpleQueue
from typing import Final

from huitong.quality.check import Block, Checked, Checker

_THREADS: Final = 2
#: Blocks in memory beside the one that is dealt with: a second one costs 60 MB and saves nothing.
_AHEAD: Final = 1


def checked(checker: Checker, blocks: Iterable[Block]) -> Iterator[tuple[Block, Checked]]:
    """Each block with what was found in it. Raises what :meth:`Checker.check` raises.

    A delivery of one block is checked at once: its columns side by side.
    """
    found = iter(blocks)
    first = list(islice(found, 2))
    if len(first) < 2:
        yield from ((block, checker.check(block)) for block in first)
        return
    with ExitStack() as stack:
        spare: SimpleQueue[Checker] = SimpleQueue()
        for _ in range(_THREADS):
            spare.put(stack.enter_context(checker.beside()))
        pool = stack.enter_context(ThreadPoolExecutor(_THREADS, "check"))

        def check(block: Block) -> Checked:
            free = spare.get()
            try:
                return free.check(block)
            finally:
                spare.put(free)

        waiting: deque[tuple[Block, Future[Checked]]] = deque()
        try:
            for block in chain(first, found):
                waiting.append((block, pool.submit(check, block)))
                if len(waiting) > _AHEAD:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _, future in waiting:
                future.cancel()
