"""The conformance test of catalogue entries (L-13): every rule that an entry fails, at any time.

Pure: what the rules need to know of the rest of the platform comes in as
:class:`Known`. ``error`` keeps an entry from being published; ``warning`` does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import Any, Final, Literal

from huitong.catalog.codes import is_code
from huitong.catalog.elements import Element, element_of
from huitong.catalog.model import CLASSES, COVERAGES, DISCLOSURES, FORMATS, METHODS, SHARE_TYPES, Entry
from huitong.catalog.sources import collected
from huitong.contracts.frequency import FREQUENCIES
from huitong.contracts.model import DOCUMENT_TYPE_FIELD, Contract
from huitong.errors import Problem
from huitong.open_access.publication_rules import open_check

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    rule: str
    zh: str
    en: str
    element: str = ""  # member of the entry
    item: str = ""  # field of the resource
    severity: Severity = "error"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def as_problem(self) -> Problem:
        where = {k: v for k, v in (("path", self.element), ("field", self.item)) if v}
        return Problem(self.rule, self.zh, self.en, where)


@dataclass(frozen=True, slots=True)
class Known:
    """What the rest of the platform knows: the resource's contract and its latest version, registered
    elements, which resource each element's source is, codes of all entries, registered units."""

    contract: Contract | None
    elements: Mapping[str, Element] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    units: frozenset[str] = frozenset()
    latest: int = 0


#: Mandatory elements: member → (rule, name). The six of GB/T 21063.3 and those of the guide (Q-19, L-07).
MANDATORY: Final[Mapping[str, tuple[str, str, str]]] = {
    "title": ("GB3-1", "信息资源名称", "resource title"),
    "abstract": ("GB3-3", "信息资源摘要", "abstract"),
    "contacts": ("GB3-4", "信息资源负责方", "point of contact"),
    "categories": ("GB3-6", "信息资源分类", "resource category"),
    "code": ("GB3-8", "信息资源标识符(代码)", "resource identifier (code)"),
    "metadata_id": ("GB3-10", "元数据标识符", "metadata identifier"),
    "class_path": ("G17-1", "信息资源分类(类、项、目、细目)", "class path"),
    "provider_name": ("G17-4", "信息资源提供方", "provider"),
    "provider": ("G17-5", "信息资源提供方代码", "provider code"),
    "format": ("G17-7", "信息资源格式", "format"),
    "share_type": ("G17-9.1", "共享类型", "share type"),
    "methods": ("G17-9.3", "共享方式", "sharing method"),
    "open": ("G17-10", "是否向社会开放", "openness"),
    "frequency": ("G17-11", "更新周期", "update frequency"),
    "disclosure": ("Q-42", "公开范围", "scope of disclosure"),
    "coverage": ("Q-45", "共享层级", "coverage level"),
}
#: Sub-elements that must be there when the compound element is (GB/T 21063.3): (member, parts, rule).
_PARTS: Final = (
    ("contacts", ("name",), "GB3-4.1"),
    ("metadata_contacts", ("name",), "GB3-11.1"),
    ("keywords", ("words",), "GB3-5.1"),
    ("categories", ("standard", "name", "code"), "GB3-6"),
    ("serves", ("code",), "Q-41"),
)
_DOMAINS: Final[Mapping[str, tuple[str, Any]]] = {
    "share_type": ("L-01", SHARE_TYPES),
    "frequency": ("Q-46", FREQUENCIES),
    "coverage": ("Q-45", COVERAGES),
    "disclosure": ("Q-42", DISCLOSURES),
    "format": ("G17-7", FORMATS),
}

#: GB 32100: what the state's establishment authority registers (courts and departments), and associations
#: with public functions, such as the lawyers' association of the catalogue; no enterprise.
PUBLIC_BODIES: Final = ("1", "5")

Rule = Callable[[Entry, Known], Iterator[Finding]]


def findings(entry: Entry, known: Known) -> list[Finding]:
    """Every failed rule of an entry, mandatory elements first."""
    return [one for rule in _RULES for one in rule(entry, known)]


def errors(entry: Entry, known: Known) -> list[Finding]:
    """Those that keep it from being published."""
    return [one for one in findings(entry, known) if one.severity == "error"]


def _mandatory(entry: Entry, _known: Known) -> Iterator[Finding]:
    for name, (rule, zh, en) in MANDATORY.items():
        value = getattr(entry, name)
        if name == "methods" and entry.share_type == "3":
            continue  # what is not shared has no way to be shared
        if value is None or value in ("", ()) or (isinstance(value, str) and not value.strip()):
            yield Finding(rule, f"必填元素“{zh}”为空", f"The mandatory element {en} is empty", name)
    for name, parts, rule in _PARTS:
        for place, one in enumerate(getattr(entry, name)):
            for part in parts:
                if not getattr(one, part):
                    zh, en = f"{name}[{place}] 缺少 {part}", f"{name}[{place}] has no {part}"
                    yield Finding(rule, zh, en, f"{name}[{place}].{part}")
    if entry.service is not None and not (entry.service.url and entry.service.type):
        yield Finding("GB3-9", "服务信息须有地址和类型", "A service has an address and a type", "service")


def _domains(entry: Entry, _known: Known) -> Iterator[Finding]:
    if entry.code and not is_code(entry.code):
        zh = f"代码 {entry.code} 不符合“分类码/顺序码”规则"
        yield Finding("G17-3", zh, f"The code {entry.code} is not class code / running number", "code")
    for name, (rule, domain) in _DOMAINS.items():
        value = getattr(entry, name)
        if value and value not in domain:
            yield Finding(rule, f"{name} 的值 {value} 不在值域内", f"{name} cannot be {value}", name)
    for method in entry.methods:
        if method not in METHODS:
            yield Finding("L-15", f"没有共享方式 {method}", f"There is no method {method}", "methods")
    for name in ("issued", "metadata_updated"):
        if (value := getattr(entry, name)) and not _is_day(value):
            yield Finding("GB3-2", f"{name} 不是日期", f"{name} is no day", name)
    for code in entry.related:
        if not is_code(code):
            zh, en = f"关联资源代码 {code} 无效", f"The related code {code} is not valid"
            yield Finding("G17-13", zh, en, "related")


def _class(entry: Entry, known: Known) -> Iterator[Finding]:
    """L-11: one of three classes; basic items of basic resources are unconditional."""
    if entry.kind and entry.class_path and entry.class_path[0] != CLASSES[entry.kind][0]:
        zh = f"代码属于{CLASSES[entry.kind][0]},分类路径为{entry.class_path[0]}"
        yield Finding("L-11", zh, "Code and class path name different classes", "class_path")
    if entry.kind == "1":
        if not entry.basic_items:
            yield Finding("L-11", "基础信息资源须列出基础信息项", "It lists no basic items", "basic_items")
        if entry.share_type == "3":
            zh = "基础信息资源不得整体不予共享"
            yield Finding("L-11", zh, "A basic resource cannot be withheld as a whole", "share_type")
    elif entry.basic_items:
        zh, en = "只有基础信息资源有基础信息项", "Only a basic resource has basic items"
        yield Finding("L-11", zh, en, "basic_items")
    names = {f.name for f in known.contract.fields} if known.contract else set()
    for name in entry.basic_items:
        if known.contract and name not in names:
            yield Finding("L-11", f"没有信息项 {name}", f"There is no item {name}", "basic_items", name)


def _sharing(entry: Entry, _known: Known) -> Iterator[Finding]:
    condition = entry.condition
    if entry.share_type == "2":
        if not entry.share_condition.strip():
            yield Finding(
                "G17-9.2", "有条件共享须填共享条件", "It needs a share condition", "share_condition"
            )
        said = {
            "to": bool(condition.to.strip()),
            "part": bool(condition.part.strip()),
            "masked": condition.masked is not None,
            "comparison_only": condition.comparison_only is not None,
        }
        for name, given in said.items():
            if not given:
                zh = f"有条件共享须说明 {name}(向谁、哪部分、是否脱敏、是否仅比对)"
                en = f"A conditional resource says to whom, which part, masked, comparison only: {name}"
                yield Finding("L-03", zh, en, f"condition.{name}")
    if entry.share_type == "3" and not entry.legal_basis.strip():
        zh, en = "不予共享须注明法律法规或政策依据", "What is not shared cites its legal basis"
        yield Finding("L-02", zh, en, "legal_basis")
    if entry.share_type == "3" and entry.methods:
        yield Finding("L-01", "不予共享的资源没有共享方式", "What is not shared has no method", "methods")
    if entry.share_type in ("1", "2") and not condition.use.strip():
        zh, en = "未填使用要求", "It says nothing of how the data must be used"
        yield Finding("L-07", zh, en, "condition.use", severity="warning")
    if entry.open and entry.share_type == "3":
        zh, en = "不予共享的资源不得向社会开放", "What is not shared cannot be open to the public"
        yield Finding("L-53", zh, en, "open")
    if entry.open and not entry.open_condition.strip():
        yield Finding(
            "G17-10", "向社会开放须填开放条件", "An open resource has a condition", "open_condition"
        )
    if entry.open and entry.disclosure and entry.disclosure != "public":
        zh, en = "向社会开放的资源,公开范围须为社会公开", "What is open is disclosed to the public"
        yield Finding("Q-42", zh, en, "disclosure")
    served = {"interface", "query"} & set(entry.methods)
    if served and entry.service is None:
        yield Finding("L-14", "以接口共享的资源须有服务信息", "It names no service interface", "service")


def _public(entry: Entry, known: Known) -> Iterator[Finding]:
    """Q-62: what is declared open but not yet fit to be public; its release is refused until it is."""
    if entry.open and known.contract is not None:
        for problem in open_check(replace(known.contract, open=f"1 {entry.open_condition}")):
            item = problem.where.get("field", "")
            yield Finding(problem.rule, problem.zh, problem.en, "open", item, severity="warning")


def _unit(entry: Entry, known: Known) -> Iterator[Finding]:
    """Q-39: case information of a court, or related information of a government department, and of nobody
    else. Q-40: the source unit is registered, and here with its role and contact."""
    if entry.provider and not entry.provider.startswith(PUBLIC_BODIES):
        zh = f"提供方 {entry.provider} 不是法院或政府部门,其资源不能登记"
        en = f"The provider {entry.provider} is neither a court nor a government department"
        yield Finding("Q-39", zh, en, "provider")
    if entry.provider and known.units and entry.provider not in known.units:
        zh = f"提供方 {entry.provider} 未登记"
        yield Finding("Q-40", zh, f"The provider {entry.provider} is not registered", "provider")
    own = [p for p in entry.contacts if p.code == entry.provider]
    if entry.contacts and not own:
        zh, en = "负责方须包括提供方", "The provider is among the points of contact"
        yield Finding("Q-40", zh, en, "contacts")
    for party in own:
        if not (party.role and party.contact):
            zh, en = "数源单位须有角色和联系方式", "The source unit has a role and a contact"
            yield Finding("Q-40", zh, en, "contacts")


def _items(entry: Entry, known: Known) -> Iterator[Finding]:
    """G17-8, Q-18, L-10, L-52, L-04, L-51: the items, which are the contract's fields."""
    contract = known.contract
    if contract is None:
        zh, en = f"资源 {entry.resource} 没有数据模型", f"The resource {entry.resource} has no contract"
        yield Finding("Q-18", zh, en, "resource")
        return
    if entry.edition and known.latest and entry.contract_version != known.latest:
        zh = f"数据模型已是第 {known.latest} 版,目录仍按第 {entry.contract_version} 版"
        en = f"The contract is at version {known.latest}, the entry at {entry.contract_version}"
        yield Finding("L-10", zh, en, "contract_version", severity="warning")
    for one in contract.fields:
        if not one.title:
            zh = f"信息项 {one.name} 没有中文名称"
            yield Finding("G17-8", zh, f"The item {one.name} has no Chinese name", "items", one.name)
        if element_of(contract.id, one, known.elements, entry.elements) is None:
            zh = f"信息项 {one.name} 没有已登记的数据元"
            yield Finding("L-52", zh, f"No data element is registered for {one.name}", "items", one.name)
    yield from _one_source(entry, contract, known)
    yield from _identified(entry, contract)


def _one_source(entry: Entry, contract: Contract, known: Known) -> Iterator[Finding]:
    for name, element in collected(entry, contract, known.elements).items():
        holder = known.sources.get(element, entry.resource)
        if holder != entry.resource and not entry.exceptions.get(name, "").strip():
            zh = f"信息项 {name} 已由资源 {holder} 权威采集(一数一源),须改为引用或登记例外"
            en = f"{name} has its authoritative source in {holder}: refer to it, or record an exception"
            yield Finding("L-04", zh, en, "items", name)


def _identified(entry: Entry, contract: Contract) -> Iterator[Finding]:
    """L-51: a resource about natural persons has name, document type and number."""
    numbers = [f for f in contract.fields if f.semantic == "citizen-id"]
    names = [f for f in contract.fields if f.mask == "name"]
    if not (numbers or names) or entry.exceptions.get("L-51", "").strip():
        return
    has = {
        "姓名 name": bool(names),
        "证件类型 document type": contract.field_named(DOCUMENT_TYPE_FIELD) is not None,
        "证件号码 document number": bool(numbers),
    }
    for missing in (name for name, there in has.items() if not there):
        zh = f"涉及自然人的资源缺少“{missing}”,或登记例外"
        en = f"A resource about persons lacks {missing}; or record an exception L-51"
        yield Finding("L-51", zh, en, "items")


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


_RULES: Final[tuple[Rule, ...]] = (_mandatory, _domains, _class, _sharing, _public, _unit, _items)
