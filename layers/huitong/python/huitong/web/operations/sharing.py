"""Operations of sharing."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import Operation

SHARING: Final[tuple[Operation, ...]] = ()
