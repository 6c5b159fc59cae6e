"""One builder for each capability that routes ask for by name: built on first use, then kept.

A builder takes the function's settings. Imports stand inside, so that a
function loads what its requests use and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from huitong import settings
from huitong.wiring import (
    applications,
    case_areas,
    catalogue,
    corrections,
    evidence,
    identity,
    mending,
    operating,
    oversight,
    parts,
    profiling,
    quality,
    quality_work,
)

if TYPE_CHECKING:
    from huitong.notices.notices import Notices
    from huitong.procedures.calendar import Calendar

#: Settings of the two HTTP functions, of the clock's, which moves procedures on, and of the push's, which
#: asks for the grounds of grants.
AreaSettings = (
    settings.ApiSettings | settings.QuerySettings | settings.ScheduleSettings | settings.PushSettings
)


def calendar(s: AreaSettings) -> Calendar:
    from huitong.procedures.calendar import Calendar

    return Calendar(parts.register(s))


def notices(s: AreaSettings) -> Notices:
    from huitong.notices.notices import Notices

    return Notices(parts.register(s), parts.CLOCK)


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    **applications.BUILDERS,
    **oversight.BUILDERS,
    **catalogue.BUILDERS,
    **evidence.BUILDERS,
    **identity.BUILDERS,
    "calendar": calendar,
    "notices": notices,
    **corrections.BUILDERS,
    **case_areas.BUILDERS,
    **quality.BUILDERS,
    **mending.BUILDERS,
    **quality_work.BUILDERS,
    **profiling.BUILDERS,
    **operating.BUILDERS,
}

#: What the clock does beside its own work: job → (area, method), each light and safe to repeat. A method
#: gives what it did as a JSON-ready value.
SWEEPS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "minute": (
        *quality_work.SWEEPS["minute"],
        *operating.SWEEPS["minute"],
        ("evidence_heads", "run"),
        ("sessions", "sweep"),
        ("applications", "tick"),
        ("case_endings", "tick"),
        ("ticket_clocks", "announce"),
    ),
    "hour": (
        *quality_work.SWEEPS["hour"],
        *oversight.SWEEPS["hour"],
        ("clock_drift", "run"),
        ("unused", "run"),
        ("applications", "expire"),
        ("catalog", "tick"),
        ("quarantine", "tick"),
        ("requests", "tick"),
        ("ticket_clocks", "tick"),
        ("ticket_clocks", "look_again"),
    ),
}


def builder(s: AreaSettings) -> Callable[[str], Any]:
    """``area("notices")`` → the capability, always the same one."""

    @cache
    def area(name: str) -> Any:
        return BUILDERS[name](s)

    return area
