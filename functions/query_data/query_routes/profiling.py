"""What deliveries and tables look like, and what cleansing changed (C-12, Q-17)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from chalice.app import Blueprint

from huitong.contracts.model import Contract
from huitong.errors import NotPermitted
from huitong.quality.profile.model import Profile
from huitong.warehouse.publication import Publication
from huitong.web.resources import access_to, contract_named, unknown
from huitong.web.services import QueryServices
from huitong.web.serving import Ask, serve
from query_routes.about_batches import batch_asked, note, page_about, sees_values

routes = Blueprint(__name__)


@serve(routes, "get_cleansed")
def get_cleansed(ask: Ask[QueryServices], id: str) -> dict[str, Any]:
    batch = batch_asked(ask, id)
    page = page_about(ask, batch, batch.cleansing, "cleansed", column="column", values=("before", "after"))
    return {**page, "steps": dict(batch.cleansed)}


@serve(routes, "get_batch_profile")
def get_batch_profile(ask: Ask[QueryServices], id: str) -> dict[str, Any]:
    batch = batch_asked(ask, id)
    contract = ask.services.contracts.get(batch.resource, batch.contract_version)
    sees = sees_values(ask, batch)
    profile = ask.services.profiling.of_batch(batch, contract)
    changed = ask.services.profiling.drift_of_batch(batch, contract)
    fields = tuple(c.name for c in profile.columns) if sees else ()
    note(ask, batch.resource, "profile", profile.rows, fields, batch.id)
    if sees and ask.principal.may_act_for(batch.unit):
        return _told(profile, changed, suppressed=False)
    return _told(profile.for_staff() if sees else _counts(profile), changed if sees else [], suppressed=True)


@serve(routes, "get_resource_profile")
def get_resource_profile(ask: Ask[QueryServices], code: str) -> dict[str, Any]:
    contract = contract_named(ask, code)
    access = access_to(ask, contract, "read")
    if access is None:
        raise unknown(code)
    if not access.owner and (access.grant or access.case_no or access.row_filter or access.gives != "rows"):
        zh, en = (
            "整表剖析只提供给数源单位和运营方",
            "A whole table's profile is for its unit and the operator",
        )
        raise NotPermitted(zh, en, resource=contract.id)
    published = _published(ask, contract)
    if published is None:
        return _told(Profile(0, (), of={"resource": contract.id, "seq": 0}), [], suppressed=False)
    profile = ask.services.profiling.of_table(contract, published)
    changed = ask.services.profiling.drift_of_table(contract, published)
    note(ask, contract.id, "profile", profile.rows, tuple(c.name for c in profile.columns))
    return _told(profile if access.owner else profile.for_staff(), changed, suppressed=not access.owner)


def _published(ask: Ask[QueryServices], contract: Contract) -> Publication | None:
    as_of = ask.query.get("as_of", "")
    if not as_of:
        return ask.services.publications.get(contract.id)
    if as_of.isdecimal() and len(as_of) < 10:
        return ask.services.publications.at(contract.id, seq=int(as_of))
    return ask.services.publications.at(contract.id, batch_id=as_of)


def _counts(profile: Profile) -> Profile:
    """Without any value: for those who watch over the work and not over the data."""
    bare = (
        replace(c, top=(), shapes=(), minimum=None, maximum=None, steps=())
        for c in profile.for_staff().columns
    )
    return replace(profile, columns=tuple(bare))


def _told(profile: Profile, changed: list[dict[str, Any]], *, suppressed: bool) -> dict[str, Any]:
    return {**profile.as_dict(), "drift": changed, "suppressed": suppressed}
