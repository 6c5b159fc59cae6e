"""The files that a comparison writes to the warehouse: change log, and pieces of the current table.

Keys are fresh for each attempt: a file that some commit may name never changes its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from huitong.comparison.inputs import Inputs
from huitong.contracts.model import Contract
from huitong.errors import Corrupt
from huitong.ports import ObjectStore
from huitong.warehouse.files import DataFileRef, changes_table, data_prefix

if TYPE_CHECKING:
    from huitong.comparison.athena_difference import AthenaDifference
    from huitong.comparison.diff import Difference
    from huitong.comparison.writing import Stamp


@dataclass(frozen=True, slots=True)
class Written:
    """Files for one commit; ``local`` has a copy of each added one, or of its footer, by key."""

    add: tuple[DataFileRef, ...] = ()
    remove: tuple[DataFileRef, ...] = ()
    local: Mapping[str, Path] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outputs:
    """Writes what one comparison found. ``folder`` keeps local copies until the commit."""

    warehouse: ObjectStore
    contract: Contract
    folder: Path

    def changes(
        self,
        difference: Difference | AthenaDifference,
        inputs: Inputs,
        stamp: Stamp,
        ids: Mapping[str, int],
        first: int = 0,
    ) -> Written:
        """The change log of the rows that changed, numbered from ``first`` + 1; ``ids`` are column ids."""
        if not difference.outcome.changed:
            return Written()
        from huitong.comparison.writing import ROWS, write_changes
        from huitong.warehouse.arrow_schema import changes_arrow_schema

        contract = self.contract
        schema = changes_arrow_schema(contract, ids)
        path = self.folder / "changes.parquet"
        rows = write_changes(difference.change_rows(ROWS), schema, contract, stamp, path, first)
        _expect(rows, difference.outcome.changed, stamp.batch_id)
        name = f"changes{inputs.bucket.tag()}-{uuid4().hex}.parquet"
        ref = self._store(f"{data_prefix(changes_table(contract.table), stamp.batch_id)}/{name}", path, rows)
        return Written((ref,), (), {ref.key: path})

    def current(self, difference: Difference | AthenaDifference, inputs: Inputs, batch_id: str) -> Written:
        """The files that the current table gets and loses."""
        placement = difference.placement()
        local = {f.ref.key: f.path for f in inputs.delivered}
        add = list(placement.takeover)
        if placement.write:
            from huitong.comparison.writing import ROWS, write_rows
            from huitong.warehouse.arrow_schema import arrow_schema

            schema = arrow_schema(self.contract)
            for number, file in enumerate(placement.write):
                path = self.folder / f"current-{number}.parquet"
                rows = write_rows(difference.rows_of(file, ROWS), schema, self.contract, path)
                _expect(rows, file.rows, batch_id)
                name = f"rows{file.bucket(inputs.bucket).tag()}-{uuid4().hex}.parquet"
                key = f"{data_prefix(self.contract.table, batch_id)}/{name}"
                add.append(self._store(key, path, rows, file.partition))
                local[key] = path
        return Written(tuple(add), placement.remove, local)

    def _store(self, key: str, path: Path, rows: int, partition: tuple[str | None, ...] = ()) -> DataFileRef:
        self.warehouse.put_file(key, path)
        return DataFileRef(key, rows, path.stat().st_size, partition)


def _expect(rows: int, expected: int, batch_id: str) -> None:
    if rows != expected:
        raise Corrupt(
            f"批次 {batch_id} 写出 {rows} 行,应为 {expected} 行",
            f"Batch {batch_id}: {rows} rows were written, {expected} were counted",
            batch=batch_id,
        )
