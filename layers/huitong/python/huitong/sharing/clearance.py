"""Who may see up to which level (S-09): levels of domain.md section 4 against roles. Light."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.contracts.model import Field
from huitong.identity.model import Principal, Role

LEVELS: Final = ("L1", "L2", "L3", "L4")

#: A field without a level is internal.
_UNNAMED: Final = "L2"

#: Those who run, secure or watch the platform read no business data at all, whatever else they are (S-07).
NO_DATA: Final[tuple[Role, ...]] = ("admin", "security", "auditor")

#: The highest level that a role reads plain; somebody with several roles has the highest of them.
CLEARANCE: Final[Mapping[Role, str]] = {
    "admin": "",
    "security": "",
    "auditor": "",
    "editor": "L1",
    "reviewer": "L1",
    "applicant": "L2",
    "analyst": "L2",
    "engineer": "L2",
    "resource_admin": "L3",
    "approver": "L3",
    "quality": "L3",
    "officer": "L3",
    "case_officer": "L4",
    "source": "L4",
    "consumer": "L4",
}


def clearance_of(principal: Principal) -> str:
    """The highest level of a principal's roles; empty = none."""
    if principal.has(*NO_DATA):
        return ""
    return max((CLEARANCE[role] for role in principal.roles), default="")


def within(field: Field, clearance: str) -> bool:
    """Whether a field may be read plain at a clearance."""
    return bool(clearance) and (field.level or _UNNAMED) <= clearance
