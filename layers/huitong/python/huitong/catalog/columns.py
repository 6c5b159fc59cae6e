"""The catalogue's workbook: which column holds which element, and how a compound one is written in a cell.

Several values stand on several lines, the parts of one between ``|``; a
backslash takes its meaning from either and from itself. An empty cell says
nothing; ``-`` takes the element away.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from huitong.catalog.model import CLASSES, COVERAGES, DISCLOSURES, FORMATS, METHODS, SHARE_TYPES
from huitong.contracts.frequency import FREQUENCIES, frequency_named

NOTHING: Final = "-"


class Unfit(ValueError):
    """A cell that cannot be read: texts in Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True)
class Column:
    """``path`` is the member of the entry, ``condition.to`` one of a compound member."""

    path: str
    zh: str
    en: str
    read: Callable[[str], Any]
    write: Callable[[Any], str]
    note: str = ""
    mandatory: bool = False

    @property
    def heading(self) -> str:
        return f"{self.zh} {self.en}"


def _text(path: str, zh: str, en: str, note: str = "", mandatory: bool = False) -> Column:
    return Column(path, zh, en, lambda text: text, str, note, mandatory)


def _lines(path: str, zh: str, en: str, note: str = "", mandatory: bool = False) -> Column:
    def read(text: str) -> list[str]:
        return [_plain(line) for line in _broken(text, "\n")]

    return Column(path, zh, en, read, lambda v: "\n".join(_escaped(o) for o in v), note, mandatory)


def _parts(path: str, zh: str, en: str, names: tuple[str, ...], note: str, mandatory: bool = False) -> Column:
    def read(text: str) -> list[dict[str, Any]]:
        return [_named(line, names) for line in _broken(text, "\n")]

    def write(value: Any) -> str:
        return "\n".join(_joined([one.get(name, "") for name in names]) for one in value)

    return Column(path, zh, en, read, write, note, mandatory)


def _choice(path: str, zh: str, en: str, known: Mapping[str, Any], mandatory: bool = True) -> Column:
    words = {code: (names[0] if isinstance(names, tuple) else names) for code, names in known.items()}

    def read(text: str) -> str:
        word = text.split()[0] if text.split() else ""
        for code, name in words.items():
            if word.lower() in (code, name) or text == name:
                return code
        allowed = "、".join(f"{c} {n}" for c, n in words.items())
        raise Unfit(f"须为:{allowed}", f"must be one of: {', '.join(words)}")

    note = "; ".join(f"{c} {n}" for c, n in words.items())

    def write(value: Any) -> str:
        return " ".join(dict.fromkeys((str(value), words.get(value, str(value)))))

    return Column(path, zh, en, read, write, note, mandatory)


def _flag(path: str, zh: str, en: str, mandatory: bool = False) -> Column:
    words = {
        "是": True,
        "1": True,
        "yes": True,
        "true": True,
        "否": False,
        "0": False,
        "no": False,
        "false": False,
    }

    def read(text: str) -> bool:
        if text.lower() not in words:
            raise Unfit("须为“是”或“否”", "must be yes or no")
        return words[text.lower()]

    return Column(path, zh, en, read, lambda v: "是" if v else "否", "是/否", mandatory)


def _pairs(path: str, zh: str, en: str, note: str) -> Column:
    def read(text: str) -> dict[str, str]:
        made = {}
        for line in _broken(text, "\n"):
            name, *rest = _pieces(line)
            if len(rest) != 1 or not name:
                raise Unfit("每行须为“名称|值”", "each line is name|value")
            made[name] = rest[0]
        return made

    return Column(path, zh, en, read, lambda v: "\n".join(_joined([k, o]) for k, o in v.items()), note)


def _service(text: str) -> dict[str, Any]:
    return _named(text, ("url", "type"))


def _methods(text: str) -> list[str]:
    read = _choice("methods", "", "", METHODS).read
    return [read(line) for line in _broken(text, "\n")]


def _keywords(text: str) -> list[dict[str, Any]]:
    made = []
    for line in _broken(text, "\n"):
        words, *rest = _pieces(line)
        kept = [w for w in words.replace(",", "、").split("、") if w]
        made.append({"words": kept, **({"thesaurus": rest[0]} if rest else {})})
    return made


def _frequency(text: str) -> str:
    found = frequency_named(text.split()[0] if text.split() else "")
    if not found:
        known = "、".join(f.zh for f in FREQUENCIES.values())
        raise Unfit(f"须为:{known}", f"must be one of: {', '.join(FREQUENCIES)}")
    return found


_PARTY: Final = ("name", "code", "address", "role", "contact")
_PARTY_NOTE: Final = "单位名称|统一社会信用代码|地址|角色|联系方式,每行一个"

COLUMNS: Final[tuple[Column, ...]] = (
    _text("resource", "资源编号", "resource", "数据模型的编号", True),
    _text("code", "信息资源代码", "code", "分类码/顺序码", True),
    _text("title", "信息资源名称", "title", "", True),
    _text("abstract", "信息资源摘要", "abstract", "", True),
    _parts("contacts", "信息资源负责方", "points of contact", _PARTY, _PARTY_NOTE, True),
    Column("keywords", "关键字说明", "keywords", _keywords,
           lambda v: "\n".join(_joined(["、".join(o["words"]), o.get("thesaurus", "")]) for o in v),
           "关键字、关键字|词典名称"),
    _parts("categories", "信息资源分类", "categories", ("standard", "name", "code"),
           "分类方式|类目名称|类目编码", True),
    _lines("class_path", "类项目细目", "class path", "每行一级", True),
    _lines("online", "在线链接", "online"),
    Column("service", "服务信息", "service", _service, lambda v: _joined([v["url"], v["type"]]), "地址|类型"),
    _parts("metadata_contacts", "元数据维护方", "metadata contacts", _PARTY, _PARTY_NOTE),
    _choice("format", "信息资源格式", "format", {f: f for f in FORMATS}),
    _lines("format_types", "格式类型", "format types"),
    _choice("share_type", "共享类型", "share type", SHARE_TYPES),
    _text("share_condition", "共享条件", "share condition"),
    _text("condition.to", "共享对象", "shared with"),
    _text("condition.part", "共享范围", "part shared"),
    _flag("condition.masked", "是否脱敏", "masked"),
    _flag("condition.comparison_only", "是否仅比对", "comparison only"),
    _text("condition.use", "使用要求", "use requirements"),
    _text("legal_basis", "不予共享依据", "legal basis"),
    Column("methods", "共享方式", "methods", _methods,
           lambda v: "\n".join(f"{m} {METHODS[m][0] if m in METHODS else ''}".strip() for m in v),
           "; ".join(f"{c} {n[0]}" for c, n in METHODS.items()) + ",每行一个", True),
    _choice("disclosure", "公开范围", "scope of disclosure", DISCLOSURES),
    _flag("open", "是否向社会开放", "open", True),
    _text("open_condition", "开放条件", "open condition"),
    Column("frequency", "更新周期", "update frequency", _frequency,
           lambda v: FREQUENCIES[v].zh if v in FREQUENCIES else v,
           "、".join(f.zh for f in FREQUENCIES.values()), True),
    _lines("related", "关联资源代码", "related codes", "每行一个"),
    _choice("coverage", "共享层级", "coverage", COVERAGES),
    _parts("serves", "登记公开事项", "items of Q/BAAS 003", ("code", "name"), "编码|名称,每行一个"),
    _lines("demands", "需求", "demands", "每行一个"),
    _lines("basic_items", "基础信息项", "basic items", "字段名,每行一个"),
    _pairs("elements", "数据元", "data elements", "字段|数据元"),
    _pairs("references", "引用项", "items taken over", "字段|来源资源"),
    _pairs("exceptions", "例外", "exceptions", "字段或规则|理由"),
)  # fmt: skip

#: Kept with the classes for the guide sheet.
CLASS_NOTE: Final = "; ".join(f"{c} {n[0]}" for c, n in CLASSES.items())


def cell(entry: Mapping[str, Any], column: Column) -> str:
    """What a column's cell says of an entry (:meth:`Entry.as_dict`)."""
    value: Any = entry
    for name in column.path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return "" if value is None or value == "" or value in ([], (), {}) else column.write(value)


def content_of(cells: Mapping[str, str]) -> tuple[dict[str, Any], list[tuple[Column, Unfit]]]:
    """The content that a row says (path → text), and the cells that cannot be read."""
    made: dict[str, Any] = {}
    faults = []
    for column in COLUMNS:
        text = cells.get(column.path, "").strip()
        if not text or column.path == "resource":
            continue
        outer, _, inner = column.path.partition(".")
        try:
            value = None if text == NOTHING else column.read(text)
        except Unfit as fault:
            faults.append((column, fault))
            continue
        if inner:
            made.setdefault(outer, {})[inner] = value if value is not None else _BLANK.get(inner, "")
        else:
            made[outer] = value
    return made, faults


_BLANK: Final[Mapping[str, Any]] = {"masked": None, "comparison_only": None}


def _named(line: str, names: tuple[str, ...]) -> dict[str, Any]:
    pieces = _pieces(line)
    if len(pieces) > len(names):
        parts = "|".join(names)
        raise Unfit(f"最多 {len(names)} 段:{parts}", f"at most {len(names)} parts: {parts}")
    return {name: piece for name, piece in zip(names, pieces, strict=False) if piece or name == names[0]}


def _broken(text: str, at: str) -> list[str]:
    """At each ``at`` that no backslash stands before, empty ones left out; backslashes are kept."""
    found, piece, place = [], "", 0
    while place < len(text):
        if text[place] == "\\":
            piece += text[place : place + 2]
            place += 2
            continue
        if text[place] == at:
            found.append(piece)
            piece = ""
        else:
            piece += text[place]
        place += 1
    kept = [*found, piece]
    return [one for one in kept if one.strip()] if at == "\n" else kept


def _pieces(line: str) -> list[str]:
    return [_plain(one) for one in _broken(line, "|")]


def _joined(parts: list[Any]) -> str:
    texts = [_escaped(str(part)) for part in parts]
    while len(texts) > 1 and not texts[-1]:
        texts.pop()
    return "|".join(texts)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "\\\n")


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL).strip()
