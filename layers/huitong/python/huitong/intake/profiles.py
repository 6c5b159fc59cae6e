"""Import profiles: how the files of one unit for one resource are read (Q-12, Q-13, Q-14).

Saved once for (unit, resource); every later delivery is read by it without
naming it, as long as its name is :data:`DEFAULT`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal, Self, get_args

from huitong.audit.trace import Trace, Traces, commit_with
from huitong.contracts.model import Contract, Mode
from huitong.errors import BadRequest, Conflict, NotFound, Problem
from huitong.intake.layout import Layout
from huitong.ports import Item, Register

DEFAULT: Final = "default"
ALL: Final = "*"  # as a key of date_formats: every date and timestamp field
Trim = Literal["none", "all", "fields"]
Operation = Literal["upsert", "delete"]

_NAME: Final = re.compile(r"[A-Za-z0-9\u4e00-\u9fff][A-Za-z0-9_.\u4e00-\u9fff-]{0,63}")


@dataclass(frozen=True, slots=True)
class ImportProfile:
    """``columns`` maps a column of the file to a field of the contract; what it leaves out is matched by
    name or title. ``operations`` maps values of ``operation_column`` to "upsert" or "delete"."""

    unit: str
    resource: str
    name: str = DEFAULT
    mode: Literal["", "full", "increment", "deletion"] = ""
    layout: Layout = field(default_factory=Layout)
    columns: Mapping[str, str] = field(default_factory=dict)
    trim: Trim = "none"
    trim_fields: tuple[str, ...] = ()
    defaults: Mapping[str, str] = field(default_factory=dict)
    null_markers: tuple[str, ...] = ()
    date_formats: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    operation_column: str = ""
    operations: Mapping[str, Operation] = field(default_factory=dict)
    version: int = 0  # counts its changes; given by the register

    @classmethod
    def read(cls, unit: str, resource: str, raw: Mapping[str, Any]) -> Self:
        """A profile from JSON. Raises BadRequest with every problem at once.

        Options of the layout (``encoding``, ``sheet`` …) stand beside the others.
        """
        of_layout = {f.name for f in fields(Layout)}
        own = {f.name for f in fields(cls)} - {"unit", "resource", "layout", "version"}
        layout_raw = {**_mapping(raw.get("layout")), **{k: v for k, v in raw.items() if k in of_layout}}
        layout, problems = Layout.read(layout_raw, "")
        unknown = sorted(set(raw) - own - of_layout - {"layout", "unit", "resource", "version"})
        problems += [_wrong(n, f"没有名为 {n} 的设置", f"There is no setting {n}") for n in unknown]
        for name in ("columns", "defaults", "date_formats", "operations"):
            if not isinstance(raw.get(name, {}), Mapping):
                problems.append(_wrong(name, f"{name} 应为对象", f"{name} must be an object"))
        for name in ("trim_fields", "null_markers"):
            if not _is_list(raw.get(name, ())):
                problems.append(_wrong(name, f"{name} 应为文本列表", f"{name} must be a list of texts"))
        profile = cls(
            unit=unit,
            resource=resource,
            name=str(raw.get("name") or DEFAULT),
            mode=raw.get("mode") or "",
            layout=layout,
            columns=_texts(raw.get("columns")),
            trim=raw.get("trim") or ("fields" if raw.get("trim_fields") else "none"),
            trim_fields=_list(raw.get("trim_fields")),
            defaults=_texts(raw.get("defaults")),
            null_markers=_list(raw.get("null_markers")),
            date_formats={
                k: (v,) if isinstance(v, str) else _list(v)
                for k, v in _mapping(raw.get("date_formats")).items()
            },
            operation_column=str(raw.get("operation_column") or ""),
            operations=_mapping(raw.get("operations")),
        )
        problems += profile.problems()
        if problems:
            raise BadRequest(
                f"导入方案有 {len(problems)} 处错误",
                f"The import profile has {len(problems)} problem(s)",
                problems=problems,
            )
        return profile

    def problems(self) -> list[Problem]:
        """What is wrong with the profile as such, whatever the contract says."""
        found: list[Problem] = []
        if not _NAME.fullmatch(self.name):
            found.append(
                _wrong(
                    "name",
                    "方案名称应为 1 至 64 个字母、数字、汉字、点、横线或下划线",
                    "A profile's name has 1 to 64 letters, digits, dots, dashes or underscores",
                )
            )
        if self.mode not in ("", *get_args(Mode)):
            found.append(
                _wrong("mode", "mode 应为 full、increment 或 deletion", "mode is full, increment or deletion")
            )
        if self.trim not in get_args(Trim):
            found.append(_wrong("trim", "trim 应为 none、all 或 fields", "trim is none, all or fields"))
        if self.trim == "fields" and not self.trim_fields:
            found.append(
                _wrong("trim_fields", "trim 为 fields 时须列出字段", "trim fields needs trim_fields")
            )
        targets = list(self.columns.values())
        for target in sorted({t for t in targets if targets.count(t) > 1}):
            found.append(
                _wrong(
                    "columns", f"有多列映射到字段 {target}", f"Several columns are mapped to field {target}"
                )
            )
        for value, operation in self.operations.items():
            if operation not in get_args(Operation):
                found.append(
                    _wrong(
                        "operations",
                        f"操作值 {value} 只能映射为 upsert 或 delete",
                        f"Operation value {value} can only mean upsert or delete",
                    )
                )
        if self.operations and not self.operation_column:
            found.append(
                _wrong(
                    "operation_column", "已给出操作值,但未给出操作列", "operations need an operation_column"
                )
            )
        if self.operation_column and self.mode in ("full", "deletion"):
            found.append(
                _wrong(
                    "operation_column",
                    "操作列只用于增量(increment)",
                    "An operation column belongs to mode increment",
                )
            )
        found += [
            _wrong(
                "date_formats",
                f"日期格式 {text} 无法使用:须含 %Y、%m、%d,不含时区",
                f"Date format {text} cannot be used: it needs %Y, %m and %d, and no zone",
            )
            for formats in self.date_formats.values()
            for text in formats
            if not all(part in text for part in ("%Y", "%m", "%d")) or "%z" in text.lower()
        ]
        return found

    def problems_with(self, contract: Contract) -> list[Problem]:
        """Fields that the profile names and the contract lacks."""
        named = {
            "columns": self.columns.values(),
            "trim_fields": self.trim_fields,
            "defaults": self.defaults,
            "date_formats": [f for f in self.date_formats if f != ALL],
        }
        return [
            _wrong(
                setting,
                f"资源 {contract.id} 没有字段 {name}",
                f"Resource {contract.id} has no field {name}",
            )
            for setting, names in named.items()
            for name in names
            if contract.field_named(name) is None
        ]

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        raw = dict(body)
        raw["layout"] = Layout(**raw["layout"])
        raw["trim_fields"] = tuple(raw["trim_fields"])
        raw["null_markers"] = tuple(raw["null_markers"])
        raw["date_formats"] = {k: tuple(v) for k, v in raw["date_formats"].items()}
        return cls(**raw)


class Profiles:
    """Import profiles in the register."""

    def __init__(self, register: Register, traces: Traces | None = None) -> None:
        self._register = register
        self._traces = traces

    def save(
        self, profile: ImportProfile, contract: Contract | None = None, *, by: str = ""
    ) -> ImportProfile:
        """Store a profile, or change the stored one (Q-14).

        ``profile.version`` is 0 to write over whatever is stored, or the
        version that was read. Raises BadRequest with all problems, Conflict
        when another change came between.
        """
        problems = profile.problems() + (profile.problems_with(contract) if contract else [])
        if problems:
            raise BadRequest(
                f"导入方案有 {len(problems)} 处错误",
                f"The import profile has {len(problems)} problem(s)",
                problems=problems,
            )
        pk, sk = _key(profile.unit, profile.resource, profile.name)
        stored = self._register.get(pk, sk)
        if profile.version and (stored is None or stored.version != profile.version):
            raise Conflict(
                f"导入方案 {profile.name} 已被他人更改",
                f"Import profile {profile.name} was changed by somebody else",
                profile=profile.name,
            )
        body = replace(profile, version=0).as_dict()
        told = Trace("configure", by, profile.unit, profile.resource, detail=f"profile:{profile.name}")
        commit_with(
            self._traces,
            told,
            self._register,
            creates=[] if stored else [Item(pk, sk, body)],
            replaces=[replace(stored, body=body)] if stored else [],
        )
        return replace(profile, version=(stored.version if stored else 0) + 1)

    def find(self, unit: str, resource: str, name: str = DEFAULT) -> ImportProfile | None:
        item = self._register.get(*_key(unit, resource, name))
        return _read(item) if item else None

    def get(self, unit: str, resource: str, name: str = DEFAULT) -> ImportProfile:
        """Raises NotFound."""
        found = self.find(unit, resource, name)
        if found is None:
            raise NotFound(
                f"没有导入方案 {name}(资源 {resource})",
                f"There is no import profile {name} of resource {resource}",
                profile=name,
                resource=resource,
            )
        return found

    def list(self, unit: str, resource: str = "") -> Sequence[ImportProfile]:
        prefix = f"{resource}#" if resource else ""
        return [_read(item) for item in self._register.query(f"PROFILE#{unit}", prefix=prefix)]


def _key(unit: str, resource: str, name: str) -> tuple[str, str]:
    return f"PROFILE#{unit}", f"{resource}#{name}"


def _read(item: Item) -> ImportProfile:
    return replace(ImportProfile.from_dict(item.body), version=item.version)


def _wrong(setting: str, zh: str, en: str) -> Problem:
    return Problem(f"profile.{setting}", zh, en, {"field": setting})


def _mapping(value: Any) -> dict[str, Any]:
    return {str(k): v for k, v in value.items()} if isinstance(value, Mapping) else {}


def _texts(value: Any) -> dict[str, str]:
    return {k: str(v) for k, v in _mapping(value).items()}


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)


def _list(value: Any) -> tuple[str, ...]:
    return tuple(str(v) for v in value) if _is_list(value) else ()
