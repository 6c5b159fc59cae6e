"""Bodies and answers of sharing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema

SHARING: Final[Mapping[str, Schema]] = {}
