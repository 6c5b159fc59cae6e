"""Whether functions import from exactly what is packaged, and how long that takes.

Each function is loaded in a fresh interpreter that sees the standard library, the
function's folder and its layers, and nothing else (``-I -S``): what is missing fails
here and not on AWS.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.packaging.plan import AT_HOME, OURS, ROOT, Function, PackagingError, Plan

_PROGRAM: Final = Path(__file__).with_name("isolated.py")
_NOWHERE: Final = {
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@dataclass(frozen=True, slots=True)
class Imported:
    """``module``: ms of processor time until the handler is there, as Lambda counts a cold start's import;
    ``service``: until it is wired too; ``third``: third-party modules tried beyond that."""

    function: str
    module: float
    service: float
    peak_mb: float
    third: int


def check(plan: Plan, tree: Path, python: str, *, root: Path = ROOT) -> list[Imported]:
    """Load every function of a tree built from ``root``.

    Once for each set of layers, every third-party module is loaded that our code names, also
    where it is imported late. Raises PackagingError with all that failed.
    """
    wanted = sorted(third_party(plan, root))
    found, tried = [], set[frozenset[str]]()
    everything = [tree / layer.folder / "python" for layer in plan.layers]
    faults = [f"{name} is in no layer" for name in wanted if not _has(everything, name.partition(".")[0])]
    for function in plan.functions:
        more = [] if frozenset(function.layers) in tried else wanted
        tried.add(frozenset(function.layers))
        try:
            found.append(_load(function, tree, python, more, builders(root / function.folder)))
        except PackagingError as problem:
            faults.append(str(problem))
    if faults:
        raise PackagingError("\n".join(faults))
    return found


def _load(function: Function, tree: Path, python: str, wanted: Sequence[str], wiring: list[str]) -> Imported:
    tree = tree.resolve()
    paths = [tree / function.folder, *(tree / "layers" / name / "python" for name in function.layers)]
    asked = {
        "paths": [str(p) for p in paths if p.is_dir()],
        "handler": function.handler,
        "builders": wiring,
        "third_party": [name for name in wanted if _has(paths, name.partition(".")[0])],
    }
    done = subprocess.run(  # noqa: S603
        [python, "-I", "-S", "-B", str(_PROGRAM)],
        input=json.dumps(asked),
        env={**function.environment, **_NOWHERE},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise PackagingError(f"{function.name}: {done.stderr.strip()[-2000:]}")
    said = json.loads(done.stdout.splitlines()[-1])
    return Imported(
        function.name, said["module"], said["service"], said["peak_mb"], len(asked["third_party"])
    )


def _has(paths: Sequence[Path], package: str) -> bool:
    return any((p / package).is_dir() or list(p.glob(f"{package}.*")) for p in paths)


def builders(folder: Path) -> list[str]:
    """Names of the ``build_…`` functions of huitong.wiring that a function's code names."""
    return sorted(
        {
            name
            for source in folder.rglob("*.py")
            for node in ast.walk(ast.parse(source.read_text()))
            for name in _named(node)
            if name.startswith("build_")
        }
    )


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "wiring":
        yield node.attr
    if isinstance(node, ast.ImportFrom) and node.module == "huitong.wiring":
        yield from (alias.name for alias in node.names)


def third_party(plan: Plan, root: Path = ROOT) -> set[str]:
    """Modules that the code of functions and of our package names anywhere, also inside functions, and that
    are neither its own nor the standard library's."""
    folders = [root / f.folder for f in plan.functions]
    own = {"huitong", *(p.stem for folder in folders for p in folder.rglob("*"))}
    ours = root / OURS
    sources = [p for p in ours.rglob("*.py") if not p.relative_to(ours).as_posix().startswith(AT_HOME)]
    return {
        module
        for source in [*sources, *(p for folder in folders for p in folder.rglob("*.py"))]
        for module in _imported(ast.parse(source.read_text()))
        if module.partition(".")[0] not in own | sys.stdlib_module_names
    }


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def table(found: Sequence[Imported], title: str) -> str:
    """Markdown."""
    lines = [
        f"| {title} | import ms | with its services ms | peak MB | third-party modules tried |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {i.function} | {i.module:.0f} | {i.service:.0f} | {i.peak_mb:.0f} | {i.third} |"
        for i in sorted(found, key=lambda i: -i.service)
    ]
    return "\n".join(lines)
