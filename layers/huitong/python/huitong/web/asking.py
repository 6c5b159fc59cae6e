"""Who asks: a credential, a session or a signed request; and what is kept of those who were refused.

Everything is read from the register at each request, so what was withdrawn is
withdrawn at once (S-10). The gateway's authorizer has looked before; not every
gateway has one, and it sees neither path nor body.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from huitong.errors import Concealed, Fault, HuitongError, NotAuthenticated, NotPermitted
from huitong.identity.authorize import acting_unit
from huitong.identity.model import Principal

if TYPE_CHECKING:
    from chalice.app import Request

    from huitong.web.operations import Operation
    from huitong.web.services import CommonServices

#: Refusals kept from one source in a minute: enough to see an attack, too few to bury the evidence.
REFUSALS_KEPT: Final = 20
#: Errors by which somebody is turned away.
_TURNED_AWAY: Final = (NotAuthenticated, NotPermitted, Concealed)


def proven(
    request: Request, operation: Operation, path: Mapping[str, str], services: CommonServices
) -> Principal:
    """Who asks. Raises NotAuthenticated."""
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.upper().startswith("HUITONG-HMAC-"):
        from huitong.identity.signed import Signable

        return services.signed.authenticate(
            header,
            Signable(
                method=operation.method,
                path=filled(operation.path, path),
                query=tuple(_pairs(request)),
                headers=tuple((str(k), str(v)) for k, v in dict(request.headers).items()),
                body=_bytes(request.raw_body),
            ),
        )
    token = token.strip() if scheme.lower() == "bearer" else ""
    if token.startswith("hs_"):
        return services.sessions.authenticate(token)
    return services.credentials.authenticate(token, seen=True)


def acting(request: Request, operation: Operation, principal: Principal) -> tuple[str, str]:
    """The unit a header declares, and the unit acted for. Raises NotPermitted."""
    if not principal.roles and operation.rule != "session.own":
        raise NotPermitted("没有有效的角色", "No role is in force")  # given for a period that is over
    declared = request.headers.get("huitong-unit", "").strip()
    return declared, acting_unit(principal, declared)


def filled(template: str, path: Mapping[str, str]) -> str:
    """``/v1/batches/{id}`` with its parameters in place, percent-encoded as a client sends them: gateways
    differ in whether they decode them first."""
    from urllib.parse import quote, unquote

    for name, value in path.items():
        template = template.replace(f"{{{name}}}", quote(unquote(value), safe=""))
    return template


def _pairs(request: Request) -> list[tuple[str, str]]:
    params = request.query_params
    return [(name, value) for name in params or () for value in (params.getlist(name) if params else ())]


def _bytes(raw: str | bytes) -> bytes:
    return raw.encode() if isinstance(raw, str) else raw


def keep_refusal(
    services: CommonServices | None,
    error: Exception,
    *,
    principal: Principal,
    unit: str,
    operation: str,
    source: str,
    request_id: str,
) -> None:
    """Evidence that somebody was turned away: sign-in and credentials as ``login``, rights as ``refuse``.

    At most :data:`REFUSALS_KEPT` a minute from one source. The refusal stands also when its evidence cannot
    be written: nothing was given.
    """
    if services is None or not isinstance(error, _TURNED_AWAY) or error.on_record:
        return
    from huitong.audit.trace import Trace

    try:
        if not services.bounds.allows("refusal", source, REFUSALS_KEPT):
            return
        act: Any = "login" if isinstance(error, NotAuthenticated) else "refuse"
        detail = f"refused:{operation}:{source}"[:128]
        services.traces.write(
            Trace(
                act=act,
                actor=principal.who or "-",
                unit=unit,
                resource=str(error.where.get("resource", "")),
                request=request_id,
                detail=detail,
                result=error.code,
                source=source,
            )
        )
    except Fault as fault:
        sys.stderr.write(f'{{"level": "ERROR", "text": "refusal not kept", "code": "{_code(fault)}"}}\n')


def _code(error: HuitongError) -> str:
    return error.code
