"""From sources and locks to what Lambda takes: a tree of folders, zips of it, a template naming the zips."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from infra.packaging import interpreters, locks, sizes, trimming, wheels
from infra.packaging.plan import AT_HOME, OURS, ROOT, Layer, PackagingError, Plan, Target, archived

OWN: Final = "python"  # a layer with this folder in the repository is our own code
BUCKET_PARAMETER: Final = "ArtifactBucket"
_LEVEL: Final = 6
_NO_CODE: Final = shutil.ignore_patterns("__pycache__", "*.egg-info", ".*_cache", "*.pyc")


@dataclass(frozen=True, slots=True)
class Built:
    """``zips``: folder of the template → file; ``weights``: of every function; ``bytecode``: whether modules
    are compiled, for which a Python of the target's version is needed."""

    target: Target
    folder: Path
    weights: tuple[sizes.Weight, ...]
    zips: dict[str, Path]
    bytecode: bool

    @property
    def tree(self) -> Path:
        return self.folder / "tree"


def build(plan: Plan, target: Target, folder: Path, *, root: Path = ROOT) -> Built:
    """Build everything for a target into an emptied folder, from the repository at ``root``.

    Raises PackagingError when a package has no wheel for the target, when a library in one
    was made for another processor, and when a function would be too large for Lambda.
    """
    shutil.rmtree(folder, ignore_errors=True)
    tree = folder / "tree"
    for function in plan.functions:
        shutil.copytree(root / function.folder, tree / function.folder, ignore=_NO_CODE)
    for layer in plan.layers:
        _fill(root, layer, target, tree / layer.folder / OWN)
    # Only where it is for AWS: older Pythons' bytecode is larger, and nobody waits for its cold starts.
    python = interpreters.find(target.python) if target.runs_on_aws else ""
    for layer in plan.layers if python else ():
        interpreters.compile_in_place(python, tree / layer.folder / OWN, runs_at="/opt/python")
    weights = sizes.weigh(plan, tree)
    faults = [fault for weight in weights for fault in weight.faults]
    if faults:
        raise PackagingError("\n".join([sizes.table(weights, target.name), "", *faults]))
    zips = _zip(root / "template.yaml", target, folder)
    built = Built(target, folder, tuple(weights), zips, bool(python))
    (folder / "manifest.json").write_text(json.dumps(manifest(plan, built), indent=1, sort_keys=True) + "\n")
    return built


def _fill(root: Path, layer: Layer, target: Target, into: Path) -> None:
    own, lock = root / layer.folder / OWN, root / layer.folder / locks.LOCK
    if own.is_dir():
        shutil.copytree(own, into, ignore=_NO_CODE)
        for part in AT_HOME:
            shutil.rmtree(into / part, ignore_errors=True)
        return
    if not lock.is_file():
        raise PackagingError(f"{layer.folder} has neither {OWN}/ nor {locks.LOCK}: make lock")
    wheels.install(lock, target, into)
    strangers = wheels.strangers(into, target)
    if strangers:
        raise PackagingError(f"{layer.name}: not for {target.name}:\n  " + "\n  ".join(strangers))
    trimming.trim(into, services(root))


def services(root: Path) -> set[str]:
    """The AWS services that our code makes clients of."""
    sources = [*(root / OURS).rglob("*.py"), *(root / "functions").rglob("*.py")]
    return trimming.services_named(sources)


def _zip(template: Path, target: Target, folder: Path) -> dict[str, Path]:
    """Folder → zip; writes template.json, which takes the bucket's name as a parameter."""
    made = archived(template, {"Ref": BUCKET_PARAMETER}, content=folder / "tree", level=_LEVEL)
    (folder / "zips").mkdir(parents=True)
    for key, content in made.files.items():
        (folder / "zips" / key).write_bytes(content)
    document = _bound(json.loads(made.template), target)
    (folder / "template.json").write_text(json.dumps(document) + "\n")
    return {place.rstrip("/"): folder / "zips" / key for place, key in made.keys.items()}


def _bound(document: dict[str, Any], target: Target) -> dict[str, Any]:
    """The template for this target only: a zip of one processor must not be deployed for another."""
    parameters = document["Parameters"]
    for name, value in (("PythonRuntime", f"python{target.python}"), ("Architecture", target.architecture)):
        parameters[name] |= {"Default": value, "AllowedValues": [value]}
    parameters[BUCKET_PARAMETER] = {
        "Type": "String",
        "Description": "Bucket with the zips of make package, in the region of the stack",
    }
    return document


def manifest(plan: Plan, built: Built) -> dict[str, Any]:
    """What was built, to be compared: two builds of the same sources give the same.

    ``content`` is a digest of the files, ``zip`` one of the archive, which also depends on the
    compressing library of the Python that zipped.
    """
    parts = {f.folder: list(f.layers) for f in plan.functions} | {layer.folder: None for layer in plan.layers}
    return {
        "target": built.target.name,
        "runs_on_aws": built.target.runs_on_aws,
        "bytecode": built.bytecode,
        "parts": {
            folder: {
                "content": digest(built.tree / folder),
                "zip": hashlib.sha256(built.zips[folder].read_bytes()).hexdigest(),
                "zip_bytes": built.zips[folder].stat().st_size,
                "unzipped_bytes": sizes.unzipped(built.tree / folder),
                **({} if layers is None else {"layers": layers}),
            }
            for folder, layers in parts.items()
        },
        "packages": {
            layer.name: [f"{p.metadata['Name']}=={p.version}" for p in wheels.packages(_of(built, layer))]
            for layer in plan.layers
        },
        "template": hashlib.sha256((built.folder / "template.json").read_bytes()).hexdigest(),
    }


def digest(folder: Path) -> str:
    """Of the names and bytes of all files."""
    found = hashlib.sha256()
    for path in _files(folder):
        found.update(f"{path.relative_to(folder).as_posix()}\0".encode())
        found.update(hashlib.sha256(path.read_bytes()).digest())
    return found.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _of(built: Built, layer: Layer) -> Path:
    return built.tree / layer.folder / OWN
