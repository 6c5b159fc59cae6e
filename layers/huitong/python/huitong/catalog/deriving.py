"""What of an entry follows from the resource's contract, as its first draft (Q-18)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from huitong.catalog.model import CLASSES, Category, Entry, Party, Service
from huitong.contracts.model import Contract
from huitong.identity.model import OPERATOR
from huitong.identity.units import Unit

_SCHEME: Final = "政务信息资源目录编制指南(2017)"
#: Words of a contract's share method → methods.
_METHODS: Final[Mapping[str, tuple[str, ...]]] = {
    "query": ("查询", "query", "比对", "comparison"),
    "interface": ("推送", "接口", "interface", "订阅", "subscription"),
    "front_end": ("前置", "front-end"),
    "bulk": ("批量", "bulk", "download"),
}


def derived(contract: Contract, unit: Unit | None, today: str) -> Entry:
    """A first draft: names, share type, methods, openness and frequency as the contract has them."""
    provider_name = unit.name if unit else contract.provider_name
    methods = _methods(contract.share_method) if contract.share_type != "3" else ()
    kind = contract.resource_code[:1]
    return Entry(
        resource=contract.id,
        code=contract.resource_code,
        title=contract.title,
        provider=contract.provider or OPERATOR,
        provider_name=provider_name,
        contacts=_contacts(contract, unit, provider_name),
        categories=_categories(contract),
        class_path=(CLASSES[kind][0],) if kind in CLASSES else (),
        service=Service(f"/v1/resources/{contract.id}", "REST") if methods else None,
        metadata_id=f"MD-{contract.id}",
        metadata_updated=today,
        format="数据库",
        share_type=contract.share_type,
        share_condition=_chinese(contract.share_condition) if contract.share_type == "2" else "",
        methods=methods,
        open=_open(contract.open),
        frequency=contract.frequency,
        contract_version=contract.version,
    )


def _contacts(contract: Contract, unit: Unit | None, name: str) -> tuple[Party, ...]:
    if not name:
        return ()
    return (
        Party(
            name, code=contract.provider or OPERATOR, role="数源单位", contact=unit.contact if unit else ""
        ),
    )


def _categories(contract: Contract) -> tuple[Category, ...]:
    kind = contract.resource_code[:1]
    if kind not in CLASSES:
        return ()
    return (Category(_SCHEME, CLASSES[kind][0], contract.resource_code.partition("/")[0]),)


def _methods(text: str) -> tuple[str, ...]:
    return tuple(name for name, words in _METHODS.items() if any(word in text.lower() for word in words))


def _open(text: str) -> bool | None:
    """``1`` and ``0`` may be followed by what it is limited to; limited openness is for people to word."""
    word = text.strip()
    return None if not word else re.match(r"1\s*($|\()", word) is not None


def _chinese(text: str) -> str:
    return text.partition(" / ")[0].strip()
