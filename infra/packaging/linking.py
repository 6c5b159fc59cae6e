"""What can be known of a package that no interpreter here can load: the libraries of another processor.

Each library's own header says what it needs. A library that was trimmed away, one that only the building
machine has, one for a newer glibc or for another Python is found without running anything; so is a module
that our code names and no layer has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from infra.packaging import elf
from infra.packaging.plan import Plan, Target

#: What Lambda's runtimes on Amazon Linux 2023 have: libraries every wheel may count on (PEP 600), and that
#: of Python's own zlib.
SYSTEM: Final = frozenset(
    {"libc.so.6", "libm.so.6", "libpthread.so.0", "libdl.so.2", "librt.so.1", "libutil.so.1"}
    | {"libresolv.so.2", "libgcc_s.so.1", "libstdc++.so.6", "libz.so.1"}
    | {"ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}
)
_GLIBC: Final = re.compile(r"GLIBC_(\d+)\.(\d+)")
_EXTENSION: Final = re.compile(
    r"(?P<module>[^.]+)\.(?:cpython-(?P<python>\d+)-(?P<machine>\w+?)-linux-gnu|abi3)\.so"
)


def faults(plan: Plan, target: Target, tree: Path, modules: Iterable[str]) -> list[str]:
    """Everything for which a function would not load on its target; ``modules`` are those that code names.

    What only happens while loading (a symbol that is missing, code that fails) is not seen.
    """
    layers = [tree / layer.folder / "python" for layer in plan.layers]
    found = [f"{name} is in no layer" for name in sorted(modules) if not _resolved(name, layers)]
    for layer in layers:
        for path in sorted(p for p in layer.rglob("*") if p.is_file() and p.suffix != ".pyc"):
            found += (
                f"{path.relative_to(layer).as_posix()}: {fault}" for fault in _of_library(path, layer, target)
            )
    return found


def _of_library(path: Path, layer: Path, target: Target) -> Iterator[str]:
    with path.open("rb") as source:
        if not elf.machine(source.read(64)):
            return
    named = _EXTENSION.fullmatch(path.name)
    wanted = (target.python.replace(".", ""), target.machine)
    if named and named["python"] and (named["python"], named["machine"]) != wanted:
        yield f"for Python {named['python']} on {named['machine']}"
    linked = elf.linked(path.read_bytes())
    folders = [_folder(one, path, layer) for one in linked.folders]
    for library in linked.libraries:
        if library not in SYSTEM and not any(folder and (folder / library).is_file() for folder in folders):
            yield f"needs {library}, which is not where it looks"
    for version in linked.versions:
        asked = _GLIBC.fullmatch(version)
        if asked and (int(asked[1]), int(asked[2])) > target.glibc:
            yield f"needs {version}"


def _folder(told: str, path: Path, layer: Path) -> Path | None:
    """A folder of a library's run path; None outside of the layer."""
    folder = Path(re.sub(r"\$\{?ORIGIN\}?", str(path.parent.resolve()), told)).resolve()
    return folder if folder.is_relative_to(layer.resolve()) else None


def _resolved(module: str, layers: Sequence[Path]) -> bool:
    place = module.replace(".", "/")
    return any(
        (layer / place).is_dir()
        or any((layer / f"{place}.{kind}").is_file() for kind in ("py", "pyc"))
        or any(
            _EXTENSION.fullmatch(one.name) for one in (layer / place).parent.glob(f"{Path(place).name}.*.so")
        )
        for layer in layers
    )
