"""An entry with its items, as it is read, exported and compared. The items come from the contract (Q-18)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from huitong.catalog.elements import Element, element_of
from huitong.catalog.model import CLASSES, METHODS, Entry
from huitong.contracts.frequency import FREQUENCIES
from huitong.contracts.model import Contract, Field

#: Type letters of the guide by type, where the contract has none.
_LETTERS: Final = {
    "string": "C",
    "integer": "I",
    "decimal": "N",
    "double": "B",
    "boolean": "L",
    "date": "D",
    "timestamp": "T",
}


def document(entry: Entry, contract: Contract | None, known: Mapping[str, Element]) -> dict[str, Any]:
    """The whole entry; ``items`` is field name → definition."""
    items = {}
    for place, field in enumerate(contract.fields if contract else ()):
        items[field.name] = item(entry, field, known, place)
    return {**entry.as_dict(), "items": items}


def item(entry: Entry, field: Field, known: Mapping[str, Element], place: int) -> dict[str, Any]:
    """信息项: name, type with the guide's letter, length, and what sharing needs of it."""
    element = element_of(entry.resource, field, known, entry.elements)
    told: dict[str, Any] = {
        "place": place + 1,
        "title": field.title,
        "letter": field.letter or _LETTERS[field.type],
        "type": field.type,
        "length": field.max_length or field.precision,
        "scale": field.scale,
        "required": field.required,
        "key": field.key,
        "level": field.level,
        "mask": field.mask,
        "codes": list(field.codes),
        "semantic": field.semantic,
        "element": element.id if element else "",
        "source": entry.references.get(field.name, "") or field.refers_to.partition(".")[0],
        "share_type": entry.share_type_of(field.name) if entry.basic_items else "",
    }
    return {k: v for k, v in told.items() if v not in ("", 0, [], False) or k == "title"}


def header(shown: Mapping[str, Any]) -> dict[str, Any]:
    """What anybody signed in may know of a resource that is not shared (L-02): that it is, whose it is, and
    on which basis it is withheld; neither its items nor where it stands."""
    return {k: shown[k] for k in _HEADER if k in shown}


_HEADER: Final = (
    "resource", "code", "title", "provider", "provider_name", "class_path", "categories", "share_type",
    "legal_basis", "frequency", "issued", "edition", "coverage", "open",
)  # fmt: skip


def summary(shown: Mapping[str, Any], unit_name: str = "") -> dict[str, Any]:
    """What a searcher needs (X-16): which unit holds it, in what way to get it, how often it is updated."""
    share = str(shown.get("share_type", ""))
    frequency = FREQUENCIES.get(str(shown.get("frequency", "")))
    methods = [METHODS[m] for m in shown.get("methods", ()) if m in METHODS]
    how = _HOW.get(share, ("", ""))
    ways = "、".join(zh for zh, _ in methods), ", ".join(en for _, en in methods)
    code = str(shown.get("code", ""))
    return {
        "resource": shown["resource"],
        "code": code,
        "title": shown.get("title", ""),
        "abstract": shown.get("abstract", ""),
        "provider": shown.get("provider", ""),
        "provider_name": unit_name or shown.get("provider_name", ""),
        "kind": CLASSES[code[:1]][0] if code[:1] in CLASSES else "",
        "share_type": share,
        "methods": list(shown.get("methods", ())),
        "frequency": frequency.name if frequency else "",
        "frequency_zh": frequency.zh if frequency else "",
        "coverage": shown.get("coverage", ""),
        "open": bool(shown.get("open", False)),
        "how_zh": f"{how[0]}:{ways[0]}" if ways[0] else how[0],
        "how_en": f"{how[1]}: {ways[1]}" if ways[1] else how[1],
        "items": len(shown.get("items", ())),
        "edition": shown.get("edition", 0),
    }


_HOW: Final[Mapping[str, tuple[str, str]]] = {
    "1": ("无条件共享,登记后直接获取", "at once, without an application's decision"),
    "2": ("有条件共享,提出申请由数源单位审批", "by an application that the source unit decides on"),
    "3": ("不予共享", "not shared"),
}
