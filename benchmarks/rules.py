"""Twelve rules on the same rows: the platform beside Pandera, pointblank, Great Expectations and Soda.

All get the same rows as text, as deliveries are, and make numbers and dates of them in their own way. The
platform's whole validation does more: its rules on texts that tools left behind, bad rows to quarantine, good
rows typed and ready to be published. The end product is the same for all: a Parquet file with a row for each
violation of each row (row number, rule, value); Soda without its cloud has counts only, so its rows are asked
for by a query beside. Peers run in ``.venv-bench`` (``make bench-peers``).
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.measure import POOL, ROOT
from benchmarks.peers import common

TURNS = 5
PEERS = {
    "Pandera (polars)": ("with_pandera", {}),
    "pointblank": ("with_pointblank", {}),
    "Great Expectations": ("with_great_expectations", {}),
    "Soda (DuckDB)": ("with_soda", {}),
    "Soda (DuckDB) and rows": ("with_soda", {"SODA_ROWS": "1"}),
}
KEEPS = {
    "platform, twelve rules": "every violation of every row, with words",
    "platform, whole validation": "the same, and quarantine, and good rows to publish",
    "Pandera (polars)": "every violation of every row",
    "pointblank": "every failing row of every step",
    "Great Expectations": "index of every failing row",
    "Soda (DuckDB)": "counts only",
    "Soda (DuckDB) and rows": "every failing row, asked for by SQL",
}
PYTHON = Path(os.environ.get("BENCH_PYTHON", ROOT / ".venv-bench/bin/python"))

_ROWS = """
SELECT
  CASE WHEN i % 1000 = 1 THEN 'X' || lpad(i::VARCHAR, 17, '0') WHEN i % 5000 = 7 THEN NULL
       ELSE 'C' || lpad((i - (i % 2000 = 11)::INTEGER)::VARCHAR, 17, '0') END AS claim_id,
  CASE WHEN i % 1000 = 2 THEN NULL ELSE
       '(2024)粤03破' || (i % 9000 + 1)::VARCHAR || '号(个' || (i % 900 + 1)::VARCHAR || ')' END AS case_no,
  CASE WHEN i % 1000 = 3 THEN '某某有限责任公司深圳分公司第' || i::VARCHAR
       ELSE '债权人' || (i % 50000)::VARCHAR END AS creditor,
  CASE WHEN i % 1000 = 4 THEN '0755-8888'
       ELSE '154' || lpad((i * 7919 % 100000000)::VARCHAR, 8, '0') END AS phone,
  (CASE WHEN i % 1000 = 5 THEN i + 1000000 ELSE i * 37 % 1000000 END)::DECIMAL(18, 2) AS principal,
  (CASE WHEN i % 1000 = 6 THEN -i - 1 ELSE i * 17 % 100000 END)::DECIMAL(18, 2) AS interest,
  CASE WHEN i % 1000 = 8 THEN DATE '2019-01-01'
       ELSE DATE '2020-01-01' + (i % 1500)::INTEGER END AS file_date,
  CASE WHEN i % 1000 = 9 THEN DATE '2018-01-01'
       ELSE DATE '2021-01-01' + (i % 1500)::INTEGER END AS due_date,
  CASE WHEN i % 1000 = 10 THEN '77' ELSE lpad((i % 5 + 1)::VARCHAR, 2, '0') END AS claim_type,
  CASE WHEN i % 1000 = 12 THEN '9' ELSE lpad((i % 3 + 1)::VARCHAR, 2, '0') END AS state
FROM range({rows}) t(i)
"""


@dataclass(frozen=True)
class Taken:
    """Reading the file and checking, without starting Python, by the clock and of processors; and the peak
    of the whole process."""

    seconds: float
    cpu: float
    peak: float
    found: dict[str, int]


def write_rows(folder: Path, rows: int) -> Path:
    """The rows as text with their numbers, in such a file as intake stages; made once."""
    import duckdb
    import pyarrow.parquet as pq

    from huitong.intake import stage

    path = folder / f"rules-staged-{rows}.parquet"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        told = "COLUMNS(*)::VARCHAR, row_number() OVER () + 1 AS _source_row"
        with duckdb.connect() as con:
            table = con.sql(f"SELECT {told} FROM ({_ROWS.format(rows=rows)})").to_arrow_table()
        pq.write_table(
            table,
            path,
            compression=stage._COMPRESSION,
            use_dictionary=stage._repetitive(table.slice(0, stage.ROWS_PER_GROUP)),
            write_statistics=False,
            row_group_size=stage.ROWS_PER_GROUP,
        )
    return path


def office_rules() -> tuple[Any, list[Any]]:
    """Rules 1 and 3 are those of the contract's key, the other ten the office's."""
    from huitong.contracts.model import Contract, Field
    from huitong.quality.rulebook.model import OfficeRule

    money: dict[str, Any] = {"type": "decimal", "precision": 18, "scale": 2}
    fields = (
        Field("claim_id", key=1), Field("case_no"), Field("creditor"), Field("phone"),
        Field("principal", **money), Field("interest", **money), Field("file_date", type="date"),
        Field("due_date", type="date"), Field("claim_type"), Field("state"),
    )  # fmt: skip
    contract = Contract("bench-rules", 1, "t", table="bench_rules", fields=fields)
    low, high = (str(n) for n in common.PRINCIPAL)
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("claim_id", "pattern", {"pattern": common.CLAIM_ID.strip("^$")}),
        ("case_no", "missing", {}),
        ("creditor", "format", {"max_length": common.CREDITOR}),
        ("phone", "pattern", {"pattern": common.PHONE.strip("^$")}),
        ("principal", "range", {"minimum": low, "maximum": high}),
        ("interest", "range", {"minimum": "0"}),
        ("file_date", "range", {"minimum": common.SINCE}),
        ("claim_type", "set", {"codes": common.TYPES}),
        ("state", "set", {"codes": common.STATES}),
        ("due_date", "expression", {"expression": "due_date >= file_date"}),
    ]
    rules = [OfficeRule(f"r{n}", contract.id, k, (f,), p) for n, (f, k, p) in enumerate(asked)]  # type: ignore[arg-type]
    return contract, rules


def platform(path: str, folder: str, whole: bool) -> None:
    """Check the staged rows; tell seconds and violations by rule as the peers do."""
    from huitong.batches.model import Batch, Counts
    from huitong.batches.register import Batches
    from huitong.local.messages import MemoryEvents, MemoryQueue
    from huitong.local.objects import DiskObjects
    from huitong.local.register import MemoryRegister
    from huitong.ports import SystemClock
    from huitong.quality.rulebook.binding import bind
    from huitong.quality.rulebook.bound import BoundSet
    from huitong.quality.validate import Validate

    for module in ("check", "duplicates", "findings", "validate"):  # as the peers' before the clock runs
        importlib.import_module(f"huitong.quality.{module}")
    for module in ("numpy.ma", "dateutil.relativedelta"):  # pyarrow's, when first used
        importlib.import_module(module)
    contract, rules = office_rules()
    staging, warehouse = (DiskObjects(Path(folder) / name) for name in ("staging", "warehouse"))
    staging.put_file("rows.parquet", Path(path))
    rows = _rows_of(path)
    counts = Counts(received=rows, unread=rows)
    batch = Batch("b1", contract.id, "u", "full", "ingested", "k", received_at="2026-01-05T08:00:00.000Z",
                  order="o", contract_version=1, counts=counts, staging=("rows.parquet",))  # fmt: skip
    bound = BoundSet("v", tuple(bind(rule, contract, lambda _: None) for rule in rules))
    if not whole:
        _told(lambda: _checked(batch, contract, bound, staging, Path(folder)))
        return

    class Office:
        tables = None

        def ready(self, _: Any) -> BoundSet:
            return bound

    class Known:
        def get(self, id: str, version: int = 0) -> Any:
            del id, version
            return contract

    clock = SystemClock()
    batches = Batches(MemoryRegister(), clock)
    batches.create(batch, by="bench")
    step = Validate(staging, warehouse, Known(), batches, MemoryQueue(), MemoryEvents(), clock, Office())  # type: ignore[arg-type]
    _told(lambda: dict(step.run("b1").quality.by_rule))


def _told(check: Callable[[], dict[str, int]]) -> None:
    began, used = time.perf_counter(), time.process_time()
    found = check()
    took, used = time.perf_counter() - began, time.process_time() - used
    print(json.dumps({"seconds": took, "cpu": used, "found": found}))


def _checked(batch: Any, contract: Any, bound: Any, staging: Any, folder: Path) -> dict[str, int]:
    """What the peers do: every rule on every row, and every violation kept; here as findings in a file."""
    from huitong.quality.ahead import checked
    from huitong.quality.check import Checker
    from huitong.quality.compile import compile_plan
    from huitong.quality.duplicates import RepeatedRows
    from huitong.quality.findings import Report
    from huitong.quality.staged import Staged
    from huitong.quality.validate import connect, received_on

    plan = compile_plan(contract, bound.rules)
    # the twelve rules and no others: without those on texts that tools left behind
    plan = replace(plan, fields=tuple(replace(f, texts=()) for f in plan.fields))
    found: Counter[str] = Counter()
    with connect() as connection:
        names = [f.name for f in contract.fields]
        checker = Checker(plan, connection, received_on(batch))
        staged = Staged(staging, batch.staging).kept(names)
        repeated = RepeatedRows(staged, contract, checker, connection).find()
        report, start = Report(batch, plan, staging, folder, connection), 0
        for block, one in checked(checker, staged.blocks(names)):
            within = repeated.within(start, len(block))
            hits = {**one.hits, plan.conflict: within.conflicts}
            hits = {number: rows for number, rows in hits.items() if len(rows)}
            report.add(block, hits)
            found.update({plan.rules[n].id: len(rows) for n, rows in hits.items()})
            start += len(block)
        report.close()
    return dict(found)


def _rows_of(path: str) -> int:
    import pyarrow.parquet as pq

    return int(pq.ParquetFile(path).metadata.num_rows)


def run(rows: int, folder: Path) -> str:
    """Medians by turns, so that all meet the same machine."""
    if not PYTHON.exists():
        return f"no peers: {PYTHON} is missing, run make bench-peers"
    texts = write_rows(folder, rows)
    taken: dict[str, list[Taken]] = {name: [] for name in KEEPS}
    for _ in range(TURNS):
        for name, whole in (("platform, twelve rules", False), ("platform, whole validation", True)):
            with tempfile.TemporaryDirectory(dir=folder) as scratch:
                call = f"from benchmarks.rules import platform; platform('{texts}', '{scratch}', {whole})"
                taken[name].append(_taken([sys.executable, "-c", call], ROOT))
        for name, (script, settings) in PEERS.items():
            file = ROOT / "benchmarks/peers" / f"{script}.py"
            command = [str(PYTHON), str(file), str(texts), str(folder / f"{script}.parquet")]
            taken[name].append(_taken(command, file.parent, settings))
    return _table({name: _median(found) for name, found in taken.items()})


def _median(found: list[Taken]) -> Taken:
    """Each figure's own: a machine that others use disturbs them apart."""
    middle = {n: sorted(getattr(t, n) for t in found)[len(found) // 2] for n in ("seconds", "cpu", "peak")}
    return Taken(**middle, found=found[0].found)


def _taken(command: list[str], path: Path, settings: dict[str, str] | None = None) -> Taken:
    layers = ROOT / "layers/huitong/python"
    environment = {**os.environ, **POOL, **(settings or {}), "PYTHONPATH": f"{path}{os.pathsep}{layers}"}
    with tempfile.TemporaryFile("w+") as said, tempfile.TemporaryFile("w+") as noise:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=said, stderr=noise)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        said.seek(0)
        noise.seek(0)
        if process.returncode:
            raise RuntimeError(f"{command}\n{noise.read()}")
        told = json.loads(said.read().splitlines()[-1])
    return Taken(told["seconds"], told["cpu"], usage.ru_maxrss / 1024, told["found"])


def _table(taken: dict[str, Taken]) -> str:
    own = taken["platform, twelve rules"]
    lines = ["| tool | seconds | × platform | CPU s | × platform | peak MB | violations | keeps |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    lines += [
        f"| {name} | {t.seconds:.2f} | {t.seconds / own.seconds:.2f} | {t.cpu:.2f} | {t.cpu / own.cpu:.2f} "
        f"| {t.peak:.0f} | {sum(t.found.values()):,} | {KEEPS[name]} |"
        for name, t in taken.items()
    ]
    return "\n".join(lines)
