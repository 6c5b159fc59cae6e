"""``python -m infra.packaging COMMAND``: see the Makefile and docs/package.md."""

from __future__ import annotations

import argparse
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from infra.packaging import (
    auditing,
    building,
    importing,
    interpreters,
    licences,
    linking,
    locks,
    plan,
    sbom,
    sizes,
    wheels,
)
from infra.packaging.plan import ARCHITECTURES, ROOT, PackagingError, Plan, Target

OUT: Final = ROOT / "build/package"


def main() -> int:
    """0 done, 1 refused, 3 not scanned (``audit``, where no advisories can be had)."""
    parser = argparse.ArgumentParser(prog="infra.packaging", description="What Lambda runs")
    parser.add_argument("command", choices=["build", "check", "sbom", "licences", "lock", "audit"])
    parser.add_argument("--python", default="3.13", help="version of the Lambda runtime")
    parser.add_argument("--platform", default="both", choices=[*ARCHITECTURES, "both"])
    parser.add_argument("--unreachable-ok", action="store_true", help="audit: no advisories is no failure")
    asked = parser.parse_args()
    targets = [Target(asked.python, a) for a in ARCHITECTURES if asked.platform in (a, "both")]
    found = plan.read(ROOT / "template.yaml")
    try:
        if asked.command == "lock":
            _say(*(str(written.relative_to(ROOT)) for written in locks.write(found)))
        elif asked.command == "audit":
            return _audit(found, unreachable_ok=asked.unreachable_ok)
        else:
            for target in targets:
                PER_TARGET[asked.command](found, target)
    except PackagingError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _build(found: Plan, target: Target) -> None:
    began = time.monotonic()
    built = building.build(found, target, OUT / target.name)
    _say(sizes.table(built.weights, target.name), "")
    _say(_imports(found, target, built.tree), "")
    _supply_chain(found, target)
    if target.runs_on_aws and not built.bytecode:
        _say(f"NOT COMPILED: no Python {target.python} here, so functions start slower (docs/package.md)", "")
    if not target.runs_on_aws:
        _say(
            f"Python {target.python} is to try things on this machine; on AWS the packages run from 3.12 on",
            "",
        )
    seconds = time.monotonic() - began
    _say(f"{built.folder.relative_to(ROOT)}: {len(built.zips)} zips and template.json ({seconds:.0f} s)", "")


def _imports(found: Plan, target: Target, tree: Path) -> str:
    """The table of imports, or what is known without them. Raises PackagingError for what would not load."""
    faults = linking.faults(found, target, tree, importing.third_party(found))
    if faults:
        raise PackagingError(f"{target.name}:\n  " + "\n  ".join(faults))
    python = interpreters.find(target.python, target.machine)
    if python:
        return importing.table(importing.check(found, tree, python), f"imported, {target.name}")
    return (
        f"NOT IMPORTED: no Python {target.python} for {target.architecture} on this machine. Read, not run: "
        "every module that the code names is in a layer, and every library is for this Python and processor "
        "and finds the libraries and the glibc that it needs."
    )


def _check(found: Plan, target: Target) -> None:
    """Build twice, in two places, and compare."""
    first, second = (
        building.manifest(found, building.build(found, target, OUT / place / target.name))
        for place in ("first", "second")
    )
    if first != second:
        different = [name for name in first["parts"] if first["parts"][name] != second["parts"][name]]
        raise PackagingError(f"{target.name}: two builds differ in {', '.join(different) or 'the template'}")
    for place in ("first", "second"):
        shutil.rmtree(OUT / place)
    _say(f"{target.name}: two builds are equal in all {len(first['parts'])} parts and the template")


def _supply_chain(found: Plan, target: Target) -> None:
    """Bill of materials and licences beside the zips, of a tree that is built if it is not there."""
    folder = OUT / target.name
    if not (folder / "manifest.json").is_file():
        building.build(found, target, folder)
    packages = [
        p for layer in found.layers for p in wheels.packages(folder / "tree" / layer.folder / building.OWN)
    ]
    known = [licences.of(package) for package in packages]
    (folder / "licences.md").write_text(licences.table(known) + "\n")
    (folder / "sbom.json").write_text(sbom.write(found, target, folder / "tree", _version()))
    faults = [one.fault for one in known if one.fault]
    faults += [fault for package in packages for fault in sbom.forbidden(package)]
    if faults:
        raise PackagingError("licences:\n  " + "\n  ".join(faults))
    where = folder.relative_to(ROOT)
    _say(f"{where}/sbom.json: CycloneDX, {len(packages)} packages; {where}/licences.md: all allowed", "")


def _version() -> str:
    text = (ROOT / plan.OURS / "huitong/__init__.py").read_text()
    return next(line.split('"')[1] for line in text.splitlines() if line.startswith("__version__"))


def _audit(found: Plan, *, unreachable_ok: bool) -> int:
    lock_files = [ROOT / layer.folder / locks.LOCK for layer in found.layers]
    pins = [pin for lock in lock_files if lock.is_file() for pin in locks.pins(lock.read_text())]
    allowed = auditing.accepted(auditing.ACCEPTED.read_text(), datetime.now(UTC).date())
    status, text = auditing.report(auditing.audit(pins), allowed)
    _say(text)
    return 0 if status == auditing.NOT_SCANNED and unreachable_ok else status


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


PER_TARGET: Final = {"build": _build, "check": _check, "sbom": _supply_chain, "licences": _supply_chain}

if __name__ == "__main__":
    sys.exit(main())
