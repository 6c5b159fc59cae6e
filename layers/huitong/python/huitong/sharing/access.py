"""What one asker may have of one resource, whatever path it takes, and for what it asks.

Compiled once (from ownership or a grant) and applied by
:mod:`huitong.sharing.projection` to SQL, pulls, pushes, snapshots and exports alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

from huitong.contracts.model import Mask

#: The ways out of the platform. A grant names those it covers; none named = all of them but "groups".
Path_ = Literal["sql", "read", "pull", "push", "snapshot", "export", "comparison", "request"]
PATHS: Final[tuple[Path_, ...]] = get_args(Path_)

#: What an access gives: rows; statistics over groups of rows only; or a description of the resource only.
Gives = Literal["rows", "groups", "nothing"]


@dataclass(frozen=True, slots=True)
class Use:
    """For what an asker uses data, as it declares it (Q-39, S-11): the way out, the case or the statutory
    duty, the purpose in words, and which grant when it has several. Declared, not proven:
    :func:`huitong.sharing.decide.access_for` checks it."""

    path: Path_
    case_no: str = ""
    duty: str = ""
    purpose: str = ""
    grant: str = ""


@dataclass(frozen=True, slots=True)
class Access:
    """``fields`` in contract order; ``masks`` for those that leave masked; ``row_filter`` is canonical SQL
    over the resource's typed columns, checked by :mod:`huitong.sharing.row_filter`; empty = all rows.

    With ``case_no`` only rows of that case are there: those whose case field names it, and those about
    one of ``subjects`` (blind indexes of the case's persons). ``grant`` is the grant's id, empty for the
    owner and for a unit's direct grant. ``volume`` = most rows a day (0 = none set), ``ends`` = last day.
    """

    resource: str
    fields: tuple[str, ...]
    masks: Mapping[str, Mask] = field(default_factory=dict)
    row_filter: str = ""
    grant: str = ""
    case_no: str = ""
    duty: str = ""
    purpose: str = ""
    subjects: frozenset[str] = frozenset()
    volume: int = 0
    ends: str = ""
    gives: Gives = "rows"
    owner: bool = False

    def digest(self) -> str:
        """Changes when what may be seen changes; the same in every process."""
        seen = (
            self.resource, self.fields, sorted(self.masks.items()), self.row_filter, self.grant,
            self.case_no, self.duty, sorted(self.subjects), self.gives,
        )  # fmt: skip
        return hashlib.sha256(repr(seen).encode()).hexdigest()[:32]
