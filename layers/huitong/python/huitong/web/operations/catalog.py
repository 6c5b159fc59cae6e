"""Operations of catalog."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import Operation

CATALOG: Final[tuple[Operation, ...]] = ()
