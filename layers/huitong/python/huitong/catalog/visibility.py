"""Who sees what of the catalogue (C-31).

* A published entry: everybody signed in.
* Of one that is not shared (不予共享), outsiders see the header alone: that it exists, whose it is, and the
  legal basis, so that the basis can be questioned. Items and addresses are for its unit, the operator's desk,
  the data department, the supervising unit and auditors, in search, too.
* What is not published: the units that are parties to it, and the desk.
* Without sign-in: only what is open (L-53).
"""

from __future__ import annotations

from typing import Final

from huitong.identity.model import DATA_DEPARTMENT, OPERATOR, Principal, Role
from huitong.procedures.model import Record

_DESK: Final[tuple[Role, ...]] = ("editor", "reviewer", "officer", "auditor")


def at_desk(who: Principal, unit: str) -> bool:
    """Of the operator's desk: its unit, or staff without a unit in a role of the desk."""
    if unit:
        return unit in (OPERATOR, DATA_DEPARTMENT)
    return who.has(*_DESK)


def sees_whole(who: Principal, unit: str, share_type: str, provider: str, supervisor: str = "") -> bool:
    return share_type != "3" or at_desk(who, unit) or (bool(unit) and unit in (provider, supervisor))


def sees_record(who: Principal, unit: str, record: Record) -> bool:
    return at_desk(who, unit) or (bool(unit) and unit in record.parties.values())
