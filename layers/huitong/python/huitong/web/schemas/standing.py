"""Bodies and answers of standing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema

STANDING: Final[Mapping[str, Schema]] = {}
