"""A comparison computed by Athena and committed by us (C-38, docs/decisions/athena.md).

Athena only computes. It reads the served snapshot and a work table over the delivered files, and writes
what it found to the staging bucket. From there the same writer and the same commit take over as after a
comparison in a function: one snapshot with the batch id, one register write.

Each run has a token made of what it computes. A step that is killed asks again with the same token and
gets the same run, done or not; a run that failed, or whose files are gone, is followed by the next attempt.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from huitong.athena.choice import ABOVE_ROWS, Choice, Setting, choose_by_rows
from huitong.athena.runs import AthenaRuns, finished, token
from huitong.athena.text import quoted, table_at, unload
from huitong.comparison.athena_text import Tables, comparison_sql
from huitong.comparison.publishing import Job
from huitong.comparison.sources import Sources
from huitong.contracts.model import Contract
from huitong.errors import Fault, InvalidQuery, NotFound, Unavailable
from huitong.ports import ObjectStore
from huitong.warehouse.files import DataFileRef, data_prefix
from huitong.warehouse.lakehouse import Lakehouse
from huitong.warehouse.work_tables import KEY_COLUMNS, WorkTable, WorkTables

if TYPE_CHECKING:
    from huitong.comparison.athena_difference import AthenaDifference

FOLDER: Final = "athena"
_KEYS: Final = "keys-"  # files of keys beside those of the batch's rows, which never begin so
_ATTEMPTS: Final = 5
_SECONDS: Final = 780.0  # of one call; what is not done then is asked for again


@dataclass(frozen=True, slots=True)
class OnAthena:
    """``staging`` takes the answers, ``store`` is the warehouse bucket, ``database`` Glue's."""

    setting: Setting
    runs: AthenaRuns
    work: WorkTables
    lakehouse: Lakehouse
    staging: ObjectStore
    store: ObjectStore
    database: str
    above_rows: int = ABOVE_ROWS
    memory_mb: int = 750
    seconds: float = _SECONDS
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep

    def choice(self, contract: Contract, sources: Sources) -> Choice:
        """Where this comparison runs. A table that was empty needs none."""
        if not sources.current or not sources.delivered:
            return Choice("duckdb", "small")
        rows = max(sources.current_rows, sources.delivered_rows)
        above = contract.athena_above_rows
        return choose_by_rows(self.setting, contract.id, contract.engine, above, rows, self.above_rows)

    @contextmanager
    def compared(self, job: Job, sources: Sources) -> Iterator[AthenaDifference]:
        """The result, while the context lasts.

        Raises Unavailable (also while Athena is still at work), Corrupt, and Fault when Athena cannot do it.
        """
        from huitong.comparison.athena_difference import AthenaDifference
        from huitong.comparison.engine import session

        select = self._select(job, sources)
        with ExitStack() as stack:
            answer = self._answered(job, select, stack)
            connection = stack.enter_context(session(self.memory_mb))
            local = self.lakehouse.local
            yield AthenaDifference(connection, job.contract, sources, answer, self.store, local)

    def clean(self, job: Job) -> None:
        """Delete what was only there for this batch: answers, work tables. What stays is dropped later."""
        for found in list(self.staging.list(f"{FOLDER}/{job.batch.resource}/{job.batch.id}/")):
            self.staging.delete(found.key)
        self.work.drop_others(job.contract, ())
        for found in list(self.store.list(f"{data_prefix(job.contract.table, job.batch.id)}/{_KEYS}")):
            self.store.delete(found.key)

    # --- one run -----------------------------------------------------------

    def _select(self, job: Job, sources: Sources) -> str:
        contract = job.contract
        made = [self.work.of_rows(contract, sources.delivered)]
        keys = self._keys(job, sources)
        if keys is not None:
            made.append(self.work.of_keys(contract, [keys]))
        self.work.drop_others(contract, made)
        shown = [self._table(table) for table in made]
        current = table_at(self.database, contract.table, job.base("current"))
        tables = Tables(shown[0], current, shown[1] if len(shown) > 1 else "")
        return comparison_sql(contract, sources.mode, tables)

    def _table(self, table: WorkTable) -> str:
        return f"{quoted(self.database)}.{quoted(table.name)} FOR VERSION AS OF {table.snapshot}"

    def _answered(self, job: Job, select: str, stack: ExitStack) -> list[Path]:
        """The local files of an answer: of the run that is there, or of a new one."""
        deadline = self.clock() + self.seconds
        last: Fault | InvalidQuery | NotFound | None = None
        for attempt in range(_ATTEMPTS):
            made_of = token(job.batch.id, str(job.seq), str(attempt), select)
            prefix = f"{FOLDER}/{job.batch.resource}/{job.batch.id}/{made_of[:16]}/"
            id = self.runs.start(unload(select, self.staging.uri(prefix)), made_of)
            try:
                finished(self.runs, id, deadline, clock=self.clock, pause=self.pause, stop=False)
                keys = [self.staging.key_of(uri) for uri in self.runs.files(id)]
                return [stack.enter_context(self.staging.local(key)) for key in keys]
            except Unavailable as error:
                if error.where.get("run") == id:  # still at work: whoever asks next finds it
                    raise
                last = error
            except NotFound as error:  # its files were cleaned up since
                last = error
            except (Fault, InvalidQuery) as error:
                raise _cannot(job, error) from error
        raise _cannot(job, last) from last

    def _keys(self, job: Job, sources: Sources) -> DataFileRef | None:
        """Keys that are spoken of beside the rows, as one file with column ids; None without any.

        Its name is that of its sources, so that a repeat finds it.
        """
        named = [*sources.deletes, *sources.stated]
        if not named and not sources.quarantined:
            return None
        told = "\n".join([*(r.key for r in named), sources.quarantined])
        name = f"{_KEYS}{hashlib.sha256(told.encode()).hexdigest()[:20]}.parquet"
        key = f"{data_prefix(job.contract.table, job.batch.id)}/{name}"
        with TemporaryDirectory(prefix="huitong-keys-") as folder:
            path = Path(folder) / name
            rows = self._write_keys(job.contract, sources, path)
            if self.store.head(key) is None:
                self.store.put_file(key, path)
            return DataFileRef(key, rows, path.stat().st_size)

    def _write_keys(self, contract: Contract, sources: Sources, path: Path) -> int:
        import pyarrow.parquet as pq

        from huitong.comparison.engine import session
        from huitong.warehouse.sql import current_columns, names, text

        kinds = current_columns(contract)
        columns = [f.name for f in contract.keys]
        with ExitStack() as stack, session(self.memory_mb) as db:
            parts = []
            given = (("delete", sources.deletes), ("stated", sources.stated))
            for said, refs in given:
                paths = stack.enter_context(self.lakehouse.local.open(refs))
                parts += [_read(columns, said, found, row=said == "delete") for found in paths]
            if sources.quarantined:
                found = stack.enter_context(self.staging.local(sources.quarantined))
                parts.append(_read(columns, "quarantined", found, row=False))
            typed = ", ".join(f"CAST({names([c])} AS {kinds[c]}) AS {names([c])}" for c in columns)
            ids = {name: n for n, name in enumerate([*columns, *(c for c, _ in KEY_COLUMNS)], start=1)}
            listed = ", ".join(f"{names([name])}: {n}" for name, n in ids.items())
            every = f"SELECT {typed}, _said, _source_row FROM ({' UNION ALL BY NAME '.join(parts)})"
            db.execute(f"COPY ({every}) TO {text(str(path))} (FORMAT parquet, FIELD_IDS {{{listed}}})")
        return int(pq.read_metadata(path).num_rows)


def _read(columns: list[str], said: str, path: Path, *, row: bool) -> str:
    from huitong.warehouse.sql import names, text

    source = "_source_row" if row else "CAST(NULL AS BIGINT) AS _source_row"
    return f"SELECT {names(columns)}, '{said}' AS _said, {source} FROM read_parquet({text(str(path))})"


def _cannot(job: Job, error: BaseException | None) -> Fault:
    """Nothing is lost by it: the batch waits, and is compared again."""
    why = error.en if isinstance(error, (Fault, InvalidQuery, NotFound)) else ""
    return Fault(
        f"Athena 未能比对批次 {job.batch.id}", f"Athena could not compare batch {job.batch.id}: {why}",
        batch=job.batch.id,
    )  # fmt: skip
