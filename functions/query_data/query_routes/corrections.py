"""Filing a doubt about a record: the record is looked for among what the asker may see (Q-52, C-24, L-29)."""

from __future__ import annotations

from typing import Any, Final

from chalice.app import Blueprint

from huitong.contracts.model import Contract
from huitong.errors import BadRequest, NotFound, NotPermitted, Problem
from huitong.identity.model import OPERATOR
from huitong.procedures.deciding import Actor
from huitong.sharing.access import Access, Path_
from huitong.tickets.corrections import Filing
from huitong.tickets.finding import Found, key_of, typed
from huitong.tickets.procedures import Kind
from huitong.tickets.showing import shown
from huitong.web.resources import access_to, contract_named, described, unknown
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve

routes = Blueprint(__name__)

#: A record may be doubted by whom any of these ways shows it.
_WAYS: Final[tuple[Path_, ...]] = ("read", "sql", "pull", "push", "snapshot", "export", "request")
_KEPT: Final = ("evidence", "found_on", "by_subject", "identity_proof", "truth_declared")


@serve(routes, "file_correction")
def file_correction(ask: Ask[QueryServices], code: str) -> dict[str, Any]:
    contract, access = _doubtable(ask, code)
    return _file(ask, contract, access, ask.services.corrections.kind_of(contract))


@serve(routes, "file_objection")
def file_objection(ask: Ask[QueryServices], code: str) -> dict[str, Any]:
    contract, access = _doubtable(ask, code)
    return _file(ask, contract, access, "objection")


@serve(routes, "file_review")
def file_review(ask: Ask[QueryServices], code: str) -> dict[str, Any]:
    contract, access = _doubtable(ask, code)
    return _file(ask, contract, access, "review")


def _doubtable(ask: Ask[QueryServices], code: str) -> tuple[Contract, Access]:
    """A resource and the asker's access to it by some way. Raises NotFound, NotPermitted."""
    contract = contract_named(ask, code)
    if described(ask, contract) is None:
        raise unknown(code)
    ask.permit("correction.file", ask.unit or OPERATOR)
    refusal: NotPermitted | None = None
    for way in _WAYS:
        try:
            access = access_to(ask, contract, way)
        except NotPermitted as error:
            refusal = refusal or error
            continue
        if access is not None and access.gives == "rows":
            return contract, access
    raise refusal or unknown(code)


def _file(ask: Ask[QueryServices], contract: Contract, access: Access, kind: Kind) -> dict[str, Any]:
    body = ask.body
    _check_fields(access, body["fields"])
    filing = _gap(ask, contract) if body.get("gap") else _filing(ask, contract, access)
    actor = Actor(ask.principal, ask.unit or (OPERATOR if ask.principal.has("officer", "admin") else ""))
    services = ask.services
    record = services.corrections.file(actor, kind, filing)
    return shown(record, services.corrections.possible(record, actor))


def _check_fields(access: Access, names: list[str]) -> None:
    """Only what the asker is shown can be doubted: the answer must not tell of other fields."""
    problems = [
        Problem("correction.field", f"没有字段 {name}", f"There is no field {name}", {"field": name})
        for name in names
        if name not in access.fields
    ]
    if problems or not names:
        raise BadRequest("所疑字段有误", "The fields in doubt are not valid", problems=problems)


def _filing(ask: Ask[QueryServices], contract: Contract, access: Access) -> Filing:
    body = ask.body
    found = _found(ask, contract, access)
    return Filing(
        resource=contract.id,
        provider=contract.provider or OPERATOR,
        record=ask.services.disclosures.record(contract, found.row),
        key=found.key,
        fields=tuple(body["fields"]),
        wrong=body["wrong"],
        given={name: body[name] for name in _KEPT if body.get(name)},
        batch_id=found.batch_id,
        source_row=found.source_row,
        seq=found.seq,
    )


def _found(ask: Ask[QueryServices], contract: Contract, access: Access) -> Found:
    body, records = ask.body, ask.services.records
    if body.get("key"):
        found = records.find(contract, access, key=body["key"])
    elif body.get("batch_id") and body.get("source_row"):
        found = records.find(contract, access, batch_id=body["batch_id"], source_row=body["source_row"])
    else:
        raise BadRequest(
            "须以主键(key)或位置(batch_id 与 source_row)指明记录",
            "Name the record by its key, or by its place (batch_id and source_row)",
        )
    if found is None:
        raise NotFound("没有可见的这一记录", "There is no such record that you may see", resource=contract.id)
    return found


def _gap(ask: Ask[QueryServices], contract: Contract) -> Filing:
    """A record that should be there. Nothing is looked up: the answer tells nothing of what exists."""
    body = ask.body
    key = key_of(contract, body.get("key") or {})
    published = ask.services.publications.get(contract.id)
    return Filing(
        resource=contract.id,
        provider=contract.provider or OPERATOR,
        record=ask.services.disclosures.record(contract, typed(contract, key)),
        key={f.name: text for f, text in zip(contract.keys, key, strict=True)},
        fields=tuple(body["fields"]),
        wrong=body["wrong"],
        given={name: body[name] for name in _KEPT if body.get(name)},
        seq=published.seq if published else 0,
        gap=True,
    )
