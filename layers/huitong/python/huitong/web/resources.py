"""Names of resources in requests, and who may know of them."""

from __future__ import annotations

from typing import Any

from huitong.contracts.model import Contract
from huitong.errors import NotFound, NotPermitted
from huitong.identity.authorize import may
from huitong.identity.model import OPERATOR
from huitong.sharing.access import Access, Path_
from huitong.sharing.decide import access_for
from huitong.sharing.grant import NOT_SHARED
from huitong.web.serving import Ask


def contract_named(ask: Ask[Any], name: str, version: int = 0) -> Contract:
    """The contract with that id, or whose schema or table has that name. Raises NotFound."""
    found: Contract | None = ask.services.contracts.find(name, version)
    if found is None:
        raise unknown(name)
    return found


def access_to(ask: Ask[Any], contract: Contract, path: Path_) -> Access | None:
    """What the asker may have of a resource's rows on a way out.

    Raises NotPermitted with the reason, and while the asker's use of data is suspended (S-33).
    """
    ask.services.area("suspensions").check(ask.principal)
    return access_for(ask.principal, contract, ask.services.grants, acting_unit=ask.unit, use=ask.use(path))


def described(ask: Ask[Any], contract: Contract) -> Access | None:
    """Which columns the asker may know of; no row comes with it."""
    return access_for(ask.principal, contract, ask.services.grants, acting_unit=ask.unit)


def knows(ask: Ask[Any], contract: Contract) -> bool:
    """Whether the asker may see the contract: supervisors, its provider, and who may have rows of it."""
    return may(ask.principal, "contract.read", contract.provider) or described(ask, contract) is not None


def known_contract(ask: Ask[Any], name: str, version: int = 0) -> Contract:
    """Raises NotFound also when there is one that the asker may not know of."""
    contract = contract_named(ask, name, version)
    if not knows(ask, contract):
        raise unknown(name)
    return contract


def askable_contract(ask: Ask[Any], name: str) -> Contract:
    """A contract that the asker may ask for: one that it knows, or one that is shared with those who apply.
    Of one that is not shared (不予共享) outsiders know only what the catalogue publishes. Raises NotFound."""
    contract = contract_named(ask, name)
    if contract.share_type != NOT_SHARED or knows(ask, contract):
        return contract
    if ask.services.area("catalog").entry(contract.id) is None:
        raise unknown(name)
    return contract


def readable(ask: Ask[Any], name: str, path: Path_) -> tuple[Contract, Access]:
    """A contract and the asker's access to its rows.

    Raises NotFound when the asker may not know of it, NotPermitted when it may not have it so.
    """
    contract = contract_named(ask, name)
    access = access_to(ask, contract, path)
    if access is None:
        raise unknown(name)
    return contract, access


def unknown(name: str) -> NotFound:
    """The same for what does not exist and what the asker may not know of."""
    return NotFound(f"没有可用的资源 {name}", f"There is no resource {name} that you may use", resource=name)


def delivering_unit(ask: Ask[Any], contract: Contract, named: str) -> str:
    """The source unit of a delivery: as named, as declared, else the contract's provider or the own unit.

    An administrator who names no unit for a contract without a provider delivers
    for the operator of the platform.

    Raises NotPermitted when the asker may not deliver for it, or when the
    resource is another unit's.
    """
    provider = contract.provider
    own = provider if provider and ask.principal.may_act_for(provider) else ask.unit
    if not own and not provider and ask.principal.has("admin"):
        own = OPERATOR
    unit = named or ask.declared or own
    ask.permit("upload", unit)
    if provider and unit != provider:
        raise NotPermitted(
            f"资源 {contract.id} 由 {provider} 报送,不能由 {unit} 报送",
            f"Resource {contract.id} is delivered by {provider}, not by {unit}",
            resource=contract.id,
            unit=unit,
        )
    if not provider and not ask.principal.has("admin"):
        raise NotPermitted(
            f"资源 {contract.id} 尚未指定数源单位",
            f"Resource {contract.id} has no source unit yet",
            resource=contract.id,
        )
    return unit
