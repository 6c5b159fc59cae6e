"""Every operation of the API in one table: routes, checks, OpenAPI and the template's paths follow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.operations.cases import CASES
from huitong.web.operations.catalog import CATALOG
from huitong.web.operations.core import CORE
from huitong.web.operations.corrections import CORRECTIONS
from huitong.web.operations.evidence import EVIDENCE
from huitong.web.operations.identity import IDENTITY
from huitong.web.operations.mending import MENDING
from huitong.web.operations.model import ARROW, PATHS, AppName, Method, Operation
from huitong.web.operations.open_access import OPEN_ACCESS
from huitong.web.operations.operating import OPERATING
from huitong.web.operations.profiling import PROFILING
from huitong.web.operations.quality_issues import QUALITY_ISSUES
from huitong.web.operations.rules import RULES
from huitong.web.operations.sharing import SHARING
from huitong.web.operations.standing import STANDING
from huitong.web.operations.supervision import SUPERVISION
from huitong.web.operations.tickets import TICKETS

__all__ = ["ARROW", "BY_ID", "OPERATIONS", "PATHS", "AppName", "Method", "Operation"]

OPERATIONS: Final[tuple[Operation, ...]] = (
    *CORE,
    *IDENTITY,
    *EVIDENCE,
    *CATALOG,
    *SHARING,
    *STANDING,
    *CASES,
    *TICKETS,
    *CORRECTIONS,
    *SUPERVISION,
    *MENDING,
    *OPEN_ACCESS,
    *RULES,
    *PROFILING,
    *QUALITY_ISSUES,
    *OPERATING,
)

BY_ID: Final[Mapping[str, Operation]] = {operation.id: operation for operation in OPERATIONS}
