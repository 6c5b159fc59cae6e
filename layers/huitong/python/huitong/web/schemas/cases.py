"""Bodies and answers of cases."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema

CASES: Final[Mapping[str, Schema]] = {}
