"""``make bench``: ratios measured in one run on this machine; nothing here is asserted in tests.

``make bench BENCH="--rows 10000000"`` for the large one, ``BENCH="--only imports"`` for a part.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from benchmarks import cold_imports, evidence, received_to_published, response, returned, rules, workbooks
from benchmarks.measure import table

PARTS = ("flow", "workbooks", "imports", "evidence", "returned", "rules", "response")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "huitong-bench")
    parser.add_argument("--only", choices=PARTS, action="append")
    asked = parser.parse_args()
    for part in asked.only or PARTS:
        print(f"\n## {part}\n", flush=True)
        print(_measured(part, asked.rows, asked.folder), flush=True)


def _measured(part: str, rows: int, folder: Path) -> str:
    if part == "imports":
        return cold_imports.run()
    if part == "rules":
        return rules.run(rows, folder)
    if part == "response":
        return response.run()
    if part == "evidence":
        return evidence.run(folder)
    if part == "returned":
        measured = returned.run(folder)
        slowest, most = max(c.wall for _, c in measured), max(c.peak for _, c in measured)
        told = f"slowest {slowest:.1f} s (limit 30), most {most:.0f} MB (limit 600)"
        return f"{table(measured, measured[0][1])}\n\n{told}"
    if part == "workbooks":
        measured = workbooks.run(folder)
        return table(measured, measured[0][1])
    flow, floor, outcome = received_to_published.run(rows, folder)
    told = f"{rows:,} rows × 12 columns; second edition {outcome}\n\n{table(flow, floor)}\n"
    return f"{told}\nreceived to published: {flow[-1][1].cpu / floor.cpu:.2f} × floor (limit 3.0)"


if __name__ == "__main__":
    main()
