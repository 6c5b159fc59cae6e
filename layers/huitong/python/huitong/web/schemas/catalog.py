"""Bodies and answers of catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema

CATALOG: Final[Mapping[str, Schema]] = {}
