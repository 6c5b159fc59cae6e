"""Comparison without release (数据不落地比对; S-38, L-22)."""

from __future__ import annotations

from typing import Any

from chalice.app import Blueprint

from huitong.verification.verify import Asker
from huitong.web.resources import readable
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)


@serve(routes, "run_verification")
def run_verification(ask: Ask[QueryServices], code: str) -> dict[str, Any]:
    ask.permit("verification.run")
    contract, access = readable(ask, code, "comparison")
    asker = Asker(ask.principal, ask.unit, ask.request_id)
    return {"items": ask.services.verifications.verify(asker, contract, access, ask.body["items"])}
