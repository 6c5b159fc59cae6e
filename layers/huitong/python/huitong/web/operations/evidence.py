"""Operations of evidence."""

from __future__ import annotations

from typing import Final

from huitong.web.operations.model import Operation

EVIDENCE: Final[tuple[Operation, ...]] = ()
