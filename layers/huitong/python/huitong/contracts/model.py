"""A data contract as the platform uses it: plain values, quick to import.

Read from Open Data Contract Standard YAML by :mod:`huitong.contracts.odcs`,
stored as JSON in the register (:meth:`Contract.to_json`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal, Self

FieldType = Literal["string", "integer", "decimal", "double", "boolean", "date", "timestamp"]
Mode = Literal["full", "increment", "deletion"]
Mask = Literal["", "name", "id", "phone", "address", "account", "plate", "all"]

#: Fields at these levels (domain.md section 4) leave the platform masked unless a grant says otherwise.
MASKED_LEVELS = frozenset({"L3", "L4"})

#: What a value can mean beyond its type; :mod:`huitong.quality.semantics` has the rule of each.
KNOWN_SEMANTICS: Final = (
    "citizen-id",  # GB 11643 公民身份号码
    "uscc",  # GB 32100 统一社会信用代码
    "division",  # GB/T 2260 行政区划代码
    "sex",  # GB/T 2261.1 性别代码
    "marital",  # GB/T 2261.2 婚姻状况代码
    "employment",  # GB/T 2261.4 从业状况代码
    "case-number",  # 案号
    "document-number",  # 文书编号: a case number that may end in 之N
    "mobile",  # 手机号码
    "phone",  # mobile or landline
    "amount",  # money, not negative
    "month",  # YYYY-MM
    "year",  # YYYY
    "vin",  # 车辆识别代号
    "sm3-hex",  # 64 hexadecimal digits
    "licence17",  # 律师执业证号, 17 digits
    "unit28",  # 不动产单元号, 28 characters
    "date",
    "timestamp",
)

#: 证件类型: which document an identity number is of; and its code of the citizen's card (居民身份证).
DOCUMENT_TYPE_FIELD: Final = "id_type"
CITIZEN_CARD: Final = "111"

#: Of a public register without dates of publication, whose items end by being deleted (a roll of firms, say).
STANDING: Final = "standing"


@dataclass(frozen=True, slots=True)
class Field:
    """One data item (信息项) of a resource.

    ``semantic`` is one of :data:`KNOWN_SEMANTICS` or empty. The check of ``citizen-id`` does not apply to a
    row whose :data:`DOCUMENT_TYPE_FIELD` is given and is not :data:`CITIZEN_CARD`: the number is then that
    of another document. ``unique``: no two rows of a batch have the same value (empty ones aside).
    """

    name: str
    title: str = ""
    type: FieldType = "string"
    precision: int = 0
    scale: int = 0
    required: bool = False
    key: int = 0  # position in the primary key, from 1; 0 = not a key
    partition: int = 0  # position in the partition key, from 1; 0 = none
    min_length: int | None = None
    max_length: int | None = None
    minimum: str | None = None
    maximum: str | None = None
    exclusive_minimum: bool = False
    exclusive_maximum: bool = False
    pattern: str = ""
    codes: tuple[str, ...] = ()
    semantic: str = ""
    formats: tuple[str, ...] = ()  # extra date/timestamp formats (strptime) accepted
    level: str = ""  # L1 … L4, empty = L2
    mask: Mask = ""  # empty on a masked level = "all"
    letter: str = ""  # C N Y I D T L M of the catalogue guide
    refers_to: str = ""  # "IN-01.case_no"
    field_id: int = 0  # Iceberg column id in the current table, given at registration, never reused
    unique: bool = False
    subject: Literal["", "yes", "no"] = ""  # whether it identifies a person; empty = as its semantic says
    cleanse: tuple[str, ...] = ()  # steps of huitong.contracts.cleansing, in order

    @property
    def masked(self) -> bool:
        return self.level in MASKED_LEVELS


@dataclass(frozen=True, slots=True)
class RowRule:
    """A cross-field rule: a boolean SQL expression over typed columns that must not be false.

    ``columns`` are those it reads; ``expression`` is canonical DuckDB text that
    was checked by parsing at registration; null counts as passed.
    """

    id: str
    expression: str
    columns: tuple[str, ...]
    zh: str = ""
    en: str = ""
    severity: Literal["error", "warning"] = "error"


@dataclass(frozen=True, slots=True)
class Limits:
    """When a batch is rejected, and when an edition is held (percent of rows)."""

    max_quarantined_percent: float = (
        100.0  # above it the batch is rejected; no good row at all always rejects
    )
    max_deleted_percent: float = 30.0  # of current rows
    max_updated_percent: float = 60.0  # of current rows
    guard_floor: int = 20  # deletions/updates up to this number never hold a batch
    max_keyless_rows: int = 0  # with more rows without a good key a full edition deletes nothing unasked
    quarantine_days: int = 0  # how long bad rows are held; 0 = as batches.quarantine says
    fan_out_rows: int = 0  # from so many rows on a comparison is cut into parts; 0 = as the platform is set


@dataclass(frozen=True, slots=True)
class CodeMap:
    """A table of spellings for cleansing: ``pairs`` of what is delivered and what it becomes."""

    name: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Deduplicate:
    """Which of several rows with one key is taken: the first, or the one with the newest ``by``."""

    keep: Literal["", "first", "newest"] = ""  # empty = none of them: they conflict
    by: str = ""

    def __bool__(self) -> bool:
        return bool(self.keep)


@dataclass(frozen=True, slots=True)
class Contract:
    """A resource's registered format and rules (Q-20), one version of it."""

    id: str  # "IN-01", also the name in the API
    version: int
    title: str
    fields: tuple[Field, ...]
    table: str = ""  # SQL name, e.g. "in_01"
    provider: str = ""  # unified social credit code of the source unit
    provider_name: str = ""
    resource_code: str = ""  # "34440301/00001"
    direction: Literal["", "in", "out"] = ""
    share_type: Literal["", "1", "2", "3"] = ""
    share_condition: str = ""
    share_method: str = ""
    open: str = ""
    frequency: str = ""  # realtime daily weekly monthly quarterly yearly, or a registered extension
    mode: Mode = "full"  # what a delivery means when it does not say
    case_field: str = ""  # the field that names the case a row belongs to
    case_register: Literal["", "stage", "rulings"] = ""  # the court's resource that moves the case register
    look_back_field: str = ""  # the date to which the look-back period of a case applies
    publish_until: str = ""  # the field with the last day of publication; STANDING = rows stay until deleted
    correction_policy: Literal["", "s3d", "s3c"] = ""  # huitong.tickets.procedures.POLICIES
    rules: tuple[RowRule, ...] = ()
    limits: Limits = field(default_factory=Limits)
    code_maps: tuple[CodeMap, ...] = ()
    deduplicate: Deduplicate = field(default_factory=Deduplicate)
    engine: Literal["", "duckdb", "athena"] = ""  # where its queries and comparisons run; empty = by size
    athena_above_rows: int = 0  # rows above which on Athena (QUERY_ENGINE=auto); 0 = as configured
    document: str = ""  # key of the YAML text as it was registered

    @property
    def keys(self) -> tuple[Field, ...]:
        return tuple(sorted((f for f in self.fields if f.key), key=lambda f: f.key))

    @property
    def partitions(self) -> tuple[Field, ...]:
        return tuple(sorted((f for f in self.fields if f.partition), key=lambda f: f.partition))

    @property
    def subject_fields(self) -> tuple[Field, ...]:
        """Text fields that identify the persons a row is about: identity numbers, or as the contract says."""
        return tuple(
            f
            for f in self.fields
            if f.type == "string" and (f.subject == "yes" or (not f.subject and f.semantic == "citizen-id"))
        )

    def field_named(self, name: str) -> Field | None:
        return next((f for f in self.fields if f.name == name), None)

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        return cls.from_record(json.loads(text))

    def as_record(self) -> dict[str, Any]:
        """JSON-ready values without the defaults: small enough for a register entry."""
        return {
            **_without_defaults(self),
            "fields": [_without_defaults(f) for f in self.fields],
            "rules": [_without_defaults(r) for r in self.rules],
            "limits": _without_defaults(self.limits),
            **({"code_maps": [asdict(m) for m in self.code_maps]} if self.code_maps else {}),
            "deduplicate": _without_defaults(self.deduplicate),
        }

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Self:
        raw = dict(record)
        raw["fields"] = tuple(
            Field(**{**f, **{name: tuple(f.get(name, ())) for name in ("codes", "formats", "cleanse")}})
            for f in raw["fields"]
        )
        raw["rules"] = tuple(RowRule(**{**r, "columns": tuple(r["columns"])}) for r in raw["rules"])
        raw["limits"] = Limits(**raw["limits"])
        raw["code_maps"] = tuple(
            CodeMap(m["name"], tuple((k, v) for k, v in m["pairs"])) for m in raw.get("code_maps", ())
        )
        raw["deduplicate"] = Deduplicate(**raw.get("deduplicate", {}))
        return cls(**raw)

    def at_version(self, version: int, fields: tuple[Field, ...], document: str) -> Self:
        return replace(self, version=version, fields=fields, document=document)


def _without_defaults(value: Contract | Field | RowRule | Limits | Deduplicate) -> dict[str, Any]:
    return {f.name: v for f in fields(value) if (v := getattr(value, f.name)) != f.default}
