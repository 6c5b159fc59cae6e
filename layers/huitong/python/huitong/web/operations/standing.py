"""Operations of standing."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import Operation

STANDING: Final[tuple[Operation, ...]] = ()
