"""One property of an ODCS schema as a :class:`huitong.contracts.model.Field`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

from huitong.contracts.bounds import Bounds, is_value, read_bounds, unfit
from huitong.contracts.cleansing import read_steps
from huitong.contracts.field_types import Typed, typed
from huitong.contracts.formats import has_time, to_strptime
from huitong.contracts.model import KNOWN_SEMANTICS, Field, FieldType, Mask
from huitong.contracts.patterns import to_re2
from huitong.contracts.reading import Problems, custom, text, words

if TYPE_CHECKING:
    from open_data_contract_standard.model import SchemaProperty

_NAME: Final = re.compile(r"[^\W\d_]\w{0,127}")
_NESTED: Final = frozenset({"object", "array", "map", "vector"})
_SEMANTIC_PREFIX: Final = "huitong:"
#: Meanings that can stand on something else than text.
_TYPED_SEMANTICS: Final[dict[str, tuple[FieldType, ...]]] = {
    "amount": ("string", "decimal", "double", "integer"),
    "year": ("string", "integer"),
    "date": ("string", "date"),
    "timestamp": ("string", "timestamp"),
}
_TIME_OF_DAY: Final = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,6})?)?"
_LEVELS: Final = {
    **{level: level for level in ("L1", "L2", "L3", "L4")},
    **{"1": "L1", "2": "L2", "3": "L3", "4": "L4", "5": "L4"},
    **{"PUBLIC": "L1", "INTERNAL": "L2", "PRIVATE": "L3", "SENSITIVE": "L3", "CONFIDENTIAL": "L3"},
    **{"PERSONAL": "L4", "PII": "L4", "RESTRICTED": "L4", "SECRET": "L4"},
    **{"公开": "L1", "内部": "L2", "敏感": "L3", "高敏感": "L4"},
}
_MASKS: Final = frozenset(get_args(Mask))


def read_field(prop: SchemaProperty, path: str, problems: Problems) -> Field | None:
    """The field, or None when it can be none at all; every fault is added to ``problems``."""
    name = _name(prop, path, problems)
    extra = custom(prop.customProperties)
    options = prop.logicalTypeOptions or {}
    nested = text(prop.logicalType).lower() in _NESTED or prop.properties or prop.items or prop.map
    if nested:
        _nested(path, problems)
        return None
    kind = _typed(prop, options, extra, path, problems)
    formats, type_ = _formats(kind.type, options, extra, path, problems)
    if not name:
        return None
    bounds = read_bounds(options, type_, kind.digits, f"{path}.logicalTypeOptions", problems)
    shortest, longest = _lengths(kind, type_, options, path, problems)
    return Field(
        name=name,
        title=text(prop.businessName) or (text(prop.name) if text(prop.name) != name else ""),
        type=type_,
        precision=kind.precision,
        scale=kind.scale,
        required=bool(prop.required),
        min_length=shortest,
        max_length=longest,
        minimum=bounds.minimum,
        maximum=bounds.maximum,
        exclusive_minimum=bounds.exclusive_minimum,
        exclusive_maximum=bounds.exclusive_maximum,
        pattern=_pattern(kind, type_, options, path, problems),
        codes=_codes(prop, type_, path, problems),
        semantic=_semantic(prop, type_, options, path, problems) or _money(kind, bounds),
        formats=formats,
        level=_level(prop, path, problems),
        mask=_mask(extra, path, problems),
        letter=kind.letter,
        refers_to=_refers_to(prop),
        unique=bool(prop.unique),
        subject=_subject(extra, path, problems),
        cleanse=read_steps(extra, path, problems),
    )


def is_column_name(name: str) -> bool:
    return bool(_NAME.fullmatch(name)) and unicodedata.is_normalized("NFC", name)


def _name(prop: SchemaProperty, path: str, problems: Problems) -> str:
    for candidate in (text(prop.name), text(prop.physicalName)):
        if is_column_name(candidate):
            return candidate
    name = text(prop.name) or text(prop.physicalName)
    if not name:
        problems.add("name.missing", f"{path}.name", "字段没有名称", "the field has no name")
        return ""
    problems.add(
        "name.unfit",
        f"{path}.name",
        f"字段名 {name!r} 不能作列名",
        f"{name!r} cannot be a column name",
        "以字母或汉字开头,只含字母、汉字、数字、下划线,至多 128 个字符;下划线开头的名称由平台保留",
        "begin with a letter; only letters, digits and underscores, at most 128 characters; names that begin "
        "with an underscore belong to the platform; or give a fit physicalName",
    )
    return ""


def _nested(path: str, problems: Problems) -> None:
    problems.add(
        "type.nested",
        path,
        "不支持嵌套字段",
        "nested fields cannot be delivered",
        "请将嵌套内容展开为各自的字段",
        "flatten what is nested into fields of its own",
    )


def _typed(
    prop: SchemaProperty, options: Mapping[str, Any], extra: Mapping[str, Any], path: str, problems: Problems
) -> Typed:
    precision = _whole({**extra, **options}, "precision", path, problems)
    scale = _whole({**extra, **options}, "scale", path, problems)
    step = text(options.get("multipleOf"))
    if scale is None and re.fullmatch(r"0?\.0*1", step):
        scale = len(step.partition(".")[2])
    kind = typed(text(prop.logicalType), text(prop.physicalType), precision=precision or 0, scale=scale)
    if kind.fault_en:
        where = "logicalType" if text(prop.logicalType) else "physicalType"
        problems.add(
            "type.unknown",
            f"{path}.{where}",
            kind.fault_zh,
            kind.fault_en,
            "可用类型:string、integer、number、boolean、date、timestamp、time",
            "types are string, integer, number, boolean, date, timestamp and time",
        )
    return kind


def _formats(
    type_: FieldType, options: Mapping[str, Any], extra: Mapping[str, Any], path: str, problems: Problems
) -> tuple[tuple[str, ...], FieldType]:
    """The accepted formats; a ``date`` whose format has hours is a timestamp (so before v3.1)."""
    own = [text(options.get("format"))] if type_ in ("date", "timestamp") else []
    formats: list[str] = []
    for written in (*own, *words(extra.get("dateFormats"))):
        known = to_strptime(written)
        if known is None:
            problems.add(
                "format.unknown",
                f"{path}.logicalTypeOptions.format",
                f"无法识别的日期格式 {written!r}",
                f"unknown date format {written!r}",
                "例如 yyyy/MM/dd 或 %Y/%m/%d",
                "such as yyyy/MM/dd or %Y/%m/%d",
            )
        elif known and known not in formats:
            formats.append(known)
    if type_ == "date" and any(has_time(f) for f in formats):
        return tuple(formats), "timestamp"
    return tuple(formats), type_


def _lengths(
    kind: Typed, type_: FieldType, options: Mapping[str, Any], path: str, problems: Problems
) -> tuple[int | None, int | None]:
    given = [key for key in ("minLength", "maxLength") if options.get(key) is not None]
    if given and type_ != "string":
        unfit(given[0], type_, f"{path}.logicalTypeOptions", problems)
        return None, None
    shortest = _whole(options, "minLength", f"{path}.logicalTypeOptions", problems)
    longest = _whole(options, "maxLength", f"{path}.logicalTypeOptions", problems)
    if longest is None and type_ == "string":
        longest = kind.length or None
    if shortest is not None and longest is not None and shortest > longest:
        problems.add(
            "bounds.order",
            f"{path}.logicalTypeOptions",
            f"最小长度 {shortest} 大于最大长度 {longest}",
            f"minLength {shortest} is above maxLength {longest}",
        )
    return shortest, longest


def _whole(options: Mapping[str, Any], key: str, path: str, problems: Problems) -> int | None:
    written = text(options.get(key))
    if not written:
        return None
    if written.isdecimal() and written.isascii() and len(written) < 10:
        return int(written)
    problems.add(
        "option.number", f"{path}.{key}", f"{key} 须为非负整数", f"{key} must be a whole number, 0 or more"
    )
    return None


def _pattern(kind: Typed, type_: FieldType, options: Mapping[str, Any], path: str, problems: Problems) -> str:
    written = text(options.get("pattern"))
    if not written:
        return _TIME_OF_DAY if kind.time_of_day else ""
    if type_ != "string":
        unfit("pattern", type_, f"{path}.logicalTypeOptions", problems)
        return ""
    pattern, fault = to_re2(written)
    if fault:
        problems.add(
            "pattern.unfit",
            f"{path}.logicalTypeOptions.pattern",
            f"正则表达式不可用:{fault}",
            f"the pattern cannot be used: {fault}",
            "须符合 RE2 语法,不支持环视与反向引用",
            "RE2 syntax, without lookaround and back references",
        )
    return pattern


def _codes(prop: SchemaProperty, type_: FieldType, path: str, problems: Problems) -> tuple[str, ...]:
    codes: dict[str, None] = {}
    for n, entry in enumerate(prop.enum or ()):
        value = text(entry.value)
        if not value or not is_value(value, type_):
            problems.add(
                "enum.value",
                f"{path}.enum[{n}]",
                f"代码 {value!r} 不是 {type_} 类型的值",
                f"the code {value!r} is not a value of {type_}",
            )
        elif value in codes:
            problems.add(
                "enum.repeated", f"{path}.enum[{n}]", f"代码 {value} 重复", f"the code {value} is repeated"
            )
        codes[value] = None
    return tuple(codes)


def _semantic(
    prop: SchemaProperty, type_: FieldType, options: Mapping[str, Any], path: str, problems: Problems
) -> str:
    """From ``semanticType``, else from a text's ``format``; a word that is not ours is no rule."""
    written = text(prop.semanticType)
    own = written.startswith(_SEMANTIC_PREFIX)
    meaning = written.removeprefix(_SEMANTIC_PREFIX)
    if own and meaning not in KNOWN_SEMANTICS:
        problems.add(
            "semantic.unknown",
            f"{path}.semanticType",
            f"未知的语义类型 {written}",
            f"unknown semantic type {written}",
            "可用:" + "、".join(KNOWN_SEMANTICS),
            "known are " + ", ".join(KNOWN_SEMANTICS),
        )
        return ""
    if meaning not in KNOWN_SEMANTICS:
        written = text(options.get("format")) if type_ not in ("date", "timestamp") else ""
        meaning = written.removeprefix(_SEMANTIC_PREFIX)
    if meaning not in KNOWN_SEMANTICS:
        return ""
    if type_ not in _TYPED_SEMANTICS.get(meaning, ("string",)):
        problems.add(
            "semantic.type",
            f"{path}.logicalType",
            f"{meaning} 须为文本,而不是 {type_}",
            f"{meaning} must be text, not {type_}",
            "改为 logicalType: string",
            "use logicalType: string",
        )
        return ""
    return meaning


def _money(kind: Typed, bounds: Bounds) -> str:
    """Money (letter Y) is an amount, unless a negative minimum allows corrections."""
    allows_corrections = (bounds.minimum or "").startswith("-")
    return "amount" if kind.letter == "Y" and kind.type == "decimal" and not allows_corrections else ""


def _level(prop: SchemaProperty, path: str, problems: Problems) -> str:
    written = text(prop.classification)
    level = _LEVELS.get(written.upper(), "")
    if written and not level:
        problems.add(
            "classification.unknown",
            f"{path}.classification",
            f"未知的敏感级别 {written}",
            f"unknown classification {written}",
            "可用:L1 公开、L2 内部、L3 敏感、L4 高敏感,或 public、internal、confidential、restricted",
            "known are L1 to L4, or public, internal, confidential, restricted",
        )
    return level


def _subject(extra: Mapping[str, Any], path: str, problems: Problems) -> Literal["", "yes", "no"]:
    """``subject: true`` on a number that identifies a person, ``false`` on one that does not after all."""
    written = text(extra.get("subject")).lower()
    if written in ("", "true", "false"):
        return "yes" if written == "true" else "no" if written else ""
    problems.add(
        "custom.value",
        f"{path}.customProperties.subject",
        "subject 须为 true 或 false",
        "subject is true or false",
    )
    return ""


def _mask(extra: Mapping[str, Any], path: str, problems: Problems) -> Mask:
    written = text(extra.get("mask"))
    if written in _MASKS:
        return cast(Mask, written)
    problems.add(
        "mask.unknown",
        f"{path}.customProperties",
        f"未知的脱敏方式 {written}",
        f"unknown mask {written}",
        advice_en="known are " + ", ".join(sorted(_MASKS - {""})),
    )
    return ""


def _refers_to(prop: SchemaProperty) -> str:
    for relationship in prop.relationships or ():
        to = relationship.to
        target = to[0] if isinstance(to, list) and to else to
        if target:
            return str(target)
    return ""
