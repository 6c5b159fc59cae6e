"""The raw mapping of a document as the ODCS package's Pydantic model, with what does not fit cut out.

So that one wrong value does not hide the faults of the rest: each is reported with its path, removed, and
reading goes on.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from typing import Any, Final

from open_data_contract_standard.model import OpenDataContractStandard
from pydantic import ValidationError

from huitong.contracts.reading import Problems

MAX_PROPERTIES: Final = 2000
_API_VERSION: Final = re.compile(r"v?3\.[0-2](?:\.\d+)?")
_ROUNDS: Final = 5
_EXPECTED: Final = {
    "bool": ("须为 true 或 false", "must be true or false"),
    "int": ("须为整数", "must be a whole number"),
    "float": ("须为数字", "must be a number"),
    "string": ("须为文本", "must be text"),
    "list": ("须为列表", "must be a list"),
    "dict": ("须为映射", "must be a mapping"),
    "model": ("须为映射", "must be a mapping"),
    "extra": ("标准中没有此键", "is not a key of the standard"),
}


def shaped(raw: dict[str, Any], problems: Problems) -> OpenDataContractStandard:
    """The document as model; what does not fit is in ``problems``. Raises nothing."""
    raw = _lenient(copy.deepcopy(raw))
    _edition(raw, problems)
    for _ in range(_ROUNDS):
        try:
            return OpenDataContractStandard.model_validate(raw)
        except ValidationError as error:
            cut: set[str] = set()
            for fault in error.errors(include_url=False, include_context=False, include_input=False):
                path = _cut(raw, fault["loc"])
                if path not in cut:
                    kind = re.split(r"[_.]", fault["type"])[0]
                    zh, en = _EXPECTED.get(kind, ("不符合标准", f"does not fit the standard: {fault['msg']}"))
                    problems.add("shape", path, f"{path} {zh}", f"{path} {en}")
                cut.add(path)
    return OpenDataContractStandard()


def _lenient(raw: dict[str, Any]) -> dict[str, Any]:
    """Forms that other tools write: a bare list of codes, one list too few."""
    schema = raw.get("schema")
    if isinstance(schema, dict):
        raw["schema"] = schema = [schema]
    for table in schema if isinstance(schema, list) else []:
        for prop in _list(table, "properties"):
            codes = _list(prop, "enum")
            if codes:
                prop["enum"] = [c if isinstance(c, dict) else {"value": c} for c in codes]
    if isinstance(raw.get("description"), str):
        raw["description"] = {"purpose": raw["description"]}
    return raw


def _list(holder: Any, key: str) -> list[Any]:
    value = holder.get(key) if isinstance(holder, dict) else None
    return value if isinstance(value, list) else []


def _edition(raw: dict[str, Any], problems: Problems) -> None:
    version = str(raw.get("apiVersion") or "v3.2.0")
    if not _API_VERSION.fullmatch(version):
        problems.add(
            "contract.api-version",
            "apiVersion",
            f"不支持的标准版本 {version}",
            f"apiVersion {version} is not supported",
            "支持 v3.0 至 v3.2",
            "v3.0 to v3.2 are",
        )
    kind = str(raw.get("kind") or "DataContract")
    if kind != "DataContract":
        problems.add(
            "contract.kind",
            "kind",
            f"kind 须为 DataContract,而不是 {kind}",
            f"kind is {kind}, not DataContract",
        )


def _cut(raw: dict[str, Any], loc: Sequence[int | str]) -> str:
    """Removes what stands at ``loc`` as far as it exists; its path in the document."""
    holder: Any = raw
    path = ""
    last: tuple[Any, Any] | None = None
    for part in loc:
        exists = (
            part in holder
            if isinstance(holder, dict)
            else isinstance(holder, list) and part in range(len(holder))
        )
        if not exists:
            if isinstance(holder, dict | list):
                continue  # the name of a union's member, not of a key
            break
        last = (holder, part)
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{part}"
        holder = holder[part]
    if last is not None:
        parent, key = last
        parent[key] = None
        if isinstance(parent, dict):
            del parent[key]
    return path
