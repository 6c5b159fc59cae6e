"""A rule of the office bound to a contract: every fault at once, and what the engine carries out.

The same at saving and before each run, since contracts have versions of their own. Needs sqlglot for
expressions, conditions and SQL; neither pyarrow nor DuckDB.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, get_args

from huitong.contracts.bounds import is_value
from huitong.contracts.formats import to_strptime
from huitong.contracts.model import KNOWN_SEMANTICS, Contract, Field, FieldType, RowRule
from huitong.contracts.patterns import to_re2
from huitong.errors import BadRequest, HuitongError, Problem
from huitong.quality.rulebook.model import KINDS, OF_BATCH, OF_COLUMN, OfficeRule

if TYPE_CHECKING:
    from huitong.query.parse import CheckedQuery

DELIVERY: Final = "delivery"
_MOST_CODES: Final = 10_000
_ORDERED: Final = ("integer", "decimal", "double", "date", "timestamp")
_PARAMETERS: Final[Mapping[str, frozenset[str]]] = {
    "missing": frozenset(),
    "format": frozenset({"type", "precision", "scale", "formats", "min_length", "max_length"}),
    "range": frozenset({"minimum", "maximum", "exclusive_minimum", "exclusive_maximum"}),
    "set": frozenset({"codes"}),
    "pattern": frozenset({"pattern"}),
    "semantic": frozenset({"semantic"}),
    "expression": frozenset({"expression"}),
    "unique_history": frozenset({"when"}),
    "reference": frozenset({"resource", "fields", "when", "where"}),
    "agreement": frozenset({"resource", "other_field", "keys", "tolerance", "when", "where"}),
    "freshness": frozenset({"days"}),
    "volume": frozenset({"editions", "percent", "direction"}),
    "drift": frozenset({"percent", "minimum_rows"}),
    "sql": frozenset({"sql"}),
}

#: By contract id or table name; None where there is no such resource.
Known = Callable[[str], Contract | None]


@dataclass(frozen=True, slots=True)
class SetCheck:
    """A rule that looks at all rows: conditions are canonical SQL over the rows of their side.

    ``columns``: own fields that it reads; ``others``: the other resources that it reads.
    """

    rule: OfficeRule
    columns: tuple[str, ...] = ()
    others: tuple[Contract, ...] = ()
    when: str = ""
    where: str = ""
    query: CheckedQuery | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """A rule ready to be carried out: exactly one of the three."""

    rule: OfficeRule
    field: Field | None = None  # of a kind of column: the field as the rule wants it
    expression: RowRule | None = None
    check: SetCheck | None = None


@dataclass
class _Faults:
    rule: str
    found: list[Problem] = field(default_factory=list)

    def add(self, where: str, zh: str, en: str) -> None:
        self.found.append(Problem(f"rule.{where}", zh, en, {"rule": self.rule, "path": where}))


def bind(rule: OfficeRule, contract: Contract, known: Known) -> Bound:
    """The rule as it is carried out on deliveries of the contract. Raises BadRequest with every fault."""
    faults = _Faults(rule.id)
    bound = Bound(rule)
    if rule.kind not in KINDS:
        faults.add("kind", f"没有规则类型 {rule.kind}", f"There is no kind of rule {rule.kind}")
    else:
        _check_common(rule, contract, faults)
        if not faults.found:
            bound = _bound(rule, contract, known, faults)
    if faults.found:
        first = faults.found[0]
        raise BadRequest(
            f"规则 {rule.id} 有 {len(faults.found)} 处问题:{first.zh}",
            f"Rule {rule.id} has {len(faults.found)} problem(s): {first.en}",
            problems=faults.found,
            rule=rule.id,
        )
    return bound


def _check_common(rule: OfficeRule, contract: Contract, faults: _Faults) -> None:
    unknown = sorted(set(rule.parameters) - _PARAMETERS[rule.kind])
    if unknown:
        names = ", ".join(unknown)
        faults.add("parameters", f"{rule.kind} 没有参数 {names}", f"{rule.kind} has no parameters {names}")
    for name in rule.fields:
        if contract.field_named(name) is None:
            faults.add(
                "fields", f"资源 {contract.id} 没有数据项 {name}", f"{contract.id} has no field {name}"
            )
    one = rule.kind in OF_COLUMN or rule.kind in ("agreement", "freshness", "drift")
    if one and len(rule.fields) != 1:
        faults.add("fields", f"{rule.kind} 须恰好一个数据项", f"{rule.kind} needs exactly one field")
    if rule.kind in ("unique_history", "reference") and not rule.fields:
        faults.add("fields", "须至少一个数据项", "At least one field is needed")
    if rule.kind == "agreement" and rule.severity != "warning":
        zh = "多元校核只作警告:差异交由责任采集单位确认"
        faults.add(
            "severity", zh, "An agreement is a warning: the responsible collector decides on a difference"
        )
    if rule.kind in OF_BATCH and rule.severity != "warning" and not rule.on_breach:
        zh = "针对整批的规则不隔离行:请设为警告,或设定 on_breach"
        faults.add("severity", zh, "It speaks of the batch, not of rows: make it a warning or set on_breach")
    percent = rule.most_percent
    if (percent is not None and not 0 <= percent <= 100) or (rule.most is not None and rule.most < 0):
        faults.add("threshold", "阈值超出范围", "The threshold is out of range")


def _bound(rule: OfficeRule, contract: Contract, known: Known, faults: _Faults) -> Bound:
    if rule.kind in OF_COLUMN:
        own = contract.field_named(rule.fields[0])
        return Bound(rule, field=_of_column(rule, own, faults) if own else None)
    if rule.kind == "expression":
        return Bound(rule, expression=_expression(rule, contract, faults))
    if rule.kind == "sql":
        return Bound(rule, check=_sql(rule, contract, known, faults))
    if rule.kind in OF_BATCH:
        _check_batch_kind(rule, contract, faults)
        return Bound(rule, check=SetCheck(rule, rule.fields))
    return Bound(rule, check=_across(rule, contract, known, faults))


# --- kinds of one column ---------------------------------------------------


def _of_column(rule: OfficeRule, own: Field, faults: _Faults) -> Field:
    """The field with nothing but what this rule asks."""
    bare = Field(own.name, own.title, own.type, own.precision, own.scale, formats=own.formats,
                 level=own.level, mask=own.mask)  # fmt: skip
    changes = _OF_COLUMN[rule.kind](rule.parameters, own, faults)
    return replace(bare, **changes)


def _missing(_: Mapping[str, Any], own: Field, faults: _Faults) -> dict[str, Any]:
    if own.required or own.key:
        faults.add("fields", f"契约已要求 {own.name} 必填", f"The contract requires {own.name} already")
    return {"required": True}


def _format(asked: Mapping[str, Any], own: Field, faults: _Faults) -> dict[str, Any]:
    kind = str(asked.get("type", ""))
    lengths = {name: asked[name] for name in ("min_length", "max_length") if asked.get(name) is not None}
    if bool(kind) == bool(lengths):
        faults.add("parameters", "须给出 type 或长度之一", "Give either a type or lengths")
    if lengths and own.type != "string":
        faults.add("parameters", "长度只适用于文本", "Lengths apply to texts only")
    if any(not isinstance(n, int) or n < 0 for n in lengths.values()):
        faults.add("parameters", "长度须为非负整数", "A length is a whole number")
    if not kind:
        return lengths
    if kind not in get_args(FieldType) or kind == "string":
        faults.add("parameters", f"没有类型 {kind}", f"There is no type {kind}")
    formats = []
    for written in asked.get("formats", ()):
        found = to_strptime(str(written))
        if found is None or kind not in ("date", "timestamp"):
            faults.add(
                "parameters", f"日期格式不可用:{written}", f"The date format cannot be used: {written}"
            )
        elif found:
            formats.append(found)
    precision, scale = int(asked.get("precision", 38)), int(asked.get("scale", 0))
    if not 0 <= scale <= precision <= 38:
        faults.add("parameters", "精度有误", "Precision and scale do not fit")
    return {"type": kind, "precision": precision, "scale": scale, "formats": tuple(formats)}


def _range(asked: Mapping[str, Any], own: Field, faults: _Faults) -> dict[str, Any]:
    ends = {name: str(asked[name]) for name in ("minimum", "maximum") if asked.get(name) is not None}
    if not ends:
        faults.add("parameters", "须给出 minimum 或 maximum", "Give a minimum or a maximum")
    if own.type not in _ORDERED:
        faults.add("fields", f"{own.type} 没有取值范围", f"A {own.type} has no range")
    elif wrong := [text for text in ends.values() if not is_value(text, own.type)]:
        faults.add("parameters", f"{wrong[0]} 不是 {own.type} 类型的值", f"{wrong[0]} is no {own.type}")
    flags = {n: bool(asked.get(n)) for n in ("exclusive_minimum", "exclusive_maximum")}
    return {**ends, **flags}


def _set(asked: Mapping[str, Any], _: Field, faults: _Faults) -> dict[str, Any]:
    codes = tuple(str(c) for c in asked.get("codes", ()))
    if not 0 < len(codes) <= _MOST_CODES:
        faults.add("parameters", f"代码须为 1 至 {_MOST_CODES} 个", f"Give 1 to {_MOST_CODES} codes")
    return {"codes": codes}


def _pattern(asked: Mapping[str, Any], _: Field, faults: _Faults) -> dict[str, Any]:
    pattern, fault = to_re2(str(asked.get("pattern", "")))
    if fault or not pattern:
        faults.add(
            "parameters", f"正则表达式不可用:{fault}", f"The pattern cannot be used: {fault or 'empty'}"
        )
    return {"pattern": pattern}


def _semantic(asked: Mapping[str, Any], _: Field, faults: _Faults) -> dict[str, Any]:
    name = str(asked.get("semantic", ""))
    if name not in KNOWN_SEMANTICS:
        faults.add("parameters", f"没有语义类型 {name}", f"There is no semantic type {name}")
    return {"semantic": name}


_OF_COLUMN: Final[Mapping[str, Callable[[Mapping[str, Any], Field, _Faults], dict[str, Any]]]] = {
    "missing": _missing,
    "format": _format,
    "range": _range,
    "set": _set,
    "pattern": _pattern,
    "semantic": _semantic,
}


# --- expressions, conditions, SQL ------------------------------------------


def _expression(rule: OfficeRule, contract: Contract, faults: _Faults) -> RowRule | None:
    from huitong.contracts.rules import canonical_rule

    try:
        made = canonical_rule(
            str(rule.parameters.get("expression", "")), contract.fields, id=rule.id, path="parameters"
        )
    except HuitongError as error:
        faults.found += error.problems
        return None
    return made


def _condition(
    rule: OfficeRule, name: str, contract: Contract, faults: _Faults
) -> tuple[str, tuple[str, ...]]:
    written = str(rule.parameters.get(name, ""))
    if not written:
        return "", ()
    from huitong.contracts.rules import canonical_rule

    try:
        made = canonical_rule(written, contract.fields, id=rule.id, path=name)
    except HuitongError as error:
        faults.found += error.problems
        return "", ()
    return made.expression, made.columns


def _across(rule: OfficeRule, contract: Contract, known: Known, faults: _Faults) -> SetCheck | None:
    when, read = _condition(rule, "when", contract, faults)
    asked = rule.parameters
    own = dict.fromkeys((*rule.fields, *read))
    if rule.kind == "unique_history":
        return SetCheck(rule, tuple({**own, **dict.fromkeys(f.name for f in contract.keys)}), when=when)
    other = known(str(asked.get("resource", "")))
    if other is None:
        named = asked.get("resource", "")
        faults.add("parameters", f"没有资源 {named}", f"There is no resource {named}")
        return None
    where, _ = _condition(rule, "where", other, faults)
    if rule.kind == "reference":
        theirs = [str(name) for name in asked.get("fields", ())]
        if len(theirs) != len(rule.fields):
            faults.add("parameters", "两侧数据项个数不同", "Both sides need as many fields")
    else:
        keys = asked.get("keys", {})
        theirs = [*(str(v) for v in keys.values()), str(asked.get("other_field", ""))]
        own |= dict.fromkeys([*keys, *(f.name for f in contract.keys)])
        if not keys:
            faults.add("parameters", "须给出 keys", "Give the keys by which rows are found")
        faults.found += [_no_field(rule, contract, k) for k in keys if contract.field_named(k) is None]
        _check_tolerance(rule, contract, faults)
    faults.found += [_no_field(rule, other, t) for t in theirs if other.field_named(t) is None]
    return SetCheck(rule, tuple(own), (other,), when, where)


def _check_tolerance(rule: OfficeRule, contract: Contract, faults: _Faults) -> None:
    tolerance, own = rule.parameters.get("tolerance"), contract.field_named(rule.fields[0])
    if tolerance is None or own is None:
        return
    if own.type not in ("integer", "decimal", "double") or not is_value(str(tolerance), "decimal"):
        faults.add("parameters", "容差只适用于数值", "A tolerance applies to numbers only")


def _no_field(rule: OfficeRule, contract: Contract, name: str) -> Problem:
    zh, en = f"资源 {contract.id} 没有数据项 {name}", f"{contract.id} has no field {name}"
    return Problem("rule.parameters", zh, en, {"rule": rule.id})


def _sql(rule: OfficeRule, contract: Contract, known: Known, faults: _Faults) -> SetCheck | None:
    from sqlglot import exp

    from huitong.query.dialect import to_duckdb
    from huitong.query.parse import check

    try:
        query = check(str(rule.parameters.get("sql", "")))
        to_duckdb(query.tree)
    except HuitongError as error:
        faults.found += error.problems
        return None
    others = []
    for use in query.tables:
        if use.part != "current" or use.as_of is not None:
            faults.add("sql", f"只能读取现行数据:{use.name}", f"Only current rows can be read: {use.name}")
        elif use.name != DELIVERY:
            other = known(use.name)
            others += [other] if other else []
            if other is None:
                faults.add("sql", f"没有表 {use.name}", f"There is no table {use.name}")
    if DELIVERY not in [use.name for use in query.tables]:
        faults.add("sql", f"须读取 {DELIVERY}", f"It must read {DELIVERY}")
    if not isinstance(query.tree, exp.Select) or "_source_row" not in query.tree.named_selects:
        faults.add("sql", "须为返回 _source_row 的 SELECT", "It must be a SELECT that gives _source_row")
    varying = next(
        query.tree.find_all(exp.Rand, exp.CurrentDate, exp.CurrentTimestamp, exp.Localtimestamp), None
    )
    if varying is not None:
        faults.add("sql", "结果不得随时间或随机数变化", "Its answer must not vary with time or chance")
    named = {node.name.casefold() for node in query.tree.find_all(exp.Identifier)}
    whole = next(query.tree.find_all(exp.Star), None) is not None
    columns = tuple(f.name for f in contract.fields if whole or f.name.casefold() in named)
    return SetCheck(rule, columns, tuple(others), query=query)


# --- kinds of the whole delivery -------------------------------------------


def _check_batch_kind(rule: OfficeRule, contract: Contract, faults: _Faults) -> None:
    asked = rule.parameters
    wanted = {"freshness": ("days",), "volume": ("editions", "percent"), "drift": ("percent",)}[rule.kind]
    for name in wanted:
        value = asked.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            faults.add("parameters", f"须给出 {name}", f"{name} must be given, a number")
    if rule.kind == "freshness":
        own = contract.field_named(rule.fields[0])
        if own is not None and own.type not in ("date", "timestamp"):
            faults.add("fields", "时效须看日期或时间", "Freshness looks at a date or a moment")
    if rule.kind == "volume" and str(asked.get("direction", "both")) not in ("both", "less", "more"):
        faults.add("parameters", "direction 为 both、less 或 more", "direction is both, less or more")
