"""Operations of open access."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import Operation

OPEN_ACCESS: Final[tuple[Operation, ...]] = ()
