"""JSON Schemas (2020-12) of what requests carry and answers hold: one module an area, joined here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.cases import CASES
from huitong.web.schemas.catalog import CATALOG
from huitong.web.schemas.core import CORE
from huitong.web.schemas.corrections import CORRECTIONS
from huitong.web.schemas.evidence import EVIDENCE
from huitong.web.schemas.identity import IDENTITY
from huitong.web.schemas.mending import MENDING
from huitong.web.schemas.open_access import OPEN_ACCESS
from huitong.web.schemas.operating import OPERATING
from huitong.web.schemas.parts import (
    ANYTHING,
    CODE,
    COUNT,
    COUNTS,
    FLAG,
    ID,
    MASKS,
    MODE,
    MOMENT,
    NAME,
    NULLABLE,
    OPEN,
    ROLES,
    STATUSES,
    TEXT,
    TEXTS,
    UNIT,
    UNIT_TEXT,
    Schema,
    answer,
    array,
    body,
    listing,
    number,
    one_of,
    ref,
    text,
)
from huitong.web.schemas.profiling import PROFILING
from huitong.web.schemas.quality_issues import QUALITY_ISSUES
from huitong.web.schemas.rules import RULES
from huitong.web.schemas.sharing import SHARING
from huitong.web.schemas.standing import STANDING
from huitong.web.schemas.supervision import SUPERVISION
from huitong.web.schemas.tickets import TICKETS

__all__ = [
    "ANYTHING",
    "AREAS",
    "CODE",
    "COUNT",
    "COUNTS",
    "FLAG",
    "ID",
    "MASKS",
    "MODE",
    "MOMENT",
    "NAME",
    "NULLABLE",
    "OPEN",
    "ROLES",
    "SCHEMAS",
    "STATUSES",
    "TEXT",
    "TEXTS",
    "UNIT",
    "UNIT_TEXT",
    "Schema",
    "answer",
    "array",
    "body",
    "listing",
    "number",
    "one_of",
    "ref",
    "text",
]

AREAS: Final[tuple[Mapping[str, Schema], ...]] = (
    CORE, IDENTITY, EVIDENCE, CATALOG, SHARING, STANDING, CASES, TICKETS, CORRECTIONS, SUPERVISION,
    OPEN_ACCESS, MENDING, RULES, PROFILING, QUALITY_ISSUES, OPERATING,
)  # fmt: skip
SCHEMAS: Final[Mapping[str, Schema]] = {name: schema for area in AREAS for name, schema in area.items()}
