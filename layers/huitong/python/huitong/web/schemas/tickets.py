"""Bodies and answers of tickets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema

TICKETS: Final[Mapping[str, Schema]] = {}
