"""Immutable objects kept as local files while they are in use, and a bounded number of bytes longer.

A warm function that reads the same table again does not fetch it again. Keys of
warehouse files never change their bytes, so nothing needs checking.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import RLock

from huitong.ports import ObjectStore
from huitong.warehouse.files import DataFileRef

#: Bytes of files not in use that stay; /tmp of a function has 512 MB unless the template says more.
KEPT_BYTES = 192 * 1024 * 1024


@dataclass
class _Kept:
    context: AbstractContextManager[Path]
    path: Path
    size: int
    users: int = 0


class LocalFiles:
    """``store.local`` contexts that stay open until their bytes are needed for others."""

    def __init__(self, store: ObjectStore, kept_bytes: int = KEPT_BYTES) -> None:
        self._store = store
        self._limit = kept_bytes
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._lock = RLock()

    @contextmanager
    def open(self, refs: Sequence[DataFileRef]) -> Iterator[list[Path]]:
        """The files, in the order given, while the context lasts. Raises NotFound, Unavailable."""
        with ExitStack() as stack:
            yield [stack.enter_context(self._one(ref)) for ref in refs]

    @contextmanager
    def _one(self, ref: DataFileRef) -> Iterator[Path]:
        with self._lock:
            kept = self._kept.get(ref.key)
            if kept is None:
                context = self._store.local(ref.key)
                kept = self._kept[ref.key] = _Kept(context, context.__enter__(), ref.size)
            self._kept.move_to_end(ref.key)
            kept.users += 1
        try:
            yield kept.path
        finally:
            with self._lock:
                kept.users -= 1
                self._evict()

    def _evict(self) -> None:
        total = sum(k.size for k in self._kept.values())
        for key, kept in list(self._kept.items()):
            if total <= self._limit:
                return
            if kept.users == 0:
                del self._kept[key]
                kept.context.__exit__(None, None, None)
                total -= kept.size
