"""Comparison without release (数据不落地比对; S-38, L-22)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.identity.model import OPERATOR
from huitong.verification.verify import Asker
from huitong.web.resources import readable
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "run_verification")
def run_verification(ask: Ask[QueryServices], code: str) -> dict[str, Any]:
    ask.services.area("suspensions").check(ask.principal)
    ask.permit("verification.run")
    contract, access = readable(ask, code, "comparison")
    ask.services.area("restrictions").check(ask.unit or OPERATOR, "derived")  # L-36
    ask.services.gates.check_running(ask.unit or OPERATOR, contract, "comparison")
    owner, asked = contract.provider or OPERATOR, len(ask.body["items"])
    ask.services.licences.take_batch(ask.unit or OPERATOR, contract.id, owner, asked)  # C-19
    asker = Asker(ask.principal, ask.unit, ask.request_id)
    return {"items": ask.services.verifications.verify(asker, contract, access, ask.body["items"])}
