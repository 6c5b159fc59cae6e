"""``python -m infra.packaging build|check|lock``: see ``make package`` and docs/package.md."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Final

from infra.packaging import building, importing, interpreters, locks, plan, sizes
from infra.packaging.plan import ARCHITECTURES, ROOT, PackagingError, Target

OUT: Final = ROOT / "build/package"


def main() -> int:
    parser = argparse.ArgumentParser(prog="infra.packaging", description="What Lambda runs")
    parser.add_argument("command", choices=["build", "check", "lock"])
    parser.add_argument("--python", default="3.13", help="version of the Lambda runtime")
    parser.add_argument("--platform", default="both", choices=[*ARCHITECTURES, "both"])
    asked = parser.parse_args()
    wanted = ARCHITECTURES if asked.platform == "both" else [asked.platform]
    try:
        for architecture in wanted:
            COMMANDS[asked.command](Target(asked.python, architecture))
    except PackagingError as problem:
        sys.stderr.write(f"{problem}\n")
        return 1
    return 0


def _build(target: Target) -> None:
    began = time.monotonic()
    found = plan.read(ROOT / "template.yaml")
    built = building.build(found, target, OUT / target.name)
    _say(sizes.table(built.weights, target.name), "")
    _say(*_imports(found, target, built.tree), "")
    _say(f"{built.folder.relative_to(ROOT)}: {len(built.zips)} zips, template.json, manifest.json "
         f"({time.monotonic() - began:.0f} s)", "")  # fmt: skip
    if not target.runs_on_aws:
        _say(
            f"python{target.python} is for trying on this machine: on AWS the packages run from 3.12 on",
            "",
        )


def _imports(found: plan.Plan, target: Target, tree: Path) -> list[str]:
    python = interpreters.find(target.python, target.machine)
    if not python:
        return [f"NOT TRIED: no Python {target.python} for {target.architecture} on this machine. Wheels and "
                "libraries are of the right kind, by tags and headers; nothing was imported."]  # fmt: skip
    return [importing.table(importing.check(found, tree, python), f"imported, {target.name}")]


def _check(target: Target) -> None:
    """Build twice, in two places, and compare."""
    found = plan.read(ROOT / "template.yaml")
    first, second = (
        building.manifest(found, building.build(found, target, OUT / place / target.name))
        for place in ("first", "second")
    )
    if first != second:
        different = [name for name in first["parts"] if first["parts"][name] != second["parts"][name]]
        raise PackagingError(f"{target.name}: two builds differ in {', '.join(different) or 'the template'}")
    _say(f"{target.name}: two builds are equal in all {len(first['parts'])} parts and the template")


def _lock(_: Target) -> None:
    for written in locks.write(plan.read(ROOT / "template.yaml")):
        _say(str(written.relative_to(ROOT)))


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")


COMMANDS: Final = {"build": _build, "check": _check, "lock": _lock}

if __name__ == "__main__":
    sys.exit(main())
