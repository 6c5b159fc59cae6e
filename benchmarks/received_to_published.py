"""One edition of claims from landed file to published tables, against a floor in the same run.

The floor is :mod:`benchmarks.floor`.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from benchmarks.claims import CONTRACT, write_editions
from benchmarks.measure import Cost, in_fresh_process

from huitong.local.platform import Platform, ports_in

UNIT = "1144030000AA01123N"
RESOURCE = "bench-claims"
TURNS = 3
LABELS = {
    "floor": "floor: CSV as text to Parquet",
    "ingest": "ingest, a process of its own",
    "validate": "validate, a process of its own",
    "compare": "compare, a process of its own",
    "whole": "received to published, one process",
}


def prepare(root: Path, first: Path) -> None:
    """Publish the first edition, so that the second has something to be compared with."""
    platform = Platform(ports_in(root))
    platform.contracts.put(CONTRACT, by="bench")
    batch = platform.deliver(first, RESOURCE, UNIT)
    if batch.status != "published":
        raise RuntimeError(f"the first edition ended {batch.status}: {batch.refusal}")
    platform.ports.register.keep()  # type: ignore[attr-defined]


def step(root: Path, name: str, second: Path) -> None:
    """One step of the second edition in a process of its own; state goes on in the folder."""
    platform = Platform(ports_in(root))
    if name in ("ingest", "whole"):
        platform.ingest(f"{UNIT}/{RESOURCE}/usecond/{second.name}")
    if name in ("validate", "whole"):
        platform.validate(_newest(platform))
    if name in ("compare", "whole"):
        platform.compare(RESOURCE)
    platform.ports.register.keep()  # type: ignore[attr-defined]


def _newest(platform: Platform) -> str:
    return platform.batches.of_resource(RESOURCE, limit=1)[0].id


def run(rows: int, folder: Path) -> tuple[list[tuple[str, Cost]], Cost, str]:
    """Medians of three, floor and flow by turns, so that both meet the same machine; two for the parts."""
    first, second = write_editions(folder, rows)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        base, kept = Path(scratch) / "base", Path(scratch) / "kept"
        call = "from benchmarks.received_to_published import *; from pathlib import Path; "

        def stepped(name: str) -> Cost:
            return in_fresh_process(f"{call}step(Path('{base}'), '{name}', Path('{second}'))")

        in_fresh_process(f"{call}prepare(Path('{base}'), Path('{first}'))")
        Platform(ports_in(base)).land(second, RESOURCE, UNIT, upload="usecond")
        base.rename(kept)
        costs: dict[str, list[Cost]] = {
            name: [] for name in ("floor", "ingest", "validate", "compare", "whole")
        }
        for turn in range(TURNS):
            file = f"'{second}', '{scratch}/floor.parquet'"
            costs["floor"].append(in_fresh_process(f"from benchmarks.floor import floor; floor({file})"))
            for names in (("whole",), ("ingest", "validate", "compare"))[: 2 if turn else 1]:
                shutil.copytree(kept, base)
                for name in names:
                    costs[name].append(stepped(name))
                outcome = _outcome(base)
                shutil.rmtree(base)
    at_floor = _median(costs["floor"])
    measured = [(LABELS[name], _median(found)) for name, found in costs.items()]
    return measured, at_floor, outcome


def _median(costs: list[Cost]) -> Cost:
    return sorted(costs, key=lambda cost: cost.cpu)[len(costs) // 2]


def _outcome(root: Path) -> str:
    batch = Platform(ports_in(root)).batches.of_resource(RESOURCE, limit=1)[0]
    shown = ((k, v) for k, v in batch.summary().items() if isinstance(v, int) and v and k != "size")
    return f"{batch.status}: {', '.join(f'{k} {v}' for k, v in shown)}"
