"""Pull: changes and snapshots as CloudEvents, by cursor (X-06)."""

from __future__ import annotations

import json
from typing import Final

from chalice.app import Blueprint

from huitong.audit.trace import Act, Trace
from huitong.delivery.pull import Page
from huitong.identity.model import OPERATOR
from huitong.sharing.access import Access
from huitong.web.resources import readable
from huitong.web.services import QueryServices
from huitong.web.serving import Answer, Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 500


@serve(routes, "get_changes")
def get_changes(ask: Ask[QueryServices], code: str) -> Answer:
    ask.services.area("suspensions").check(ask.principal)
    contract, access = readable(ask, code, "pull")
    ask.services.gates.check_running(ask.unit or OPERATOR, contract, "pull")
    page = ask.services.pull.changes(access, contract, contract.id, *_asked(ask))
    return _shown(ask, access, "share", page)


@serve(routes, "get_snapshot")
def get_snapshot(ask: Ask[QueryServices], code: str) -> Answer:
    ask.services.area("suspensions").check(ask.principal)
    contract, access = readable(ask, code, "snapshot")
    ask.services.gates.check_running(ask.unit or OPERATOR, contract, "snapshot")
    page = ask.services.pull.snapshot(access, contract, contract.id, *_asked(ask))
    return _shown(ask, access, "download", page)


def _asked(ask: Ask[QueryServices]) -> tuple[str, int]:
    return ask.query.get("after", ""), ask.query.get("limit", PAGE)


def _shown(ask: Ask[QueryServices], access: Access, act: Act, page: Page) -> Answer:
    """The page, once its use is on record (Q-04); without the record nothing is shown (S-15)."""
    ask.services.volumes.take(ask.unit, access, len(page.encoded))
    ask.services.traces.write(
        Trace(
            act,
            actor=ask.by,
            unit=ask.unit,
            resource=access.resource,
            fields=access.fields,
            masked=tuple(access.masks),
            seq=page.seq,
            count=len(page.encoded),
            request=ask.request_id,
            path="pull" if act == "share" else "snapshot",
            grant=access.grant,
            case_no=access.case_no,
            duty=access.duty,
            purpose=access.purpose,
            source=ask.source,
        ),
        ask.services.area("disclosures").of_pairs(page.pairs),
    )
    rest = json.dumps({"next": page.next, "has_more": page.has_more, "seq": page.seq}, separators=(",", ":"))
    return Answer(b'{"items":' + page.body + b"," + rest[1:].encode())
