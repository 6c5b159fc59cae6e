"""How large functions are with their layers, against Lambda's limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.packaging.plan import Plan

UNZIPPED: Final = 262_144_000  # bytes of a function with all its layers: 250 MB as AWS counts them
DIRECT_ZIP: Final = (
    52_428_800  # bytes of a zip in an API call; larger ones, and all of ours, come from a bucket
)
LAYERS: Final = 5  # of a function
MB: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Weight:
    """A function's bytes unzipped: its own, and those of each layer by name."""

    function: str
    own: int
    layers: Mapping[str, int]

    @property
    def total(self) -> int:
        return self.own + sum(self.layers.values())

    @property
    def faults(self) -> list[str]:
        """What Lambda would refuse."""
        found = []
        if self.total > UNZIPPED:
            found.append(f"{self.function}: {self.total / MB:.1f} MB unzipped, {UNZIPPED / MB:.0f} allowed")
        if len(self.layers) > LAYERS:
            found.append(f"{self.function}: {len(self.layers)} layers, {LAYERS} are allowed")
        return found


def unzipped(folder: Path) -> int:
    """Bytes of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def weigh(plan: Plan, tree: Path) -> list[Weight]:
    """Every function of a plan, heaviest first."""
    layers = {layer.name: unzipped(tree / layer.folder) for layer in plan.layers}
    found = [
        Weight(f.name, unzipped(tree / f.folder), {name: layers[name] for name in f.layers})
        for f in plan.functions
    ]
    return sorted(found, key=lambda w: (-w.total, w.function))


def table(weights: Sequence[Weight], title: str) -> str:
    """Markdown: MB of each part, and what is left under the limit."""
    names = sorted({name for w in weights for name in w.layers})
    lines = [
        f"| {title} | own | {' | '.join(_short(n) for n in names)} | MB unzipped | left |",
        "|---" * (len(names) + 4) + "|",
    ]
    for w in weights:
        parts = [f"{w.layers[n] / MB:.1f}" if n in w.layers else "–" for n in names]
        left = (UNZIPPED - w.total) / MB
        lines.append(
            f"| {w.function} | {w.own / MB:.1f} | {' | '.join(parts)} | {w.total / MB:.1f} | {left:.1f} |"
        )
    return "\n".join(lines)


def _short(layer: str) -> str:
    return layer.removesuffix("_dependencies")
