"""One part of a comparison: the rows of one key bucket, delivered and current. Needs DuckDB and pyarrow.

Effects in order: change log file, current files, receipt. Files have fresh names and the
receipt is only ever created: of several workers at the same part the first receipt counts, and what
the others wrote is named nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Protocol

from huitong.comparison.guard import SAMPLE
from huitong.comparison.inputs import Inputs, Op
from huitong.comparison.outputs import Outputs, Written
from huitong.comparison.parts import Plan, Receipt, receipt_key
from huitong.comparison.sources import opened
from huitong.contracts.model import Contract
from huitong.errors import Conflict
from huitong.ports import ObjectStore
from huitong.warehouse.buckets import Bucket
from huitong.warehouse.local_files import LocalFiles

if TYPE_CHECKING:
    from huitong.comparison.diff import Difference

_SHOWN: tuple[Op, ...] = ("update", "delete")


class ContractSource(Protocol):
    def get(self, id: str, version: int = 0) -> Contract: ...


@dataclass(frozen=True, slots=True)
class ComparePart:
    warehouse: ObjectStore
    staging: ObjectStore
    contracts: ContractSource
    memory_mb: int = 300

    def run(self, plan_key: str, number: int) -> dict[str, Any]:
        """Do a part, unless its receipt is there; ids and counts for the log.

        Raises NotFound without the plan, Corrupt when a file is not what its name or reference says or a
        key stands twice on one side, Unavailable.
        """
        plan = Plan.from_json(self.staging.read(plan_key))
        told: dict[str, Any] = {"batch_id": plan.batch, "resource": plan.resource, "unit": plan.unit}
        told |= {"part": number, "of": plan.of}
        key = receipt_key(plan_key, number)
        if self.staging.head(key) is not None:
            return {**told, "done": "before"}
        with self._compared(plan, Bucket(number, plan.of)) as (difference, inputs, outputs):
            receipt = self._written(plan, difference, inputs, outputs)
        with suppress(Conflict):  # another worker of this part was first: its files count
            self.staging.put(key, receipt.to_json(), content_type="application/json", if_absent=True)
        return {**told, "changed": receipt.outcome.changed, "unchanged": receipt.outcome.unchanged}

    @contextmanager
    def _compared(self, plan: Plan, bucket: Bucket) -> Iterator[tuple[Difference, Inputs, Outputs]]:
        from huitong.comparison.diff import compared

        contract = self.contracts.get(plan.resource, plan.contract_version)
        with (
            TemporaryDirectory(prefix="huitong-part-") as folder,
            opened(
                plan.sources.of(bucket), contract, LocalFiles(self.warehouse), self.staging, bucket
            ) as inputs,
            compared(inputs, self.memory_mb) as difference,
        ):
            yield difference, inputs, Outputs(self.warehouse, contract, Path(folder))

    def _written(self, plan: Plan, difference: Difference, inputs: Inputs, outputs: Outputs) -> Receipt:
        from huitong.comparison.writing import Stamp

        received, changed = datetime.fromisoformat(plan.received_at), datetime.fromisoformat(plan.changed_at)
        stamp = Stamp(plan.seq, plan.resource, plan.unit, plan.batch, received, changed)
        first = inputs.bucket.number * plan.room
        changes = outputs.changes(difference, inputs, stamp, plan.change_ids, first)
        current = outputs.current(difference, inputs, plan.batch)
        return Receipt(
            outcome=difference.outcome,
            changes=changes.add,
            add=current.add,
            remove=current.remove,
            footers={**_footers(changes), **_footers(current)},
            samples={op: [_texts(key) for key in difference.keys(op, SAMPLE)] for op in _SHOWN},
        )


def _footers(written: Written) -> dict[str, bytes]:
    """Those of the added files, from which the commit takes its statistics without reading the files."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    found = {}
    for ref in written.add:
        sink = pa.BufferOutputStream()
        pq.read_metadata(written.local[ref.key]).write_metadata_file(sink)
        found[ref.key] = sink.getvalue().to_pybytes()
    return found


def _texts(key: Sequence[Any]) -> list[str | None]:
    return [None if value is None else str(value) for value in key]
