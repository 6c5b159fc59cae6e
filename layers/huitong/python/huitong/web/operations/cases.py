"""Operations of cases."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import Operation

CASES: Final[tuple[Operation, ...]] = ()
