"""What routes of procedures share: who acts, how a record is shown, lists of a unit or of the operator."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from huitong.errors import NotFound
from huitong.identity.authorize import may
from huitong.identity.model import OPERATOR
from huitong.procedures.deciding import Actor
from huitong.procedures.desk import Desk
from huitong.procedures.model import Record
from huitong.web.serving import Ask


def actor_of(ask: Ask[Any]) -> Actor:
    """The asker for the unit acted for; staff of the platform without a unit act for the operator."""
    staff = ask.principal.has("admin", "officer", "auditor") and not ask.principal.unit
    return Actor(ask.principal, ask.unit or (OPERATOR if staff else ""))


def shown(desk: Desk, record: Record, actor: Actor) -> dict[str, Any]:
    """The record, its state's Chinese name and the steps that the actor may take now."""
    possible = [
        {"step": s.name, "zh": s.zh, "en": s.en, "needs": list(s.needs), "takes": list(s.takes)}
        for s in desk.possible(record, actor)
    ]
    state = desk.procedure.state(record.state)
    return {**record.as_dict(), "version": record.version, "state_zh": state.zh, "possible": possible}


def unit_of(ask: Ask[Any], rule: str) -> str:
    """Of which unit a list is: as named, else the asker's own; "" = all, for the operator's supervisors."""
    everything = may(ask.principal, rule) and ask.unit in ("", OPERATOR)
    return str(ask.query.get("unit") or ("" if everything else actor_of(ask).unit))


def listed(ask: Ask[Any], desk: Desk, rule: str) -> dict[str, Any]:
    """Of one unit newest first; of all units, for supervisors, by state. Raises NotPermitted."""
    actor, limit = actor_of(ask), ask.query.get("limit", 100)
    unit = unit_of(ask, rule)
    ask.permit(rule, unit)
    state = ask.query.get("state", "")
    if unit:
        found = desk.of_unit(unit, after=ask.query.get("after", ""), limit=limit)
        after = desk.place(found[-1]) if len(found) == limit else None
    else:
        known = {s.name for s in desk.procedure.states}
        found = desk.in_state(*([state] if state in known else []), limit=limit)
        after = None
    items = [shown(desk, r, actor) for r in found if state in ("", r.state)]
    return {"items": items, "next": after}


def readable(ask: Ask[Any], desk: Desk, id: str, rule: str) -> Record:
    """A record of the asker's unit, or any for supervisors. Raises NotFound also when there is one."""
    record = desk.get(id)
    if not any(may(ask.principal, rule, unit) for unit in record.parties.values()):
        zh, en = desk.procedure.zh, desk.procedure.en
        raise NotFound(f"没有{zh} {id}", f"There is no {en} {id}", id=id)
    return record


def given_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The step's content, with decimals as text: registers keep integers and text."""
    made = plain(body.get("given", {}))
    return dict(made)


def plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value
