"""``quality`` of ODCS: what of it can be checked row by row as it stands.

``custom`` checks of engine ``huitong`` are cross-field rules; the library metrics nullValues, missingValues,
invalidValues and duplicateValues count when they must be zero. Anything else (row counts, SQL over the whole
table, other tools' engines, prose) stays in the document and is not enforced.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, Final, Literal

from huitong.contracts.model import Field, RowRule
from huitong.contracts.patterns import to_re2
from huitong.contracts.reading import Problems, both_languages, text, words
from huitong.contracts.rules import canonical_rule
from huitong.errors import InvalidContract

if TYPE_CHECKING:
    from open_data_contract_standard.model import DataQuality, SchemaObject, SchemaProperty

_ENGINE: Final = "huitong"
_NUMBERS: Final = frozenset({"integer", "decimal", "double"})


@dataclass(frozen=True, slots=True)
class Checks:
    """What a property's library metrics add to it."""

    required: bool = False
    unique: bool = False
    codes: tuple[str, ...] = ()
    pattern: str = ""


def read_checks(prop: SchemaProperty, path: str, problems: Problems) -> Checks:
    checks = Checks()
    for n, check in enumerate(prop.quality or ()):
        if not _must_be_zero(check):
            continue
        metric = text(check.metric) or text(check.rule)
        arguments = check.arguments or {}
        if metric in ("nullValues", "missingValues"):
            checks = replace(checks, required=True)
        elif metric == "duplicateValues":
            checks = replace(checks, unique=True)
        elif metric == "invalidValues":
            pattern, fault = to_re2(text(arguments.get("pattern")))
            if fault:
                problems.add(
                    "pattern.unfit",
                    f"{path}.quality[{n}].arguments.pattern",
                    f"正则表达式不可用:{fault}",
                    f"the pattern cannot be used: {fault}",
                )
            checks = replace(checks, codes=words(arguments.get("validValues")), pattern=pattern)
    return checks


def read_rules(
    schema: SchemaObject, fields: Sequence[Field], path: str, problems: Problems
) -> tuple[RowRule, ...]:
    """The cross-field rules of the schema and of its properties, in order of appearance."""
    written: list[tuple[str, DataQuality]] = [
        (f"{path}.quality[{n}]", check) for n, check in enumerate(schema.quality or ())
    ]
    rules: list[RowRule] = []
    for p, prop in enumerate(schema.properties or ()):
        where = f"{path}.properties[{p}]"
        written += [(f"{where}.quality[{n}]", check) for n, check in enumerate(prop.quality or ())]
        _steps(prop, fields, where, rules, problems)
    own = [(where, check) for where, check in written if text(check.engine).lower() == _ENGINE]
    for number, (where, check) in enumerate(own, start=1):
        _custom(check, f"rule-{number}", fields, where, rules, problems)
    return tuple(rules)


def _must_be_zero(check: DataQuality) -> bool:
    limit = text(check.mustBe) or text(check.mustBeLessOrEqualTo)
    return re.fullmatch(r"0+(\.0*)?", limit) is not None


def _custom(
    check: DataQuality,
    default_id: str,
    fields: Sequence[Field],
    path: str,
    rules: list[RowRule],
    problems: Problems,
) -> None:
    body: Any = check.implementation
    expression = text(body.get("expression") if isinstance(body, dict) else body)
    id = text(check.id) or text(check.name) or default_id
    if not expression:
        problems.add(
            "rule.empty",
            f"{path}.implementation",
            f"规则 {id} 没有表达式",
            f"the rule {id} has no expression",
        )
        return
    zh, en = both_languages(text(check.description) or text(check.name) or expression)
    mild = text(check.severity).lower() in ("warning", "warn", "info", "low")
    _add(
        expression,
        fields,
        id,
        zh,
        en,
        "warning" if mild else "error",
        f"{path}.implementation",
        rules,
        problems,
    )


def _steps(
    prop: SchemaProperty, fields: Sequence[Field], path: str, rules: list[RowRule], problems: Problems
) -> None:
    """``multipleOf`` as a rule, where the type's scale does not already say it."""
    step = text((prop.logicalTypeOptions or {}).get("multipleOf"))
    if not step:
        return
    field = next((f for f in fields if f.name in (text(prop.name), text(prop.physicalName))), None)
    if field is None or (re.fullmatch(r"0?\.0*1|1", step) and field.type != "double"):
        return
    where = f"{path}.logicalTypeOptions.multipleOf"
    try:
        fit = Decimal(step).is_finite() and Decimal(step) > 0 and field.type in _NUMBERS
    except InvalidOperation:
        fit = False
    if not fit:
        problems.add("option.number", where, "multipleOf 须为正数", "multipleOf must be a positive number")
        return
    zh, en = f"{field.name} 须为 {step} 的倍数", f"{field.name} must be a multiple of {step}"
    expression = f'"{field.name}" % {Decimal(step):f} = 0'
    _add(expression, fields, f"{field.name}.multiple-of", zh, en, "error", where, rules, problems)


def _add(
    expression: str,
    fields: Sequence[Field],
    id: str,
    zh: str,
    en: str,
    severity: Literal["error", "warning"],
    path: str,
    rules: list[RowRule],
    problems: Problems,
) -> None:
    if any(rule.id == id for rule in rules):
        problems.add("rule.repeated", path, f"规则编号 {id} 重复", f"the rule id {id} is given twice")
        return
    try:
        rules.append(canonical_rule(expression, fields, id=id, zh=zh, en=en, severity=severity, path=path))
    except InvalidContract as refused:
        problems.found.extend(refused.problems)
