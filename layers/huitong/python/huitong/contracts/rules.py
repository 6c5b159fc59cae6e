"""Cross-field rules: boolean SQL over the columns of one row, checked by parsing at registration.

What is not on the list below is refused, so that a rule can neither read anything but its row, nor give
another answer tomorrow, nor stop a batch: comparisons, ``and or not``, ``is null``, ``in``, ``between``,
``like``, ``case``, arithmetic, ``date ± interval``, literals, columns of the contract, and the functions
length, substr, left, right, lower, upper, trim, starts_with, coalesce, nullif, abs, round, year, month, day,
date_diff, strftime and try_cast. Kinds are checked too: a date is not compared with a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any, Final, Literal

from huitong.contracts.model import Field, RowRule
from huitong.errors import InvalidContract, Problem

if TYPE_CHECKING:
    from sqlglot.expressions.core import Expr

_MAX_LENGTH = 4000

#: null goes with everything; "date-text" is a text literal that is also a date, "moment-text" one that names
#: an instant.
_Kind = str
_KINDS: Final[dict[str, _Kind]] = {
    "string": "text",
    "integer": "int",
    "decimal": "number",
    "double": "number",
    "boolean": "bool",
    "date": "date",
    "timestamp": "timestamp",
}
_TEXTS: Final = ("text", "date-text", "moment-text")

#: node → (its parts in order with the kind each must have, the kind of the result)
_SIGNATURES: Final[dict[str, tuple[tuple[tuple[str, _Kind], ...], _Kind]]] = {
    "And": ((("this", "bool"), ("expression", "bool")), "bool"),
    "Or": ((("this", "bool"), ("expression", "bool")), "bool"),
    "Not": ((("this", "bool"),), "bool"),
    "Like": ((("this", "text"), ("expression", "text")), "bool"),
    "ILike": ((("this", "text"), ("expression", "text")), "bool"),
    "StartsWith": ((("this", "text"), ("expression", "text")), "bool"),
    "Length": ((("this", "text"),), "int"),
    "Substring": ((("this", "text"), ("start", "int"), ("length", "int")), "text"),
    "Left": ((("this", "text"), ("expression", "int")), "text"),
    "Right": ((("this", "text"), ("expression", "int")), "text"),
    "Lower": ((("this", "text"),), "text"),
    "Upper": ((("this", "text"),), "text"),
    "Trim": ((("this", "text"),), "text"),
    "DPipe": ((("this", "text"), ("expression", "text")), "text"),
    "Abs": ((("this", "number"),), "number"),
    "Neg": ((("this", "number"),), "number"),
    "Round": ((("this", "number"), ("decimals", "int")), "number"),
    "Mul": ((("this", "number"), ("expression", "number")), "number"),
    "Div": ((("this", "number"), ("expression", "number")), "number"),
    "IntDiv": ((("this", "number"), ("expression", "number")), "number"),
    "Mod": ((("this", "number"), ("expression", "number")), "number"),
    "Year": ((("this", "date"),), "int"),
    "Month": ((("this", "date"),), "int"),
    "Day": ((("this", "date"),), "int"),
    "TimeToStr": ((("this", "date"), ("format", "text")), "text"),
}
_COMPARISONS: Final = frozenset({"EQ", "NEQ", "GT", "GTE", "LT", "LTE", "NullSafeEQ", "NullSafeNEQ"})
_SYMBOLS: Final = {
    **{"EQ": "=", "NEQ": "<>", "GT": ">", "GTE": ">=", "LT": "<", "LTE": "<="},
    **{"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Mod": "%", "DPipe": "||"},
    **{"TimeToStr": "STRFTIME", "DateDiff": "DATE_DIFF", "TryCast": "TRY_CAST"},
}
#: may overflow or divide by zero, which must count as null, not end the batch
_MAY_FAIL: Final = frozenset({"Mul", "Div", "IntDiv", "Mod", "Neg", "Abs", "Round"})
_UNITS: Final = frozenset({"DAY", "DAYS", "WEEK", "WEEKS", "MONTH", "MONTHS", "YEAR", "YEARS"})
_TRY_CASTS: Final[dict[str, _Kind]] = {
    "BIGINT": "int",
    "INT": "int",
    "DOUBLE": "number",
    "DECIMAL": "number",
    "DATE": "date",
    "VARCHAR": "text",
    "TEXT": "text",
}


class _Refused(Exception):
    """Carries (zh, en); never leaves this module."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
        self.en = en


def canonical_rule(
    expression: str,
    fields: Sequence[Field],
    *,
    id: str,
    zh: str = "",
    en: str = "",
    severity: Literal["error", "warning"] = "error",
    path: str = "",
) -> RowRule:
    """The rule with canonical DuckDB text, every identifier quoted, and the columns that it reads.

    Raises InvalidContract with one problem at ``path`` when the expression is not permitted.
    """
    try:
        text, columns = _canonical(expression, fields)
    except _Refused as refused:
        problem = Problem(
            "rule.expression",
            f"规则 {id}:{refused.zh}",
            f"Rule {id}: {refused.en}",
            {"path": path},
            "规则只能使用本合同的字段、字面量和允许的函数,参见 docs/contracts.md",
            "A rule may use only this contract's fields, literals and the permitted functions, "
            "see docs/contracts.md",
        )
        raise InvalidContract(problem.zh, problem.en, problems=[problem]) from None
    return RowRule(id, text, columns, zh or en, en or zh, severity)


def _canonical(expression: str, fields: Sequence[Field]) -> tuple[str, tuple[str, ...]]:
    import sqlglot
    from sqlglot.errors import SqlglotError

    if len(expression) > _MAX_LENGTH:
        raise _Refused(f"表达式超过 {_MAX_LENGTH} 个字符", f"longer than {_MAX_LENGTH} characters")
    try:
        tree = sqlglot.parse_one(expression, dialect="duckdb")
        checker = _Checker(fields)
        kind = checker.kind(tree)
        text = tree.sql(dialect="duckdb", identify=True, comments=False)
    except (SqlglotError, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else "nested too deeply"
        raise _Refused(f"表达式无法解析:{reason}", f"cannot be parsed: {reason}") from None
    if kind not in ("bool", "null"):
        raise _Refused(f"结果须为布尔值,而不是 {kind}", f"the result must be true or false, not {kind}")
    if not checker.columns:
        raise _Refused("没有引用任何字段", "reads no column")
    if checker.may_fail:
        text = f"TRY({text})"
    return text, tuple(f.name for f in fields if f.name in checker.columns)


class _Checker:
    """Walks a parsed expression once: refuses what is not permitted, gives each part its kind."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = {f.name.casefold(): f for f in fields}
        self.columns: set[str] = set()
        self.may_fail = False
        self._special: dict[str, tuple[frozenset[str], Callable[[Any], _Kind]]] = {
            "Column": (frozenset({"this"}), self._column),
            "Literal": (frozenset({"this", "is_string"}), self._literal),
            "Boolean": (frozenset({"this"}), lambda _: "bool"),
            "Null": (frozenset(), lambda _: "null"),
            "Paren": (frozenset({"this"}), lambda node: self.kind(node.this)),
            "Is": (frozenset({"this", "expression"}), self._is),
            "In": (frozenset({"this", "expressions"}), self._in),
            "Between": (frozenset({"this", "low", "high"}), self._between),
            "Add": (frozenset({"this", "expression", "typed", "safe"}), self._plus_minus),
            "Sub": (frozenset({"this", "expression", "typed", "safe"}), self._plus_minus),
            "Case": (frozenset({"this", "ifs", "default"}), self._case),
            "If": (frozenset({"this", "true", "false"}), self._if),
            "Coalesce": (frozenset({"this", "expressions", "is_nvl", "is_null"}), self._coalesce),
            "Nullif": (frozenset({"this", "expression"}), self._nullif),
            "DateDiff": (frozenset({"this", "expression", "unit", "date_part_boundary"}), self._date_diff),
            "Cast": (frozenset({"this", "to"}), self._cast),
            "TryCast": (frozenset({"this", "to", "safe"}), self._cast),
        }

    def kind(self, node: Expr) -> _Kind:
        name = type(node).__name__
        if name in _COMPARISONS:
            self._only(node, frozenset({"this", "expression"}))
            self._alike(node, self.kind(node.this), self.kind(node.expression))
            return "bool"
        if name in _SIGNATURES:
            return self._by_signature(node, *_SIGNATURES[name])
        if name not in self._special:
            shown = _shown(node)
            raise _Refused(f"不允许使用 {shown}", f"{shown} is not permitted")
        allowed, handle = self._special[name]
        self._only(node, allowed)
        return handle(node)

    def _only(self, node: Expr, allowed: frozenset[str]) -> None:
        for name, value in node.args.items():
            if value not in (None, False, []) and name not in allowed:
                shown = _shown(node)
                raise _Refused(f"不允许使用 {shown}", f"{shown} is not permitted in this form ({name})")

    def _by_signature(self, node: Expr, parts: tuple[tuple[str, _Kind], ...], result: _Kind) -> _Kind:
        self._only(node, frozenset({name for name, _ in parts} | {"typed", "safe", "negate"}))
        self.may_fail |= type(node).__name__ in _MAY_FAIL
        for name, wanted in parts:
            part = node.args.get(name)
            if part is not None:
                self._wanted(node, self.kind(part), wanted)
        return result

    def _wanted(self, node: Expr, kind: _Kind, wanted: _Kind) -> None:
        accepted = {"text": _TEXTS, "number": ("int", "number"), "date": ("date", "date-text")}
        if kind != "null" and kind not in accepted.get(wanted, (wanted,)):
            shown = _shown(node)
            raise _Refused(
                f"{shown} 需要 {wanted} 类型,得到 {kind}", f"{shown} needs {wanted}, and was given {kind}"
            )

    def _alike(self, node: Expr, *kinds: _Kind) -> _Kind:
        """The kind that all have in common."""
        solid = [k for k in kinds if k != "null"]
        if not solid:
            return "null"
        for common, members in (
            (solid[0], (solid[0],)),
            ("number", ("int", "number")),
            ("text", _TEXTS),
            ("date", ("date", "date-text")),
            ("timestamp", ("timestamp", "moment-text")),
        ):
            if all(k in members for k in solid):
                return common
        shown = _shown(node)
        named = ", ".join(dict.fromkeys(solid))
        raise _Refused(f"{shown} 两侧类型不一致({named})", f"{shown} has parts of different kinds ({named})")

    def _column(self, node: Any) -> _Kind:
        name = str(node.name)
        found = self._fields.get(name.casefold())
        if found is None:
            raise _Refused(f"没有字段 {name}", f"there is no field {name}")
        node.this.set("this", found.name)
        self.columns.add(found.name)
        return _KINDS[found.type]

    def _literal(self, node: Any) -> _Kind:
        if not node.is_string:
            return "int" if str(node.this).isdigit() else "number"
        text = str(node.this)
        try:
            if len(text) == len("2020-01-31"):
                date.fromisoformat(text)
                return "date-text"
            return "moment-text" if datetime.fromisoformat(text).tzinfo else "text"
        except ValueError:
            return "text"

    def _is(self, node: Any) -> _Kind:
        if type(node.expression).__name__ == "Boolean":
            self._wanted(node, self.kind(node.this), "bool")
        elif type(node.expression).__name__ == "Null":
            self.kind(node.this)
        else:
            raise _Refused("is 之后只能是 null、true 或 false", "after IS only NULL, TRUE or FALSE")
        return "bool"

    def _in(self, node: Any) -> _Kind:
        self._alike(node, self.kind(node.this), *(self.kind(e) for e in node.expressions))
        if not node.expressions:
            raise _Refused("in 之后须为取值列表", "IN needs a list of values")
        return "bool"

    def _between(self, node: Any) -> _Kind:
        self._alike(node, *(self.kind(n) for n in (node.this, node.args["low"], node.args["high"])))
        return "bool"

    def _plus_minus(self, node: Any) -> _Kind:
        left = self.kind(node.this)
        if type(node.expression).__name__ == "Interval":
            self._wanted(node, left, "date")
            self._interval(node.expression)
            if left == "date-text":
                raise _Refused("请写 date '…' 加减时长", "write DATE '…' before adding an interval")
            return "date"
        self.may_fail = True
        right = self.kind(node.expression)
        self._wanted(node, left, "number")
        self._wanted(node, right, "number")
        return "int" if left == right == "int" else "number"

    def _interval(self, node: Any) -> None:
        self._only(node, frozenset({"this", "unit"}))
        count = str(getattr(node.this, "name", ""))
        if not (count.isdigit() and int(count) <= 10_000) or str(node.unit).upper() not in _UNITS:
            raise _Refused(
                "时长须为 interval 'N' day/week/month/year", "an interval is 'N' day, week, month or year"
            )

    def _case(self, node: Any) -> _Kind:
        tested = self.kind(node.this) if node.this is not None else "bool"
        results = []
        for branch in node.args["ifs"]:
            self._only(branch, frozenset({"this", "true"}))
            self._alike(node, tested, self.kind(branch.this))
            results.append(self.kind(branch.args["true"]))
        default = node.args.get("default")
        return self._alike(node, *results, self.kind(default) if default is not None else "null")

    def _if(self, node: Any) -> _Kind:
        self._wanted(node, self.kind(node.this), "bool")
        other = node.args.get("false")
        return self._alike(node, self.kind(node.args["true"]), self.kind(other) if other else "null")

    def _coalesce(self, node: Any) -> _Kind:
        return self._alike(node, self.kind(node.this), *(self.kind(e) for e in node.expressions))

    def _nullif(self, node: Any) -> _Kind:
        return self._alike(node, self.kind(node.this), self.kind(node.expression))

    def _date_diff(self, node: Any) -> _Kind:
        for part in (node.this, node.expression):
            self._wanted(node, self.kind(part), "date")
        if str(node.args.get("unit")).upper() not in _UNITS:
            raise _Refused("date_diff 的单位须为 day/week/month/year", "date_diff counts days to years")
        return "int"

    def _cast(self, node: Any) -> _Kind:
        kind = self.kind(node.this)
        target = node.args["to"].this.name
        if type(node).__name__ == "TryCast" and target in _TRY_CASTS and kind != "timestamp":
            return _TRY_CASTS[target]
        if target == "DATE" and kind in ("date", "date-text"):
            return "date"
        raise _Refused("请使用 try_cast(… as …) 转换", "convert with TRY_CAST(… AS …)")


def _shown(node: Expr) -> str:
    """The construct's name as its writer would know it."""
    name = type(node).__name__
    if name == "Anonymous":
        return str(getattr(node, "name", "")).upper()
    return _SYMBOLS.get(name, name.upper())
