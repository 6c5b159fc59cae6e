"""Open Data Contract Standard v3 YAML to a :class:`~huitong.contracts.model.Contract` (Q-20).

The standard's own fields come first; ``customProperties`` only say what it has no word for. docs/contracts.md
has the table of both.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from huitong.contracts.checks import Checks, read_checks, read_rules
from huitong.contracts.cleansing import check_maps, read_deduplicate, read_maps
from huitong.contracts.document import load
from huitong.contracts.fields import read_field
from huitong.contracts.frequency import FREQUENCIES, frequency_named
from huitong.contracts.model import STANDING, CodeMap, Contract, Field, Limits, Mode
from huitong.contracts.reading import Problems, custom, text
from huitong.contracts.shape import MAX_PROPERTIES, shaped
from huitong.errors import InvalidContract

if TYPE_CHECKING:
    from open_data_contract_standard.model import OpenDataContractStandard, SchemaObject

#: Folders of the staging bucket that hold other things, some of which are deleted after days.
_OTHERS: Final = frozenset({"contracts", "queries", "exports", "returned", "parts", "athena", "conflicts"})
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_UUID: Final = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_UNIT: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_LIMITS: Final = {
    "maxQuarantinedPercent": "max_quarantined_percent",
    "maxDeletedPercent": "max_deleted_percent",
    "maxUpdatedPercent": "max_updated_percent",
}
_WHOLE: Final = {
    "guardFloor": "guard_floor",
    "maxKeylessRows": "max_keyless_rows",
    "quarantineDays": "quarantine_days",
    "fanOutRows": "fan_out_rows",
}


@dataclass(frozen=True, slots=True)
class Parsed:
    """A contract, and the other names by which its resource may be asked for."""

    contract: Contract
    aliases: tuple[str, ...] = ()


def parse(document: str | bytes) -> Contract:
    """The contract in a document; version and field ids are 0, the provider may be empty.

    Raises InvalidContract with all problems at once, each with the path at which it stands.
    """
    return read(document).contract


def read(document: str | bytes) -> Parsed:
    """As :func:`parse`, with the aliases."""
    raw, found = load(document)
    problems = Problems(list(found))
    if raw:
        parsed = _read(shaped(raw, problems), problems)
        if not problems.found and parsed is not None:
            return parsed
    count = len(problems.found)
    raise InvalidContract(
        f"数据合同有 {count} 处问题", f"The contract has {count} problem(s)", problems=problems.found
    )


def table_name(id: str) -> str:
    """The SQL name of a resource: ``IN-01`` → ``in_01``."""
    name = re.sub(r"\W", "_", id.lower())
    return f"t_{name}" if name[:1].isdigit() else name


def _read(model: OpenDataContractStandard, problems: Problems) -> Parsed | None:
    schemas = model.schema_ or []
    if len(schemas) != 1:
        problems.add(
            "contract.schema",
            "schema",
            f"合同须恰有一个 schema 对象,现有 {len(schemas)} 个",
            f"a contract holds exactly one schema object, this one has {len(schemas)}",
            "每个资源单独一份合同",
            "write one contract for each resource",
        )
        return None
    schema = schemas[0]
    fields = _fields(schema, problems)
    rules = read_rules(schema, fields, "schema[0]", problems)
    settings = {**custom(model.customProperties), **custom(schema.customProperties)}
    id = _id(model, schema, problems)
    provider_name = (
        text(getattr(model.team, "name", "")) or text(settings.get("providerName")) or text(model.domain)
    )
    contract = Contract(
        id=id,
        version=0,
        title=text(model.name) or text(schema.businessName) or text(schema.name) or id,
        fields=fields,
        table=table_name(id),
        provider=_provider(settings, problems),
        provider_name=provider_name,
        resource_code=text(settings.get("resourceCode")),
        direction=cast(Literal["", "in", "out"], _one_of(settings, "direction", ("in", "out"), problems)),
        share_type=cast(Literal["", "1", "2", "3"], _share_type(settings, problems)),
        share_condition=text(settings.get("shareCondition")),
        share_method=text(settings.get("shareMethod")),
        open=text(settings.get("open")),
        frequency=_frequency(model, problems),
        mode=cast(Mode, _one_of(settings, "deliveryMode", ("full", "increment"), problems) or "full"),
        case_field=_field_of(settings, "caseField", fields, problems),
        case_register=cast(
            Literal["", "stage", "rulings"],
            _one_of(settings, "caseRegister", ("stage", "rulings"), problems),
        ),
        look_back_field=_field_of(settings, "lookBackField", fields, problems),
        publish_until=_publish_until(settings, fields, problems),
        correction_policy=cast(
            Literal["", "s3d", "s3c"], _one_of(settings, "correctionPolicy", ("s3d", "s3c"), problems)
        ),
        rules=rules,
        limits=_limits(settings, problems),
        code_maps=_maps(settings, fields, problems),
        deduplicate=read_deduplicate(settings, {f.name: f.type for f in fields}, problems),
        engine=cast(
            Literal["", "duckdb", "athena"], _one_of(settings, "engine", ("duckdb", "athena"), problems)
        ),
        athena_above_rows=_whole(settings, "athenaAboveRows", problems),
    )
    names = (id, contract.table, text(model.id), text(schema.name), text(schema.physicalName))
    return Parsed(contract, tuple(dict.fromkeys(n.casefold() for n in names if n)))


def _maps(settings: Mapping[str, Any], fields: tuple[Field, ...], problems: Problems) -> tuple[CodeMap, ...]:
    maps = read_maps(settings, problems)
    check_maps([(f.name, f.cleanse) for f in fields], maps, problems)
    return maps


def _fields(schema: SchemaObject, problems: Problems) -> tuple[Field, ...]:
    properties = schema.properties or []
    if not 1 <= len(properties) <= MAX_PROPERTIES:
        problems.add(
            "contract.properties",
            "schema[0].properties",
            f"字段数为 {len(properties)},须为 1 至 {MAX_PROPERTIES}",
            f"{len(properties)} fields; there must be 1 to {MAX_PROPERTIES}",
        )
        return ()
    fields: list[Field] = []
    positions: list[tuple[int, int]] = []
    partitions: list[tuple[int, int]] = []
    seen: dict[str, str] = {}
    for n, prop in enumerate(properties):
        path = f"schema[0].properties[{n}]"
        field = read_field(prop, path, problems)
        if field is None:
            continue
        if field.name.casefold() in seen:
            first = seen[field.name.casefold()]
            problems.add(
                "name.repeated",
                f"{path}.name",
                f"字段名 {field.name} 与 {first} 重复(不区分大小写)",
                f"the field name {field.name} repeats {first} (letter case does not count)",
            )
            continue
        seen[field.name.casefold()] = field.name
        if prop.primaryKey:
            positions.append((prop.primaryKeyPosition or -1, len(fields)))
        if prop.partitioned:
            partitions.append((prop.partitionKeyPosition or -1, len(fields)))
        fields.append(_with_checks(field, read_checks(prop, path, problems), path, problems))
    keys = _ordered(positions, "primaryKeyPosition", problems)
    if not keys:
        problems.add(
            "key.missing",
            "schema[0].properties",
            "没有主键",
            "there is no primary key",
            "在标识一条记录的字段上写 primaryKey: true",
            "write primaryKey: true at the fields that identify a row",
        )
    places = _ordered(partitions, "partitionKeyPosition", problems)
    for at in (*keys, *places):
        _identifying(fields[at], problems)
    return tuple(
        replace(f, key=keys.get(n, 0), partition=places.get(n, 0), required=f.required or n in keys)
        for n, f in enumerate(fields)
    )


def _with_checks(field: Field, checks: Checks, path: str, problems: Problems) -> Field:
    if checks.pattern and field.pattern and checks.pattern != field.pattern:
        problems.add(
            "pattern.two",
            f"{path}.quality",
            "字段有两个不同的正则表达式",
            "the field has two different patterns",
        )
    return replace(
        field,
        required=field.required or checks.required,
        unique=field.unique or checks.unique,
        codes=field.codes or checks.codes,
        pattern=field.pattern or checks.pattern,
    )


def _ordered(positions: list[tuple[int, int]], what: str, problems: Problems) -> dict[int, int]:
    """Index of the field → position from 1; those without a number follow in order of appearance."""
    numbered = [p for p, _ in positions if p > 0]
    if len(set(numbered)) < len(numbered):
        problems.add("key.position", "schema[0].properties", f"{what} 有重复", f"{what} is given twice")
    last = max(numbered, default=0)
    ranked = sorted(positions, key=lambda p: (p[0] if p[0] > 0 else last + 1, p[1]))
    return {index: n for n, (_, index) in enumerate(ranked, start=1)}


def _identifying(field: Field, problems: Problems) -> None:
    if field.type == "double":
        problems.add(
            "key.type",
            "schema[0].properties",
            f"{field.name} 为浮点数,不能作主键或分区",
            f"{field.name} is a floating-point number and cannot be a key or a partition",
        )


def _id(model: OpenDataContractStandard, schema: SchemaObject, problems: Problems) -> str:
    """The document's id where it can stand in a URL and means something, else the name of its schema."""
    own = text(model.id)
    if _ID.fullmatch(own) and not _UUID.fullmatch(own) and own.casefold() not in _OTHERS:
        return own
    for name in (text(schema.name), text(schema.physicalName)):
        if _ID.fullmatch(name) and name.casefold() not in _OTHERS:
            return name
    name = text(schema.name) or own
    if not name:
        problems.add(
            "contract.id",
            "id",
            "合同既无 id 也无 schema 名称",
            "the contract has neither an id nor a name of its schema",
        )
    return "r-" + hashlib.sha256(name.encode()).hexdigest()[:12]


def _provider(settings: Mapping[str, Any], problems: Problems) -> str:
    provider = text(settings.get("providerUscc"))
    if provider and not _UNIT.fullmatch(provider):
        problems.add(
            "provider.code",
            "customProperties.providerUscc",
            f"提供方代码 {provider!r} 有误",
            f"the provider's code {provider!r} is not one",
        )
    return provider


def _one_of(settings: Mapping[str, Any], key: str, allowed: tuple[str, ...], problems: Problems) -> str:
    value = text(settings.get(key)).lower()
    if value and value not in allowed:
        known = ", ".join(allowed)
        problems.add(
            "custom.value", f"customProperties.{key}", f"{key} 须为 {known} 之一", f"{key} is one of {known}"
        )
    return value


def _share_type(settings: Mapping[str, Any], problems: Problems) -> str:
    """``2`` or ``2 有条件共享``."""
    first = {"shareType": text(settings.get("shareType")).split(" ")[0]}
    return _one_of(first, "shareType", ("1", "2", "3"), problems)


def _frequency(model: OpenDataContractStandard, problems: Problems) -> str:
    for n, promise in enumerate(model.slaProperties or ()):
        if text(promise.property).lower() not in ("frequency", "fr", "updatefrequency"):
            continue
        name = frequency_named(text(promise.value), text(promise.unit))
        if not name:
            problems.add(
                "frequency.unknown",
                f"slaProperties[{n}]",
                f"未登记的更新周期 {text(promise.value)}",
                f"the frequency {text(promise.value)} is not registered",
                "可用:" + "、".join(f.zh for f in FREQUENCIES.values()),
                "known are " + ", ".join(FREQUENCIES),
            )
        return name
    return ""


def _field_of(settings: Mapping[str, Any], key: str, fields: tuple[Field, ...], problems: Problems) -> str:
    name = text(settings.get(key))
    if name and not any(f.name == name for f in fields):
        problems.add(
            "custom.value", f"customProperties.{key}", f"没有字段 {name}", f"there is no field {name}"
        )
    return name


def _publish_until(settings: Mapping[str, Any], fields: tuple[Field, ...], problems: Problems) -> str:
    """A field of dates, or that the register stands (S-32)."""
    if text(settings.get("publishUntil")) == STANDING:
        return STANDING
    name = _field_of(settings, "publishUntil", fields, problems)
    if name and not any(f.name == name and f.type == "date" for f in fields):
        problems.add(
            "custom.value",
            "customProperties.publishUntil",
            f"{name} 须为日期字段",
            f"{name} must be a field of dates",
        )
    return name


def _limits(settings: Mapping[str, Any], problems: Problems) -> Limits:
    values: dict[str, Any] = {}
    for key, name in _LIMITS.items():
        written = text(settings.get(key))
        if not written:
            continue
        percent = _percent(written)
        if percent is None:
            problems.add(
                "limit.range", f"customProperties.{key}", f"{key} 须为 0 至 100", f"{key} must be 0 to 100"
            )
        else:
            values[name] = percent
    for key, name in _WHOLE.items():
        if text(settings.get(key)):
            values[name] = _whole(settings, key, problems)
    return Limits(**values)


def _whole(settings: Mapping[str, Any], key: str, problems: Problems) -> int:
    """A whole number; 0 where there is none, or a wrong one."""
    whole = text(settings.get(key))
    if whole and not (whole.isdecimal() and len(whole) < 10):
        where = f"customProperties.{key}"
        problems.add("limit.range", where, f"{key} 须为非负整数", f"{key} is a whole number")
        return 0
    return int(whole or 0)


def _percent(written: str) -> float | None:
    try:
        value = float(written)
    except ValueError:
        return None
    return value if 0 <= value <= 100 else None
