"""Evidence: search, who received a person's data, verification (Q-04, L-35, L-44, S-13)."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from chalice.app import Blueprint

from huitong.audit.chain import SHARDS, Tail
from huitong.audit.heads import entries_after
from huitong.audit.search import Scope, Wanted, shown
from huitong.audit.trace import Trace
from huitong.errors import BadRequest, NotPermitted
from huitong.identity.authorize import may
from huitong.web.resources import known_contract
from huitong.web.services import QueryServices
from huitong.web.serving import Answer, Ask, serve

routes = Blueprint(__name__)
PAGE: Final = 100
_ASKED: Final = ("unit", "actor", "act", "path", "grant", "case_no", "batch", "after")


@serve(routes, "search_evidence")
def search_evidence(ask: Ask[QueryServices]) -> dict[str, Any]:
    query = ask.query
    wanted = Wanted(
        resource=known_contract(ask, query["resource"]).id if query.get("resource") else "",
        low=query.get("from", ""),
        high=query.get("to", ""),
        **{name: query.get(name, "") for name in _ASKED},
    )
    page = ask.services.area("evidence").search(wanted, _scope(ask), limit=query.get("limit", PAGE))
    _noted(ask, "search", len(page.items), resource=wanted.resource, case_no=wanted.case_no)
    return {"items": [shown(trace) for trace in page.items], "next": page.next or None}


@serve(routes, "find_recipients")
def find_recipients(ask: Ask[QueryServices]) -> dict[str, Any]:
    """The person's number comes in the body, is turned into its blind index, and stays nowhere."""
    body, disclosures = ask.body, ask.services.area("disclosures")
    asked = {"fields": body.get("fields", ()), "low": body.get("from", ""), "high": body.get("to", "")}
    resource = ""
    if body.get("id_no"):
        ask.permit("evidence.read_all")
        pairs = [(disclosures.subject(body["id_no"]), "")]
        asked["subject"] = pairs[0][0]
    elif body.get("resource") and body.get("key"):
        contract = known_contract(ask, body["resource"])
        if not may(ask.principal, "evidence.read_all"):
            ask.permit("evidence.recipients", contract.provider)
        resource = contract.id
        pairs = [("", disclosures.record(contract, _typed(contract, body["key"])))]
        asked["record"] = pairs[0][1]
    else:
        raise BadRequest("请给出证件号码,或资源与主键", "Give an identity number, or a resource and a key")
    found = ask.services.area("evidence").recipients(**asked)
    _noted(ask, "recipients", len(found), resource=resource, pairs=pairs)
    return {"items": [asdict(receipt) for receipt in found], "next": None}


@serve(routes, "verify_evidence")
def verify_evidence(ask: Ask[QueryServices]) -> dict[str, Any]:
    ask.permit("evidence.verify")
    query = ask.query
    checked = ask.services.area("evidence_checking").page(
        query.get("shard", 0), query.get("after", ""), query.get("limit", 2_000)
    )
    found: dict[str, Any] = checked.as_dict()
    return found


@serve(routes, "export_evidence")
def export_evidence(ask: Ask[QueryServices]) -> dict[str, Any]:
    ask.permit("evidence.verify")
    shard, limit, after = (
        ask.query.get("shard", 0),
        ask.query.get("limit", 1_000),
        ask.query.get("after", "0"),
    )
    if not 0 <= shard < SHARDS or not after.isdecimal() or len(after) > 12:
        raise BadRequest("分片或续页标记有误", "The shard or the token is not one")
    raws = list(entries_after(ask.services.area("evidence_register"), Tail(shard, int(after)), limit + 1))
    items = [body for _, body in raws[:limit]]
    if after == "0":
        _noted(ask, f"export:{shard}", len(items))
    return {"items": items, "next": str(raws[limit - 1][0]) if len(raws) > limit else None}


@serve(routes, "list_heads")
def list_heads(ask: Ask[QueryServices]) -> Answer:
    """The files as they were signed, byte by byte: the digest that the next one names is over these."""
    ask.permit("evidence.verify")
    after, limit = ask.query.get("after", ""), ask.query.get("limit", PAGE)
    found = ask.services.area("evidence_checking").files(ask.query.get("from", ""), after, limit)
    items = [{"key": key, "text": data.decode()} for key, data in found.items]
    return Answer({"items": items, "next": found.next or None})


def _scope(ask: Ask[QueryServices]) -> Scope:
    """Auditors see everything; a unit its own uses and those of the resources that it provides."""
    if may(ask.principal, "evidence.read_all"):
        return Scope(everything=True)
    if not ask.unit:
        raise NotPermitted("无权查询留痕", "You may not read the evidence")
    ask.permit("evidence.read", ask.unit)
    provided = [c.id for c in ask.services.contracts.all() if c.provider == ask.unit]
    return Scope((ask.unit,), tuple(provided))


def _noted(
    ask: Ask[QueryServices], what: str, count: int, *, resource: str = "", case_no: str = "", pairs: Any = ()
) -> None:
    """Reading evidence is a use, too."""
    trace = Trace(
        "access", ask.by, ask.unit, detail=f"evidence:{what}", count=count, request=ask.request_id,
        source=ask.source, resource=resource, case_no=case_no,
    )  # fmt: skip
    ask.services.traces.write(trace, ask.services.area("disclosures").of_pairs(pairs))


def _typed(contract: Any, key: dict[str, Any]) -> dict[str, Any]:
    """Key values of a JSON body as the table has them. Raises BadRequest."""
    from huitong.audit.keys import typed_key

    return typed_key(contract, json.loads(json.dumps(key, default=str)))
