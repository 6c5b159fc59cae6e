"""Bodies and answers of evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema

EVIDENCE: Final[Mapping[str, Schema]] = {}
