"""Two editions of claims on a local stack of their own, compared in parts, one worker killed at its work.

``make fanout ROWS=10000000``. Prints how long each step took, the peak memory of each function's processes,
what became of the worker that was killed, and the ledger. Fails unless everything balances.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.claims import CONTRACT, write_editions
from tests.support.town import Api

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "localstack"))
import stack as local_stack  # type: ignore[import-not-found]  # noqa: E402

UNIT, RESOURCE, TABLE = "1144030000AA01123N", "bench-claims", "bench_claims"
ENDED = ("published", "held", "rejected", "failed", "duplicate", "superseded")
#: Functions get this long instead of what the template says: the machine may be busy with other things.
SECONDS = 900
COUNTS = ("received", "accepted", "quarantined", "duplicate", "inserted", "updated", "deleted",
          "unchanged", "retained")  # fmt: skip
FLOW = ("IngestFile", "ValidateBatch", "CompareBatch", "ComparePart", "CommitComparison")
#: What is asked of the published rows by the API.
QUERIES = {
    "a row by its key": f"SELECT principal, state FROM {TABLE} WHERE claim_id = 'C{10:017}'",
    "sums over all rows": f"SELECT count(*) AS n, sum(principal) AS s, avg(interest) AS i FROM {TABLE}",
}
#: How long an answer may take (C-38): what a query may.
LONGEST_QUERY = 25
#: A worker is killed when it was found busy so many times, a fifth of a second apart.
LOOKS = 4
#: Smaller comparisons of the drill are cut just as ten million rows are.
CUT_FROM_SHARE = 2


@dataclass
class Workers:
    """The processes of the stack's functions, looked at every fifth of a second (Linux)."""

    folder: Path
    peaks: dict[tuple[str, int], int] = field(default_factory=dict)  # (function, process) → MB
    hundredths: dict[tuple[str, int], int] = field(default_factory=dict)  # of a second, of processor time
    killed: int = 0
    kill_next: str = ""  # a function whose next working process dies
    _over: threading.Event = field(default_factory=threading.Event)
    _ticks: dict[int, int] = field(default_factory=dict)
    _busy: dict[int, int] = field(default_factory=dict)

    @contextmanager
    def watched(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.2):
            for pid, function in self._processes():
                size = _peak(pid)
                self.peaks[function, pid] = max(size, self.peaks.get((function, pid), 0))
                self.hundredths[function, pid] = max(_ticks(pid), self.hundredths.get((function, pid), 0))
                if function == self.kill_next and self._works(pid):
                    os.kill(pid, signal.SIGKILL)
                    self.killed, self.kill_next = pid, ""

    def _works(self, pid: int) -> bool:
        """Whether it is at work, some way into its rows: busy whenever it was looked at, this time too."""
        before, self._ticks[pid] = self._ticks.get(pid, 0), _ticks(pid)
        self._busy[pid] = self._busy.get(pid, 0) + 1 if 0 < before < self._ticks[pid] - 1 else 0
        return self._busy[pid] >= LOOKS

    def _processes(self) -> Iterator[tuple[int, str]]:
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                command = (entry / "cmdline").read_bytes().decode(errors="replace")
            except OSError:
                continue  # it has ended
            if str(self.folder) in command:
                found = next((name for name in FLOW if f"-{name}Func" in command), "")
                if found:
                    yield int(entry.name), found


def _ticks(pid: int) -> int:
    """Processor time in hundredths of a second; 0 when it has ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return int(told[11]) + int(told[12])


def _peak(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    (line,) = [row for row in status.splitlines() if row.startswith("VmHWM")] or ["VmHWM: 0 kB"]
    return int(line.split()[1]) // 1024


@dataclass
class Drill:
    stack: local_stack.Stack
    workers: Workers
    reader: str = ""  # token of a system of the unit

    def prepare(self, rows: int) -> None:
        self.admin = Api(self.stack.api_url, self.stack.token)
        functions = self.stack.client("lambda")
        for listed in functions.list_functions()["Functions"]:
            if any(f"-{name}Function-" in listed["FunctionName"] for name in FLOW):
                functions.update_function_configuration(FunctionName=listed["FunctionName"], Timeout=SECONDS)
        self._done("POST", "/v1/units", {"code": UNIT, "name": "基准单位"})
        cut = f"customProperties:\n  - {{property: fanOutRows, value: {rows // CUT_FROM_SHARE}}}"
        document = CONTRACT.replace("customProperties:", cut, 1)
        self._done("POST", "/v1/contracts", {"document": document, "provider": UNIT})

    def deliver(self, file: Path, *, kill: bool = False) -> dict[str, Any]:
        """A file straight into the landing bucket; its batch when nothing moves any more."""
        began = time.monotonic()
        if kill:
            self.workers.kill_next = "ComparePart"
        key = f"{UNIT}/{RESOURCE}/u{file.stem}/{file.name}"
        self.stack.client("s3").upload_file(str(file), self.stack.outputs["LandingBucket"], key)
        say(f"{file.name} landed after {time.monotonic() - began:.0f} s")
        last = ""
        while True:
            _, told = self.admin.call("GET", f"/v1/batches?resource={RESOURCE}")
            mine = [b for b in told["items"] if b["landing_key"] == key]
            status = mine[0]["status"] if mine else "landed"
            if status != last:
                say(f"{file.name}: {status} after {time.monotonic() - began:.0f} s")
                last = status
            if status in ENDED:
                return dict(mine[0])
            time.sleep(1)

    def parts(self) -> tuple[int, list[float], Counter[str]]:
        """Of the latest execution: how many parts, how long each took, and failed attempts by error."""
        states = self.stack.client("stepfunctions")
        (machine,) = states.list_state_machines()["stateMachines"]
        runs = states.list_executions(stateMachineArn=machine["stateMachineArn"])["executions"]
        latest = max(runs, key=lambda run: run["startDate"])
        (mapped,) = states.list_map_runs(executionArn=latest["executionArn"])["mapRuns"]
        seconds, errors = [], Counter[str]()
        for child in states.list_executions(mapRunArn=mapped["mapRunArn"])["executions"]:
            seconds.append((child["stopDate"] - child["startDate"]).total_seconds())
            history = states.get_execution_history(executionArn=child["executionArn"])["events"]
            failed = [e["taskFailedEventDetails"] for e in history if e["type"] == "TaskFailed"]
            errors.update(f["error"] for f in failed)
        return len(seconds), sorted(seconds), errors

    def commits(self, table: str) -> list[str]:
        found = self.stack.client("glue").get_table(DatabaseName="huitong", Name=table)["Table"]
        bucket, _, key = found["Parameters"]["metadata_location"].removeprefix("s3://").partition("/")
        metadata = json.loads(self.stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
        return [s["summary"]["huitong.batch-id"] for s in metadata["snapshots"]]

    def query(self, sql: str) -> tuple[float, list[dict[str, Any]]]:
        """Seconds until the answer, and its rows, as a system of the unit gets them."""
        if not self.reader:
            asked = {"name": "reader", "unit": UNIT, "roles": ["source"]}
            self.reader = str(self._done("POST", "/v1/credentials", asked)["token"])
        began = time.monotonic()
        status, told = Api(self.stack.api_url, self.reader).call("POST", "/v1/queries", {"sql": sql})
        if status != 200:
            raise RuntimeError(f"{sql}: {status} {told}")
        return time.monotonic() - began, list(told["rows"])

    def ledger(self) -> dict[str, Any]:
        return dict(self._done("GET", f"/v1/ledger?resource={RESOURCE}"))

    def _done(self, method: str, path: str, body: Any = None) -> Any:
        status, told = self.admin.call(method, path, body)
        if status not in (200, 201):
            raise RuntimeError(f"{method} {path}: {status} {told}")
        return told


def say(text: str) -> None:
    sys.stderr.write(f"  {text}\n")


def check(name: str, holds: bool) -> None:
    print(f"{'ok  ' if holds else 'FAIL'} {name}")
    if not holds:
        raise SystemExit(1)


def steps(batch: dict[str, Any]) -> str:
    moments = [(status, datetime.fromisoformat(at)) for status, at, _ in batch["history"]]
    landed = datetime.fromisoformat(batch["received_at"])
    shown, before = [], landed
    for status, at in moments:
        shown.append(f"{status} +{(at - before).total_seconds():.0f} s")
        before = at
    return f"{', '.join(shown)}; {(before - landed).total_seconds():.0f} s from landing to publication"


def counted(batch: dict[str, Any]) -> str:
    return ", ".join(f"{name} {batch[name]:,}" for name in COUNTS if batch[name])


def _end(*_: object) -> None:
    raise SystemExit(1)  # so that the stack is stopped


def main() -> None:
    signal.signal(signal.SIGTERM, _end)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "huitong-bench")
    parser.add_argument("--port", type=int, default=int(os.environ.get("STACK_PORT") or 0))
    asked = parser.parse_args()
    first, second = write_editions(asked.folder, asked.rows)
    with tempfile.TemporaryDirectory(prefix="huitong-fanout-", dir=asked.folder) as folder:
        made = local_stack.up(Path(folder), asked.port)
        workers = Workers(Path(folder))
        try:
            with workers.watched():
                drill = Drill(made, workers)
                drill.prepare(asked.rows)
                batches = [drill.deliver(first), drill.deliver(second, kill=True)]
                report(drill, asked.rows, batches)
        finally:
            made.stop()


def report(drill: Drill, rows: int, batches: list[dict[str, Any]]) -> None:
    print(f"\n{rows:,} rows × 12 columns, twice; {os.cpu_count()} processors, two parts at once\n")
    for number, batch in enumerate(batches, start=1):
        print(f"edition {number}: {counted(batch)}\n  {steps(batch)}")
    count, seconds, errors = drill.parts()
    took = f"{seconds[0]:.0f} to {seconds[-1]:.0f} s each"
    print(f"second edition: {count} parts, {took}, failed attempts {dict(errors)}")
    for name in FLOW:
        peaks = [mb for (function, _), mb in drill.workers.peaks.items() if function == name]
        used = sum(n for (function, _), n in drill.workers.hundredths.items() if function == name) / 100
        shown = f"{len(peaks)} processes, peak {max(peaks, default=0):,} MB, {used:,.0f} s of processor time"
        print(f"  {name:17} {shown} for both editions")
    ledger, ids = drill.ledger(), sorted(b["id"] for b in batches)
    print()
    check("both editions are published", [b["status"] for b in batches] == ["published", "published"])
    killed = drill.workers.killed
    check(f"a worker (process {killed}) was killed and its part done again", bool(killed and errors))
    check("every row is accounted for", all(b["balanced"] for b in batches))
    check("the ledger balances", ledger["balanced"])
    for table in (TABLE, f"{TABLE}__changes"):
        check(f"one commit of {table} for each edition", sorted(drill.commits(table)) == ids)
    every: Callable[[str], int] = lambda name: sum(b[name] for b in batches)  # noqa: E731
    expected = every("inserted") - every("deleted")
    check(f"{expected:,} rows are served", served(drill) == (expected, expected))
    for name, sql in QUERIES.items():
        took, answer = min(drill.query(sql), drill.query(sql), key=lambda timed: timed[0])
        print(f"query, {name}: {took:.1f} s")
        check(f"{name}: answered within {LONGEST_QUERY} s", bool(answer) and took < LONGEST_QUERY)


def served(drill: Drill) -> tuple[int, int]:
    """Rows of the current table and distinct keys among them, read from its files past the platform."""
    import duckdb

    found = drill.stack.client("glue").get_table(DatabaseName="huitong", Name=TABLE)["Table"]
    bucket = found["Parameters"]["metadata_location"].removeprefix("s3://").partition("/")[0]
    from pyiceberg.catalog import load_catalog

    where = {"s3.endpoint": drill.stack.endpoint, "glue.endpoint": drill.stack.endpoint}
    keys = {"client.access-key-id": "test", "client.secret-access-key": "test", "client.region": "us-east-1"}
    catalog = load_catalog("drill", type="glue", warehouse=f"s3://{bucket}", **where, **keys)
    ids = catalog.load_table(f"huitong.{TABLE}").scan(selected_fields=("claim_id",)).to_arrow()
    with duckdb.connect() as connection:
        connection.register("ids", ids)
        rows, keys_found = connection.sql("SELECT count(*), count(DISTINCT claim_id) FROM ids").fetchall()[0]
    return int(rows), int(keys_found)


if __name__ == "__main__":
    main()
