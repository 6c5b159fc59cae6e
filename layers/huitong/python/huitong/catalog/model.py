"""A catalogue entry (目录条目): what a resource is, who holds it, how and by whom it may be had.

It has the twelve core elements of GB/T 21063.3-2007 and the thirteen of the
compilation guide of 2017 (Q-19, L-07), and what Q/BAAS 007 and the local rules
add (Q-41, Q-42, Q-45, L-03, L-15). Its items (信息项) are not kept here: they are
the fields of the contract at ``contract_version``, so that forms, rules,
exchanges and the catalogue have one definition of each (Q-18).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final, Literal, Self

from huitong.contracts.frequency import FREQUENCIES

ShareType = Literal["", "1", "2", "3"]

#: 共享类型 (L-01).
SHARE_TYPES: Final[Mapping[str, tuple[str, str]]] = {
    "1": ("无条件共享", "unconditional"),
    "2": ("有条件共享", "conditional"),
    "3": ("不予共享", "not shared"),
}
#: 共享方式, the five of L-15.
METHODS: Final[Mapping[str, tuple[str, str]]] = {
    "query": ("联机查询", "online query"),
    "interface": ("交换接口", "exchange interface"),
    "front_end": ("前置机共享", "front-end machine"),
    "bulk": ("批量下载", "bulk download"),
    "other": ("其他约定服务", "other agreed service"),
}
#: 共享层级 (Q-45), from near to wide.
COVERAGES: Final[Mapping[str, tuple[str, str]]] = {
    "city": ("市级", "city"),
    "province": ("省级", "province"),
    "nation": ("国家级", "nation"),
}
#: 公开范围 (Q-42): how far knowledge of the content may go.
DISCLOSURES: Final[Mapping[str, tuple[str, str]]] = {
    "parties": ("仅限指定单位", "named units only"),
    "government": ("政务部门内部", "government departments"),
    "public": ("社会公开", "the public"),
}
#: 信息资源格式分类 of the guide.
FORMATS: Final = ("电子文件", "电子表格", "数据库", "图形图像", "流媒体", "自描述格式", "服务接口")
#: 资源属性类 (L-11): the first digit of a code.
CLASSES: Final[Mapping[str, tuple[str, str]]] = {
    "1": ("基础信息资源", "basic"),
    "2": ("主题信息资源", "theme"),
    "3": ("部门信息资源", "department"),
}
UPDATES: Final = tuple(FREQUENCIES)


@dataclass(frozen=True, slots=True)
class Party:
    """负责方 and 元数据维护方: a unit, its address, and the contact of the source unit (Q-40)."""

    name: str
    code: str = ""  # unified social credit code
    address: str = ""
    role: str = ""
    contact: str = ""


@dataclass(frozen=True, slots=True)
class Keywords:
    """关键字说明: words, and the thesaurus they rest on."""

    words: tuple[str, ...]
    thesaurus: str = ""


@dataclass(frozen=True, slots=True)
class Category:
    """信息资源分类: the scheme, the class's name and its code."""

    standard: str
    name: str
    code: str


@dataclass(frozen=True, slots=True)
class Service:
    """服务信息."""

    url: str
    type: str


@dataclass(frozen=True, slots=True)
class Condition:
    """What a conditional resource is shared on (L-03): to whom, which part, masked, comparison only."""

    to: str = ""
    part: str = ""
    masked: bool | None = None
    comparison_only: bool | None = None
    use: str = ""  # 使用要求


@dataclass(frozen=True, slots=True)
class Served:
    """An item of Q/BAAS 003 (登记与公开事项) that the resource serves (Q-41)."""

    code: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. Days are ``2026-01-31``; empty text = not given.

    ``elements`` names the registered data element of a field where it is not
    the field's own name; ``references`` the resource from which a field's value
    is taken over; ``basic_items`` of a basic resource are unconditional (L-11);
    ``exceptions`` record why a rule does not hold (rule id, or a field's name
    for one number, one source).
    """

    resource: str
    code: str = ""  # 信息资源代码, 信息资源标识符
    title: str = ""
    abstract: str = ""
    provider: str = ""
    provider_name: str = ""
    contacts: tuple[Party, ...] = ()  # 信息资源负责方
    keywords: tuple[Keywords, ...] = ()
    categories: tuple[Category, ...] = ()
    class_path: tuple[str, ...] = ()  # names of 类, 项, 目, 细目
    online: tuple[str, ...] = ()
    service: Service | None = None
    metadata_id: str = ""
    metadata_contacts: tuple[Party, ...] = ()
    metadata_updated: str = ""
    format: str = ""
    format_types: tuple[str, ...] = ()
    share_type: ShareType = ""
    share_condition: str = ""
    condition: Condition = field(default_factory=Condition)
    legal_basis: str = ""
    methods: tuple[str, ...] = ()
    disclosure: str = ""
    open: bool | None = None
    open_condition: str = ""
    frequency: str = ""
    issued: str = ""  # 发布日期
    related: tuple[str, ...] = ()
    coverage: str = ""
    serves: tuple[Served, ...] = ()
    demands: tuple[str, ...] = ()  # needs that it answers, for the demand view
    elements: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, str] = field(default_factory=dict)
    basic_items: tuple[str, ...] = ()
    exceptions: Mapping[str, str] = field(default_factory=dict)
    contract_version: int = 0
    edition: int = 0  # how often this entry was published, counted by the platform

    @property
    def kind(self) -> str:
        """1 basic, 2 theme, 3 department: the first digit of the code; empty when it has none."""
        return self.code[:1] if self.code[:1] in CLASSES else ""

    def share_type_of(self, item: str) -> ShareType:
        """A basic item of a basic resource is unconditional, whatever the rest is (L-11)."""
        return "1" if self.kind == "1" and item in self.basic_items else self.share_type

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready, without what is empty: small enough for a register entry."""
        return {name: value for name, value in asdict(self).items() if not _empty(value)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        """The entry of :meth:`as_dict`. Unknown members raise TypeError: bodies are checked before."""
        kept = dict(raw)
        for name, kind in _LISTS.items():
            if name in kept:
                kept[name] = tuple(_made(kind, one) for one in kept[name])
        for name in _TEXTS:
            if name in kept:
                kept[name] = tuple(kept[name])
        if kept.get("service"):
            kept["service"] = Service(**kept["service"])
        if "condition" in kept:
            kept["condition"] = Condition(**kept["condition"])
        return cls(**kept)

    def with_content(self, content: Mapping[str, Any]) -> Self:
        """The entry with those members replaced that the content names; None takes a member away."""
        blank = {f.name for f in fields(Entry)}
        now = {k: v for k, v in self.as_dict().items() if k not in content}
        return type(self).from_dict(
            {**now, **{k: v for k, v in content.items() if k in blank and v is not None}}
        )

    def stamped(self, **changes: Any) -> Self:
        return replace(self, **changes)


#: What people may write; the rest the platform gives.
OWN: Final = frozenset(
    {
        "resource",
        "provider",
        "provider_name",
        "metadata_id",
        "metadata_updated",
        "issued",
        "contract_version",
        "edition",
    }
)
WRITABLE: Final = tuple(f.name for f in fields(Entry) if f.name not in OWN)

_LISTS: Final[Mapping[str, type]] = {
    "contacts": Party,
    "keywords": Keywords,
    "categories": Category,
    "metadata_contacts": Party,
    "serves": Served,
}
_TEXTS: Final = ("class_path", "online", "format_types", "methods", "related", "demands", "basic_items")


def _made(kind: type, raw: Mapping[str, Any]) -> Any:
    if kind is Keywords:
        return Keywords(tuple(raw["words"]), raw.get("thesaurus", ""))
    return kind(**raw)


def _empty(value: Any) -> bool:
    return value is None or value == "" or value == () or value == {} or (value == 0 and value is not False)
