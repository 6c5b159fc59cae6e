"""Bodies and answers of supervision."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema

SUPERVISION: Final[Mapping[str, Schema]] = {}
