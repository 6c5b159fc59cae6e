"""Bodies and answers of open access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema

OPEN_ACCESS: Final[Mapping[str, Schema]] = {}
