"""The rules of a contract and of the office in one list, in one shape (C-04). Quick to import."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from huitong.contracts.model import Contract, Field
from huitong.quality.rulebook.model import OfficeRule


def of_contract(contract: Contract) -> list[dict[str, Any]]:
    """What the contract asks, as rules; they change with the contract's version and are always in force."""
    listed = [entry for f in contract.fields for entry in _of_field(contract, f)]
    for rule in contract.rules:
        listed.append(
            _entry(contract, f"rule:{rule.id}", "expression", rule.columns, {"expression": rule.expression},
                   severity=rule.severity, zh=rule.zh, en=rule.en)
        )  # fmt: skip
    keys = tuple(f.name for f in contract.keys)
    listed.append(_entry(contract, "key.conflict", "unique", keys, {}))
    listed.append(_entry(contract, "key.duplicate", "unique", keys, {}, severity="warning"))
    return listed


def of_office(rule: OfficeRule) -> dict[str, Any]:
    return {"origin": "office", "finding": rule.finding, **rule.as_dict()}


def _of_field(contract: Contract, f: Field) -> Iterator[dict[str, Any]]:
    here = (f.name,)
    if f.key or f.required:
        yield _entry(contract, "key.null" if f.key else "required", "missing", here, {})
    if f.type != "string":
        asked: dict[str, Any] = {"type": f.type, "formats": list(f.formats)}
        asked |= {"precision": f.precision, "scale": f.scale} if f.type == "decimal" else {}
        yield _entry(contract, "type", "format", here, asked)
    elif f.min_length is not None or f.max_length is not None:
        yield _entry(
            contract, "length", "format", here, {"min_length": f.min_length, "max_length": f.max_length}
        )
    if f.pattern:
        yield _entry(contract, "pattern", "pattern", here, {"pattern": f.pattern})
    if f.codes:
        yield _entry(contract, "codes", "set", here, {"codes": list(f.codes)})
    if f.minimum is not None or f.maximum is not None:
        bounds = ("minimum", "maximum", "exclusive_minimum", "exclusive_maximum")
        yield _entry(contract, "range", "range", here, {name: getattr(f, name) for name in bounds})
    if f.unique:
        yield _entry(contract, "unique", "unique", here, {})
    if f.semantic:
        yield _entry(contract, f.semantic, "semantic", here, {"semantic": f.semantic})


def _entry(
    contract: Contract,
    finding: str,
    kind: str,
    fields: tuple[str, ...],
    parameters: dict[str, Any],
    *,
    severity: str = "error",
    zh: str = "",
    en: str = "",
) -> dict[str, Any]:
    return {
        "origin": "contract", "id": f"{contract.id}.{'.'.join(fields)}.{finding}", "finding": finding,
        "resource": contract.id, "kind": kind, "fields": list(fields),
        "parameters": {k: v for k, v in parameters.items() if v not in (None, [], False)},
        "severity": severity, "state": "enabled", "version": contract.version, "owner": contract.provider,
        "zh": zh, "en": en,
    }  # fmt: skip
