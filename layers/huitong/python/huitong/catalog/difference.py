"""The difference between two editions of the catalogue, element by element (Q-44). Pure.

An edition is resource → document; a document is nested mappings (its items are
a mapping by field name) whose other values are compared as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from typing import Any

Document = Mapping[str, Any]
Documents = Mapping[str, Document]


@dataclass(frozen=True, slots=True)
class Change:
    """One element. ``kind`` added: there is no ``before``; removed: there is no ``after``."""

    path: tuple[str, ...]
    kind: str
    before: Any = None
    after: Any = None


@dataclass(frozen=True, slots=True)
class Difference:
    added: Documents = field(default_factory=dict)
    removed: Documents = field(default_factory=dict)
    changed: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)

    def as_dict(self) -> dict[str, Any]:
        return {
            "added": [{"resource": k, "document": v} for k, v in sorted(self.added.items())],
            "removed": [{"resource": k, "document": v} for k, v in sorted(self.removed.items())],
            "changed": [
                {"resource": k, "changes": [asdict(c) for c in v]} for k, v in sorted(self.changed.items())
            ],
        }


def difference(before: Documents, after: Documents) -> Difference:
    """What turns ``before`` into ``after``."""
    both = [name for name in before if name in after]
    changed = {name: tuple(changes(before[name], after[name])) for name in both}
    return Difference(
        added={name: after[name] for name in after if name not in before},
        removed={name: before[name] for name in before if name not in after},
        changed={name: found for name, found in changed.items() if found},
    )


def changes(before: Document, after: Document, path: tuple[str, ...] = ()) -> Iterator[Change]:
    """The elements that differ."""
    for name in sorted({*before, *after}):
        here = (*path, name)
        if name not in after:
            yield Change(here, "removed", before=before[name])
        elif name not in before:
            yield Change(here, "added", after=after[name])
        elif isinstance(before[name], Mapping) and isinstance(after[name], Mapping):
            yield from changes(before[name], after[name], here)
        elif not _same(before[name], after[name]):
            yield Change(here, "changed", before[name], after[name])


def _same(before: Any, after: Any) -> bool:
    """``1`` and ``True`` are equal to Python, and not to a reader of the catalogue."""
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(map(_same, before, after))
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        return before.keys() == after.keys() and all(_same(before[k], after[k]) for k in before)
    return type(before) is type(after) and bool(before == after)


def applied(before: Documents, change: Difference) -> dict[str, Any]:
    """``before`` with the difference; ``applied(a, difference(a, b)) == b``."""
    made = {name: deepcopy(dict(doc)) for name, doc in before.items() if name not in change.removed}
    made |= {name: deepcopy(dict(doc)) for name, doc in change.added.items()}
    for name, found in change.changed.items():
        for one in found:
            _set(made[name], one)
    return made


def _set(document: dict[str, Any], change: Change) -> None:
    place: Any = document
    for name in change.path[:-1]:
        place = place[name]
    if change.kind == "removed":
        del place[change.path[-1]]
    else:
        place[change.path[-1]] = deepcopy(change.after)
