"""Bodies and answers of identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema

IDENTITY: Final[Mapping[str, Schema]] = {}
