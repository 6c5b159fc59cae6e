"""Operations of supervision."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import Operation

SUPERVISION: Final[tuple[Operation, ...]] = ()
