"""One edition of claims from landed file to published tables, against a floor in the same run.

Floor: DuckDB reads the same CSV as text and writes it as zstd Parquet, nothing else.
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


def floor(source: Path, target: Path) -> None:
    import duckdb

    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT * FROM read_csv('{source}', all_varchar=true)) "
            f"TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )


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
    first, second = write_editions(folder, rows)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        base = Path(scratch) / "base"
        call = "from benchmarks.received_to_published import *; from pathlib import Path; "
        in_fresh_process(f"{call}prepare(Path('{base}'), Path('{first}'))")
        Platform(ports_in(base)).land(second, RESOURCE, UNIT, upload="usecond")
        measured = []
        floors = [
            in_fresh_process(f"{call}floor(Path('{second}'), Path('{scratch}/floor.parquet'))")
            for _ in range(2)
        ]
        at_floor = min(floors, key=lambda c: c.cpu)
        measured.append(("floor: CSV as text to Parquet", at_floor))
        kept = Path(scratch) / "kept"
        shutil.copytree(base, kept)
        for name in ("ingest", "validate", "compare"):
            cost = in_fresh_process(f"{call}step(Path('{base}'), '{name}', Path('{second}'))")
            measured.append((f"{name}, a process of its own", cost))
        shutil.rmtree(base)
        kept.rename(base)
        whole = in_fresh_process(f"{call}step(Path('{base}'), 'whole', Path('{second}'))")
        measured.append(("received to published, one process", whole))
        platform = Platform(ports_in(base))
        batch = platform.batches.of_resource(RESOURCE, limit=1)[0]
        counts = ", ".join(
            f"{k} {v}" for k, v in batch.summary().items() if isinstance(v, int) and v and k != "size"
        )
    return measured, at_floor, f"{batch.status}: {counts}"
