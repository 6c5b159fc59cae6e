"""What one asker may have of one resource, whatever path it takes.

Compiled once (from ownership or a grant) and applied by
:mod:`huitong.sharing.projection` to SQL, pulls, pushes and snapshots alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from huitong.contracts.model import Mask


@dataclass(frozen=True, slots=True)
class Access:
    """``fields`` in contract order; ``masks`` for those that leave masked; ``row_filter`` is canonical SQL
    over the resource's typed columns, checked by :mod:`huitong.sharing.row_filter`; empty = all rows."""

    resource: str
    fields: tuple[str, ...]
    masks: Mapping[str, Mask] = field(default_factory=dict)
    row_filter: str = ""
