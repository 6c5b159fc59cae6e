"""From a contract to the rules that its rows are checked by (Q-20, Q-21). Pure; says what, not how.

Rule ids of a column: ``required``, ``type``, ``length``, ``pattern``, ``codes``,
``range``, ``unique``, the codes of its semantic type; of a row: ``rule:<id>``; of the batch:
``key.null``, ``key.conflict`` and, as a warning, ``key.duplicate``.
A key column is required by ``key.null``. Lengths are checked on text columns
only. On a typed column the semantic rules are asked only where the type fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from huitong.contracts.model import DOCUMENT_TYPE_FIELD, Contract, Field, RowRule
from huitong.quality.artefacts import rules_of
from huitong.quality.rules import Criterion, Rule
from huitong.quality.semantics import semantic
from huitong.quality.semantics.base import Semantic

if TYPE_CHECKING:
    from huitong.quality.rulebook.binding import Bound, SetCheck
    from huitong.quality.rulebook.model import OfficeRule

#: semantic types that say no more than the column's own type
_IMPLIED: Final = {("date", "date"), ("timestamp", "timestamp")}


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """The rules of one column, as positions in :attr:`Plan.rules`; -1 = not asked."""

    field: Field
    null: int = -1
    type: int = -1
    length: int = -1
    pattern: int = -1
    codes: int = -1
    range: int = -1
    unique: int = -1
    semantic: Semantic | None = None
    semantic_rules: tuple[int, ...] = ()
    texts: tuple[int, ...] = ()  # rules about traces of tools in text
    wide: int = -1  # a value of another type in full-width characters
    serial: int = -1  # a date as the number that a spreadsheet keeps


@dataclass(frozen=True, slots=True)
class Plan:
    """All rules of a contract, numbered in the order in which findings of one row are listed."""

    contract: Contract
    rules: tuple[Rule, ...]
    fields: tuple[FieldPlan, ...]
    row_rules: tuple[tuple[int, RowRule], ...]
    conflict: int
    duplicate: int
    deduplicated: int = -1
    office: Mapping[int, OfficeRule] = field(default_factory=dict)  # which of ``rules`` are the office's
    columns: tuple[FieldPlan, ...] = ()  # those of them about one column
    sets: tuple[tuple[int, SetCheck], ...] = ()  # those about all rows at once
    failed: int = -1  # the finding of a rule that could not be carried out

    @property
    def id_type(self) -> str:
        """The column that says which kind of document a row's identity numbers are; empty if none."""
        return DOCUMENT_TYPE_FIELD if self.contract.field_named(DOCUMENT_TYPE_FIELD) else ""


@dataclass(slots=True)
class _Rules:
    listed: list[Rule] = field(default_factory=list)

    def add(self, rule: Rule) -> int:
        self.listed.append(rule)
        return len(self.listed) - 1


def compile_plan(contract: Contract, office: Sequence[Bound] = ()) -> Plan:
    """The plan of a contract and of the office's rules bound to it.

    Raises KeyError for an unknown semantic type; registration refuses those.
    """
    rules = _Rules()
    fields = tuple(_field_plan(f, rules.add, alone=contract.keys == (f,)) for f in contract.fields)
    row_rules = tuple((rules.add(_row_rule(r)), r) for r in contract.rules)
    keys = ",".join(f.name for f in contract.keys)
    conflict = rules.add(
        Rule(
            "key.conflict",
            keys,
            "conflicting",
            "error",
            f"主键({keys})相同而内容不同的行在本批次中出现多次。请只保留一行后重新报送。",
            f"Rows with the same key ({keys}) and different content occur in this batch. "
            "Keep one of them and deliver again.",
            on_deletions=True,
        )
    )
    duplicate = rules.add(
        Rule(
            "key.duplicate",
            keys,
            "conflicting",
            "warning",
            "本批次中有内容完全相同的行,只取第一行。",
            "The batch holds the same row before; only the first is taken.",
            on_deletions=True,
        )
    )
    deduplicated = rules.add(_deduplicated(contract, keys)) if contract.deduplicate else -1
    numbers = [rules.add(bound.rule.rule()) for bound in office]
    numbered = list(zip(numbers, office, strict=True))
    return Plan(
        contract,
        (*rules.listed, _FAILED),
        fields,
        (*row_rules, *((n, b.expression) for n, b in numbered if b.expression)),
        conflict,
        duplicate,
        deduplicated,
        office={n: b.rule for n, b in numbered},
        columns=tuple(_office_plan(b.field, n, b.rule.kind) for n, b in numbered if b.field),
        sets=tuple((n, b.check) for n, b in numbered if b.check),
        failed=len(rules.listed),
    )


#: Of a rule of the office that could not be carried out: told, and never a reason to lose a delivery.
_FAILED: Final = Rule(
    "office.error",
    "",
    "constraint",
    "warning",
    "质量规则未能执行,已跳过。",
    "A rule of the office could not be carried out and was left out.",
)


def _office_plan(f: Field, number: int, kind: str) -> FieldPlan:
    """A field that is asked one thing only; every way to break it is the same rule."""
    meaning = semantic(f.semantic) if f.semantic else None
    # what its standard calls a warning is none of an office rule's violations
    parts = tuple(number if r.severity == "error" else -1 for r in meaning.rules) if meaning else ()
    return FieldPlan(
        f,
        null=number if f.required else -1,
        type=number if kind == "format" and not _has_length(f) else -1,
        length=number if _has_length(f) else -1,
        pattern=number if f.pattern else -1,
        codes=number if f.codes else -1,
        range=number if kind == "range" else -1,
        semantic=meaning,
        semantic_rules=parts,
    )


def _deduplicated(contract: Contract, keys: str) -> Rule:
    by = contract.field_named(contract.deduplicate.by)
    zh = f"取 {by.title or by.name} 最新的一行" if by else "取第一行"
    en = f"that with the newest {by.name} is taken" if by else "the first is taken"
    return Rule(
        "key.deduplicated",
        keys,
        "conflicting",
        "warning",
        f"主键({keys})相同的行有多行,按契约的去重规则{zh},本行未采用。",
        f"Several rows have this key ({keys}); by the contract's rule {en}, and this one was left out.",
        on_deletions=True,
    )


def _row_rule(rule: RowRule) -> Rule:
    shown = ",".join(rule.columns)
    return Rule(
        id=f"rule:{rule.id}",
        column=shown,
        criterion="constraint",
        severity=rule.severity,
        zh=rule.zh or f"{shown}:不满足规则 {rule.id}。请核对这些数据项之间的关系。",
        en=rule.en or f"{shown}: rule {rule.id} does not hold. Check how these items relate.",
    )


def _field_plan(f: Field, add: Callable[[Rule], int], *, alone: bool) -> FieldPlan:
    """``alone``: the column is the whole key, so that uniqueness is the key's matter."""

    def rule(id: str, criterion: Criterion, zh: str, en: str, *, on_deletions: bool = False) -> int:
        shown = f.title or f.name
        return add(Rule(id, f.name, criterion, "error", f"{shown}:{zh}。", f"{f.name}: {en}.", on_deletions))

    null = -1
    if f.key:
        null = rule(
            "key.null",
            "missing",
            "主键不能为空,请补填",
            "a key must not be empty; fill it in",
            on_deletions=True,
        )
    elif f.required:
        null = rule("required", "missing", "必填项为空,请补填", "a required item is empty; fill it in")
    of_type = wide = serial = -1
    if f.type != "string":
        of_type = rule("type", "format", *_type_words(f), on_deletions=bool(f.key))
        wide = rule("type.full-width", "format", *_WIDE, on_deletions=bool(f.key))
    if f.type in ("date", "timestamp"):
        serial = rule("type.serial", "format", *_SERIAL, on_deletions=bool(f.key))
    meaning = semantic(f.semantic) if f.semantic and (f.semantic, f.type) not in _IMPLIED else None
    return FieldPlan(
        f,
        null=null,
        type=of_type,
        length=rule("length", "constraint", *_length_words(f)) if _has_length(f) else -1,
        pattern=rule(
            "pattern", "format", f"不符合格式 {f.pattern},请核对", f"does not match {f.pattern}; check it"
        )
        if f.pattern
        else -1,
        codes=rule("codes", "constraint", *_code_words(f)) if f.codes else -1,
        range=rule("range", "constraint", *_range_words(f))
        if f.minimum is not None or f.maximum is not None
        else -1,
        unique=rule(
            "unique",
            "conflicting",
            "与本批次其他行的值重复,该项应唯一",
            "another row of the batch has the same value; it must be unique",
        )
        if f.unique and not alone
        else -1,
        semantic=meaning,
        semantic_rules=tuple(add(r.at(f.name, f.title)) for r in meaning.rules) if meaning else (),
        texts=tuple(add(r.at(f.name, f.title)) for r in rules_of(f)),
        wide=wide,
        serial=serial,
    )


_WIDE: Final = (
    "含全角字符,请改为半角;也可在契约中设置清洗 half-width",
    "has full-width characters; use half-width ones, or set cleanse: half-width in the contract",
)
_SERIAL: Final = (
    "是表格软件内部的日期数字(如 45296 即 2024-01-05),请将该列设为日期格式后重新导出",
    "is the number by which a spreadsheet keeps a date (45296 is 2024-01-05); format the column as dates "
    "and export again",
)


def _has_length(f: Field) -> bool:
    return f.type == "string" and (f.min_length is not None or f.max_length is not None)


def _type_words(f: Field) -> tuple[str, str]:
    words = {
        "integer": ("不是整数,只填数字,例如 12", "is no integer; give digits only, for example 12"),
        "decimal": (
            f"不是最多 {f.precision - f.scale} 位整数、{f.scale} 位小数的数,不要带千分位逗号",
            f"is no number of at most {f.precision - f.scale} digits before and {f.scale} after the point; "
            "no thousands separators",
        ),
        "double": ("不是数值,例如 12.5", "is no number; for example 12.5"),
        "boolean": (
            "不是逻辑值,请填 1/0、true/false、是/否或 Y/N",
            "is no logical value; give 1/0, true/false, 是/否 or Y/N",
        ),
        "date": (
            "不是有效日期,格式为 2021-03-01 或 20210301",
            "is no valid date; the form is 2021-03-01 or 20210301",
        ),
        "timestamp": (
            "不是有效的日期时间,格式为 2021-03-01T09:00:00+08:00",
            "is no valid date and time; the form is 2021-03-01T09:00:00+08:00",
        ),
    }
    zh, en = words[f.type]
    if f.formats:
        zh, en = f"{zh}(或 {'、'.join(f.formats)})", f"{en} (or {', '.join(f.formats)})"
    return zh, en


def _length_words(f: Field) -> tuple[str, str]:
    low, high = f.min_length, f.max_length
    if low is not None and high is not None:
        return f"长度应为 {low} 至 {high} 个字符", f"must have {low} to {high} characters"
    if high is not None:
        return f"长度不能超过 {high} 个字符", f"must have at most {high} characters"
    return f"长度不能少于 {low} 个字符", f"must have at least {low} characters"


def _code_words(f: Field) -> tuple[str, str]:
    shown = "、".join(f.codes[:20]) + ("……" if len(f.codes) > 20 else "")
    return f"不在代码表中,可用代码:{shown}", f"is not in the code set; codes in use: {shown}"


def _range_words(f: Field) -> tuple[str, str]:
    zh, en = [], []
    if f.minimum is not None:
        zh.append(f"{'大于' if f.exclusive_minimum else '不小于'} {f.minimum}")
        en.append(f"{'above' if f.exclusive_minimum else 'at least'} {f.minimum}")
    if f.maximum is not None:
        zh.append(f"{'小于' if f.exclusive_maximum else '不大于'} {f.maximum}")
        en.append(f"{'below' if f.exclusive_maximum else 'at most'} {f.maximum}")
    return f"应{'且'.join(zh)}", f"must be {' and '.join(en)}"
