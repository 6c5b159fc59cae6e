"""Operations of tickets."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import Operation

TICKETS: Final[tuple[Operation, ...]] = ()
