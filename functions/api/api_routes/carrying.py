"""Deliveries that carry a correction: whether they may say so (Q-53, L-50)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from huitong.contracts.model import Contract
from huitong.tickets.bulk import PREFIX
from huitong.web.services import ApiServices
from huitong.web.serving import Ask

#: Notes the upload that uses an approval; to be called before rows are taken.
Noting = Callable[[str], None]


def approval_named(body: Mapping[str, Any]) -> str:
    """The bulk correction that a delivery names; empty when it names none."""
    ticket = str(body.get("ticket", ""))
    return ticket if ticket.startswith(f"{PREFIX}-") else ""


def permitted_ticket(ask: Ask[ApiServices], contract: Contract, unit: str, upload: str = "") -> Noting:
    """Raises NotFound, NotPermitted, Conflict for a ticket that this delivery may not name."""
    ticket = str(ask.body.get("ticket", ""))
    if not ticket:
        return lambda _upload: None
    if not approval_named(ask.body):
        ask.services.corrections.permit(ticket, unit, contract.id)
        return lambda _upload: None
    bulk = ask.services.bulk_corrections
    record = bulk.permit(ticket, ask.principal, contract.id, upload)
    if record.last("deliver") is not None:
        return lambda _upload: None  # the same delivery once more
    return lambda taken: bulk.delivering(ticket, ask.principal, taken, seen=record.version)
