"""While a function works in a test, it may import only what its layers hold, as on AWS.

In tests every package is there and most are loaded, so a late import that would fail on
AWS goes unseen. Here ``import`` is watched in the thread that runs a function: a package
of another layer is missing for our code, and so is a module of ours that loads one.
"""

from __future__ import annotations

import ast
import builtins
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import packages_distributions
from typing import Any

from infra.packaging import locks, plan
from infra.packaging.plan import ROOT

_OURS = ROOT / plan.OURS
_running = threading.local()


@cache
def missing() -> Mapping[str, frozenset[str]]:
    """Function → modules of packages that others have in their layers and it has not."""
    found = plan.read(ROOT / "template.yaml")
    in_layer: dict[str, set[str]] = {}
    for layer in found.layers:
        lock = ROOT / layer.folder / locks.LOCK
        in_layer[layer.name] = {pin.name for pin in locks.pins(lock.read_text())} if lock.is_file() else set()
    of_package = {
        module: {name.lower().replace("_", "-") for name in names}
        for module, names in packages_distributions().items()
    }
    return {
        function.name: frozenset(
            module
            for module, names in of_package.items()
            if names & set().union(*in_layer.values())
            and not names & set().union(*(in_layer[layer] for layer in function.layers))
        )
        for function in found.functions
    }


@cache
def loads(module: str) -> frozenset[str]:
    """Third-party packages that importing a module of ours imports at once."""
    seen: set[str] = set()
    found: set[str] = set()
    todo = [module]
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            names = set(_at_once(name))
            todo += [n for n in names if n.startswith("huitong")] + [name.rpartition(".")[0]]
            found |= {n.partition(".")[0] for n in names if not n.startswith("huitong")}
    return frozenset(found)


def _at_once(module: str) -> Iterator[str]:
    path = _OURS.joinpath(*module.split("."))
    source = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if module and source.is_file():
        yield from _in(ast.parse(source.read_text()).body)


def _in(body: list[ast.stmt]) -> Iterator[str]:
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module.startswith("huitong"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "TYPE_CHECKING" not in ast.unparse(node.test):
            yield from _in([*node.body, *node.orelse])
        elif isinstance(node, ast.Try | ast.ClassDef | ast.With):
            yield from _in(node.body)


@contextmanager
def function(name: str) -> Iterator[None]:
    """The code inside runs as this function."""
    before = getattr(_running, "lacks", frozenset())
    _running.lacks = missing()[name]
    try:
        yield
    finally:
        _running.lacks = before


@contextmanager
def watched() -> Iterator[None]:
    """Imports are judged, wherever :func:`function` says who runs."""
    real = builtins.__import__

    def judged(name: str, globals: Any = None, locals: Any = None, fromlist: Any = (), level: int = 0) -> Any:
        lacks = getattr(_running, "lacks", frozenset())
        if lacks and not level and _is_ours((globals or {}).get("__name__", "")):
            for wanted in _wanted(name, fromlist):
                if wanted in lacks:
                    raise ModuleNotFoundError(
                        f"{name}: {wanted} is in no layer of this function", name=wanted
                    )
        return real(name, globals, locals, fromlist, level)

    builtins.__import__ = judged
    try:
        yield
    finally:
        builtins.__import__ = real


def _wanted(name: str, fromlist: Any) -> set[str]:
    if name.partition(".")[0] != "huitong":
        return {name.partition(".")[0]}
    return set(loads(name)).union(*(loads(f"{name}.{member}") for member in fromlist or ()))


def _is_ours(importer: str) -> bool:
    ours = importer.startswith(("huitong.", "functions.", "api_routes", "query_routes"))
    return ours and not importer.startswith("huitong.local")


def as_function(call: Callable[..., Any]) -> Callable[..., Any]:
    """``ServiceApp.__call__`` that runs as the function whose app it is."""

    def told(app: Any, event: Any, context: Any) -> Any:
        with function(app.app_name):
            return call(app, event, context)

    return told
