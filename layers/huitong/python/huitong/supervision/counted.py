"""The procedures whose records the annual report counts: those that the installation has."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from importlib.util import find_spec
from typing import Final

from huitong.procedures.model import Procedure

#: Modules whose members are counted; one that is not installed is not counted.
_MODULES: Final = (
    "huitong.catalog.procedure",
    "huitong.sharing.application_procedure",
    "huitong.tickets.procedures",
    "huitong.tickets.request_procedure",
    "huitong.open_access.subject_requests",
    "huitong.cases.corrections",
    "huitong.standing.procedures",
    "huitong.supervision.procedures",
)


def procedures() -> list[Procedure]:
    """Each once, by name."""
    found: dict[str, Procedure] = {}
    for name in _MODULES:
        if find_spec(name) is None:
            continue
        members: Iterable[object] = vars(import_module(name)).values()
        found |= {m.name: m for m in members if isinstance(m, Procedure)}
    return [found[name] for name in sorted(found)]
