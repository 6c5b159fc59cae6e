"""Cold import of each function: what a first request waits for before any work."""

from __future__ import annotations

from benchmarks.measure import ROOT, Cost, in_fresh_process

HEAVY = ("pyarrow", "duckdb", "pyiceberg", "boto3", "pydantic", "sqlglot", "numpy", "chalice")
#: What a function's first message loads beyond its module.
SERVICES = {
    "ingest_file": "import boto3, huitong.intake.receive, huitong.intake.stage",
    "validate_batch": "import boto3, huitong.quality.validate, duckdb, pyarrow",
    "compare_batch": "import boto3, huitong.comparison.compare, duckdb, pyiceberg.catalog.glue",
    "push_changes": "import boto3, huitong.delivery.push, huitong.delivery.source, pyiceberg.catalog.glue",
    "query_data": "import boto3, huitong.query.run, duckdb, pyiceberg.catalog.glue",
    "api": "import boto3",
    "authorize_request": "import boto3",
    "run_schedule": "import boto3",
    "maintain_tables": "import boto3, huitong.warehouse.maintenance, pyiceberg.catalog.glue",
}


def loading(function: str) -> str:
    """A statement that imports the function's module as Lambda does."""
    folder = ROOT / "functions" / function
    module = "handler" if (folder / "handler.py").exists() else "app"
    return f"import sys; sys.path.insert(0, {str(folder)!r}); import {module}"


def run() -> str:
    """A Markdown table: CPU and peak beyond a bare interpreter, and which heavy packages came along.

    The second pair of columns adds what the function's service loads at its first message.
    """
    bare = _best("pass")
    lines = [
        "| function | import CPU ms | peak MB | with its service CPU ms | peak MB | heavy packages |",
        "|---|---|---|---|---|---|",
    ]
    for folder in sorted(p for p in (ROOT / "functions").iterdir() if p.is_dir()):
        name = folder.name
        cold = _best(loading(name))
        service = f"{loading(name)}; {SERVICES.get(name, 'pass')}"
        warm = _best(service)
        cells = (
            name, _beyond(cold, bare), f"{cold.peak:.0f}", _beyond(warm, bare), f"{warm.peak:.0f}",
            ", ".join(_heavy(service)) or "–",
        )  # fmt: skip
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _beyond(cost: Cost, bare: Cost) -> str:
    return f"{(cost.cpu - bare.cpu) * 1000:.0f}"


def _best(statement: str) -> Cost:
    return min((in_fresh_process(statement) for _ in range(3)), key=lambda cost: cost.cpu)


def _heavy(statement: str) -> list[str]:
    import subprocess
    import sys

    told = subprocess.run(
        [sys.executable, "-c", f"{statement}; print(*sorted(m for m in sys.modules if '.' not in m))"],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return [name for name in HEAVY if name in told.stdout.split()]
