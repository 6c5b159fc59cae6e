"""Cold import of each function: what a first request waits for before any work."""

from __future__ import annotations

from benchmarks.measure import ROOT, Cost, in_fresh_process

HEAVY = ("pyarrow", "duckdb", "pyiceberg", "boto3", "pydantic", "sqlglot", "numpy", "chalice")


def loading(function: str) -> str:
    """A statement that imports the function's module as Lambda does."""
    folder = ROOT / "functions" / function
    module = "handler" if (folder / "handler.py").exists() else "app"
    return f"import sys; sys.path.insert(0, {str(folder)!r}); import {module}"


def run() -> str:
    """A Markdown table: CPU and peak beyond a bare interpreter, and which heavy packages came along."""
    bare = _best("pass")
    lines = ["| function | import CPU ms | peak MB | heavy packages |", "|---|---|---|---|"]
    for folder in sorted(p for p in (ROOT / "functions").iterdir() if p.is_dir()):
        cost = _best(loading(folder.name))
        milliseconds = (cost.cpu - bare.cpu) * 1000
        lines.append(
            f"| {folder.name} | {milliseconds:.0f} | {cost.peak:.0f} | {', '.join(_heavy(folder.name)) or '–'} |"
        )
    return "\n".join(lines)


def _best(statement: str) -> Cost:
    return min((in_fresh_process(statement) for _ in range(3)), key=lambda cost: cost.cpu)


def _heavy(function: str) -> list[str]:
    import subprocess
    import sys

    told = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{loading(function)}; print(*sorted(m for m in sys.modules if '.' not in m))",
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    return [name for name in HEAVY if name in told.stdout.split()]
