"""Operations of identity."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import Operation

IDENTITY: Final[tuple[Operation, ...]] = ()
