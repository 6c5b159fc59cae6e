"""Search in the evidence, and who received a person's data, on 1,000,000 records, asked as the API does."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

RUNS = 5
_AT = "strftime(TIMESTAMP '2026-01-01' + to_seconds(n * 31536000 // total), '%Y-%m-%dT%H:%M:%S.000Z')"


def run(folder: Path, records: int = 1_000_000) -> str:
    """A table: question, answer's length, median of the runs."""
    from huitong.audit.archive import PK, SK
    from huitong.audit.search import Evidence, Scope, Wanted
    from huitong.audit.trace import Trace, Traces
    from huitong.local.objects import DiskObjects
    from huitong.local.register import MemoryRegister
    from huitong.ports import Item, SystemClock

    store, register = DiskObjects(folder / "evidence"), MemoryRegister()
    manifest = _archive(store, records)
    register.create(Item(PK, SK, manifest.as_dict()))
    traces = Traces(register, SystemClock())
    for n in range(500):  # what came since the archive's last run
        traces.write(Trace("query", f"c{n % 50}", f"U{n % 40}", resource=f"IN-{n % 20:02}"))
    evidence, everything = Evidence(register, store), Scope(everything=True)
    person = _blind("s", 4_711)
    questions: dict[str, Callable[[], Any]] = {
        "newest 100": lambda: evidence.search(Wanted(), everything).items,
        "unit, one month": lambda: (
            evidence.search(Wanted(unit="U7", low="2026-03-01", high="2026-03-31"), everything).items
        ),
        "person (actor)": lambda: evidence.search(Wanted(actor="c321"), everything).items,
        "resource": lambda: evidence.search(Wanted(resource="IN-07"), everything).items,
        "case": lambda: evidence.search(Wanted(case_no="K12345"), everything).items,
        "provider's scope": lambda: evidence.search(Wanted(), Scope(("U7",), ("IN-07",))).items,
        "who received this person's data": lambda: evidence.recipients(subject=person),
        "who received this record": lambda: evidence.recipients(record=_blind("r", 4_711)),
    }
    lines = ["| question | found | seconds (median) | worst |", "|---|---|---|---|"]
    for name, ask in questions.items():
        taken, found = [], 0
        for _ in range(RUNS):
            began = time.perf_counter()
            found = len(ask())
            taken.append(time.perf_counter() - began)
        lines.append(f"| {name} | {found} | {statistics.median(taken):.2f} | {max(taken):.2f} |")
    size = sum(f.size for f in store.list("archive/")) / 1e6
    return "\n".join([f"{records:,} records, {size:.0f} MB of archive, 500 not yet archived", "", *lines])


def _blind(kind: str, n: int) -> str:
    import hashlib

    return hashlib.md5(f"{kind}{n}".encode()).hexdigest()


def _archive(store: Any, records: int) -> Any:
    """Twelve monthly files of records, twelve of pairs, as merging leaves them; three persons in a record."""
    from huitong.audit.archive import Archive, Manifest, closed, schema, table_of

    columns = {field.name: "''" for field in schema()}
    columns |= {
        "act": "'query'", "actor": "'c' || n % 5000", "unit": "'U' || n % 40",
        "resource": "'IN-' || lpad((n % 20)::VARCHAR, 2, '0')", "fields": "['name', 'id_no', 'amount']",
        "masked": "['id_no']", "case_no": "'K' || n % 100000", "purpose": "'债务人财产核查'", "at": _AT,
        "id": "md5('id' || n)", "seq": "1", "count": "3", "subject_count": "3", "path": "'sql'",
        "grant": "'g' || n % 300",
        "shard": "(n % 16)::INTEGER", "n": "n // 16", "entry": "md5('e' || n) || md5('f' || n)",
    }  # fmt: skip
    named = ", ".join(f'{expression} AS "{name}"' for name, expression in columns.items())
    pairs = (
        "SELECT md5('s' || (n * 7 + k) % 200000) AS subject, md5('r' || (n * 7 + k) % 200000) AS record, "
        f"md5('id' || n) AS id, {_AT} AS \"at\" FROM numbers, (SELECT unnest([0, 1, 2]) AS k)"
    )
    archive = Archive(None, store, _Clock())  # type: ignore[arg-type]
    files: dict[str, list[Any]] = {"records": [], "pairs": []}
    with closed() as connection:
        connection.register("empty", table_of([]))
        for month in range(12):
            low, high = records * month // 12, records * (month + 1) // 12
            view = f"SELECT range AS n, {records} AS total FROM range({low}, {high})"
            connection.sql(f"CREATE OR REPLACE VIEW numbers AS {view}")
            files["records"] += archive._written(connection, "records", f"SELECT {named} FROM numbers", 2)
            files["pairs"] += archive._written(connection, "pairs", pairs, 2)
    return Manifest(tuple(files["records"]), tuple(files["pairs"]))


class _Clock:
    def now(self) -> Any:
        from datetime import UTC, datetime

        return datetime.now(UTC)
