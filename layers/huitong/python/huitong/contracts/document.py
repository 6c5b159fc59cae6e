"""YAML text to plain values, within bounds and without YAML's surprises.

Scalars stay the text that was written: a code ``01`` is not the number 1, ``NO`` is not false, ``1.10`` keeps
its zero. Only ``null`` (``~`` or nothing) has no value.
"""

from __future__ import annotations

from typing import Any

import yaml

from huitong.errors import Problem

MAX_BYTES = 1024 * 1024
_MAX_DEPTH = 40
_MAX_ALIASES = 10  # enough for a shared code list, too few to blow up


class _TextLoader(yaml.CSafeLoader):
    """All plain scalars are text, except null and the merge key."""


_TextLoader.yaml_implicit_resolvers = {
    first: kept
    for first, resolvers in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    if (kept := [r for r in resolvers if r[0] in ("tag:yaml.org,2002:null", "tag:yaml.org,2002:merge")])
}


def load(document: str | bytes) -> tuple[dict[str, Any], list[Problem]]:
    """The root mapping of one YAML document, and all that is wrong with the text.

    With a problem that leaves nothing to read, the mapping is empty. Raises nothing.
    """
    text, problem = _decoded(document)
    problem = problem or _unbounded(text)
    if problem:
        return {}, [problem]
    loader = _TextLoader(text)
    try:
        node = loader.get_single_node()
        problems = _repeated_keys(node)
        value = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, ValueError, TypeError) as error:
        return {}, [_syntax(error)]
    finally:
        loader.dispose()
    if not isinstance(value, dict):
        return {}, [
            Problem("contract.not-a-mapping", "合同须为 YAML 映射", "The contract must be a YAML mapping")
        ]
    return value, problems


def _decoded(document: str | bytes) -> tuple[str, Problem | None]:
    size = len(document if isinstance(document, bytes) else document.encode("utf-8", "replace"))
    if size > MAX_BYTES:
        return "", Problem(
            "contract.too-large",
            f"合同大小为 {size} 字节,上限 {MAX_BYTES}",
            f"The contract has {size} bytes; the limit is {MAX_BYTES}",
        )
    if isinstance(document, str):
        return document.removeprefix("\ufeff"), None
    try:
        return document.decode("utf-8-sig"), None
    except UnicodeDecodeError as error:
        return "", Problem(
            "contract.encoding",
            f"合同须为 UTF-8 编码(第 {error.start + 1} 字节有误)",
            f"The contract must be UTF-8 (byte {error.start + 1} is not)",
        )


def _unbounded(text: str) -> Problem | None:
    """Looked for in the stream of events, before anything is built."""
    depth = aliases = 0
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.AliasEvent):
                aliases += 1
            elif isinstance(event, yaml.CollectionStartEvent):
                depth += 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            if aliases > _MAX_ALIASES:
                return Problem(
                    "contract.aliases",
                    f"YAML 别名(*)不得超过 {_MAX_ALIASES} 个",
                    f"More than {_MAX_ALIASES} YAML aliases (*)",
                )
            if depth > _MAX_DEPTH:
                return Problem(
                    "contract.depth",
                    f"YAML 嵌套不得超过 {_MAX_DEPTH} 层",
                    f"YAML nested deeper than {_MAX_DEPTH}",
                )
    except (yaml.YAMLError, ValueError) as error:
        return _syntax(error)
    return None


def _repeated_keys(node: yaml.Node | None) -> list[Problem]:
    """A key given twice: YAML would silently take the last."""
    problems: list[Problem] = []
    waiting = [node] if node is not None else []
    seen: set[int] = set()
    while waiting:
        current = waiting.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if isinstance(current, yaml.SequenceNode):
            waiting.extend(current.value)
        if not isinstance(current, yaml.MappingNode):
            continue
        keys: set[str] = set()
        for key, value in current.value:
            name = str(key.value)
            if name in keys and name != "<<":
                line = key.start_mark.line + 1
                problems.append(
                    Problem(
                        "contract.repeated-key",
                        f"第 {line} 行:键 {name} 重复",
                        f"Line {line}: the key {name} is given twice",
                        {"line": line},
                    )
                )
            keys.add(name)
            waiting.append(value)
    return problems


def _syntax(error: Exception) -> Problem:
    mark = getattr(error, "problem_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error)
    if mark is None:
        return Problem("contract.yaml", f"YAML 语法错误:{reason}", f"Not valid YAML: {reason}")
    line, column = mark.line + 1, mark.column + 1
    return Problem(
        "contract.yaml",
        f"YAML 语法错误,第 {line} 行第 {column} 列:{reason}",
        f"Not valid YAML at line {line}, column {column}: {reason}",
        {"line": line, "column": column},
    )
