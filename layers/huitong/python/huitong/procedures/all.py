"""Every procedure of the product, by where it stands: for documentation and tests."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from huitong.procedures.model import Procedure

#: ``module:NAME`` (nothing is loaded with this list), in the order of docs/procedures.md. A test finds
#: those that are missing.
PROCEDURES: Final[tuple[str, ...]] = (
    "huitong.catalog.procedure:ENTRY",
    "huitong.catalog.procedure:DUTY",
    "huitong.sharing.application_procedure:APPLICATION",
    "huitong.standing.procedures:AGREEMENT",
    "huitong.standing.procedures:SHARE_LIST",
    "huitong.standing.procedures:DOCKING",
    "huitong.standing.procedures:JOINT_TEST",
    "huitong.standing.procedures:OUTSIDE",
    "huitong.tickets.request_procedure:REQUEST",
    "huitong.cases.corrections:CORRECTION",
    "huitong.tickets.procedures:CORRECTION",
    "huitong.tickets.procedures:OBJECTION",
    "huitong.tickets.procedures:REVIEW",
    "huitong.tickets.procedures:CORRECTION_NOTICE",
    "huitong.tickets.procedures:BULK_CORRECTION",
    "huitong.open_access.subject_requests:SUBJECT_REQUEST",
    "huitong.open_access.statements:STATEMENT",
    "huitong.supervision.procedures:RECTIFICATION",
    "huitong.supervision.procedures:COMPLAINT",
    "huitong.supervision.procedures:CHANGE_NOTICE",
    "huitong.supervision.procedures:COMPLIANCE",
    "huitong.supervision.procedures:ANNUAL_REPORT",
    "huitong.supervision.quality.procedures:QUALITY_ISSUE",
    "huitong.supervision.quality.procedures:CONFLICT",
)


def every() -> dict[str, Procedure]:
    """Name → procedure. Raises ValueError when two have one name: their records would mix in the register."""
    found: dict[str, Procedure] = {}
    for place in PROCEDURES:
        module, _, name = place.partition(":")
        procedure: Procedure = getattr(import_module(module), name)
        if found.setdefault(procedure.name, procedure) is not procedure:
            raise ValueError(f"two procedures are named {procedure.name}")
    return found
