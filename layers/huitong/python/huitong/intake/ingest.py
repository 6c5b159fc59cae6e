"""Ingesting: a registered batch's landed object becomes staged rows (Q-01, Q-20).

What is left to do is done, whatever was done before a kill: the upload knows its batch, staging files and
findings on structure are written, the batch is moved on with its count, the validator is woken.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from huitong.batches.model import Batch, Counts, Decision
from huitong.batches.register import Batches, Stored
from huitong.contracts.model import Contract, Mode
from huitong.errors import Conflict, HuitongError, Refusal, UnreadableFile
from huitong.intake.landed import ContractSource, Landed, Landings, mode_of
from huitong.intake.mends import check_mended
from huitong.intake.profiles import ImportProfile
from huitong.intake.readers.refusals import refusal
from huitong.intake.uploads import Uploads
from huitong.ports import EventBus, ObjectStore, Queue

if TYPE_CHECKING:
    from huitong.intake.stage import Staged

_BY: Final = "intake"
_REJECTED: Final[Decision] = "rejected"


class Ingest:
    def __init__(
        self,
        landings: Landings,
        staging: ObjectStore,
        contracts: ContractSource,
        uploads: Uploads,
        batches: Batches,
        validate_queue: Queue,
        events: EventBus,
    ) -> None:
        self._landings = landings
        self._staging = staging
        self._contracts = contracts
        self._uploads = uploads
        self._batches = batches
        self._validate_queue = validate_queue
        self._events = events

    def carry_on(self, stored: Stored, landed: Landed, path: Path) -> Batch:
        """Do what is left for a registered batch; what cannot be read is rejected. Raises Conflict, Fault."""
        if landed.upload is not None and not stored.batch.replay:
            with suppress(Conflict):  # written by another call at this moment: the same value
                self._uploads.became(landed.upload.id, stored.batch.id)
        if stored.batch.status == "received":
            try:
                stored = self._ingested(stored, landed, path)
            except Refusal as error:
                if isinstance(error, Conflict):
                    raise
                return self._rejected(stored, error)
        if stored.batch.status == "ingested":
            self._validate_queue.send({"batch_id": stored.batch.id})
        return stored.batch

    def _ingested(self, stored: Stored, landed: Landed, path: Path) -> Stored:
        contract = self._permitted(landed)
        profile = self._profile(landed)
        mode = self._replayed(stored.batch) if stored.batch.replay else self._meant(landed, profile, contract)
        batch = replace(stored.batch, mode=mode)
        staged = self._staged(batch, landed, path, contract, profile)
        return self._batches.move(
            stored,
            "ingested",
            by=_BY,
            mode=mode,
            profile=profile.name if profile else "",
            contract_version=contract.version,
            counts=Counts(received=staged.rows, unread=staged.rows),
            staging=staged.keys,
        )

    def _meant(self, landed: Landed, profile: ImportProfile | None, contract: Contract) -> Mode:
        """Raises UnreadableFile for rows that are to mend what cannot be mended."""
        first = self._landings.mended(landed)
        if landed.upload is not None and landed.upload.mends:
            check_mended(first, landed.unit, landed.resource, landed.upload.mends)
        return mode_of(landed.upload, profile, contract, first)

    def _replayed(self, batch: Batch) -> Mode:
        """A rejected delivery is brought again as what it was, unless rows of it were mended since."""
        first = self._batches.get(batch.mends).batch
        held = self._batches.holdings.find(first)
        others = [t for t in held.holding.takes if t.batch != batch.id] if held else []
        if held is not None and held.holding.whole and not others:
            return first.mode
        return "deletion" if first.mode == "deletion" else "increment"

    def _held(self, batch: Batch) -> Any:
        """The rows of the file that a replay brings again; None = all."""
        if not batch.replay:
            return None
        from huitong.batches.held_rows import NONE, open_rows

        first = self._batches.get(batch.mends).batch
        held = self._batches.holdings.find(first)
        return open_rows(self._staging, first, held.holding) if held else NONE

    def _staged(
        self, batch: Batch, landed: Landed, path: Path, contract: Contract, profile: ImportProfile | None
    ) -> Staged:
        # Imported here: refusals and repeats need neither pyarrow nor any reader.
        from huitong.intake.readers.chosen import only
        from huitong.intake.readers.opening import open_table
        from huitong.intake.reading import reading_of
        from huitong.intake.stage import stage

        layout, names = reading_of(batch, self._landings.mended(landed), contract, profile, self._uploads)
        with tempfile.TemporaryDirectory(prefix="huitong-intake-") as folder:
            work = Path(folder)
            table = only(open_table(path, landed.filename, layout, names, work), self._held(batch))
            return stage(table, names, contract, profile, batch.mode, batch, self._staging, work)

    def _permitted(self, landed: Landed) -> Contract:
        contract = self._contracts.find(landed.resource)
        if contract is None:
            raise refusal(
                "resource.unknown",
                f"没有登记资源 {landed.resource}",
                f"There is no resource {landed.resource}",
                advice=(
                    "核对资源编号,或先登记数据契约",
                    "Check the resource's id, or register its contract first",
                ),
                file=landed.filename,
            )
        if contract.provider and landed.unit != contract.provider:
            raise refusal(
                "unit.foreign",
                f"单位 {landed.unit} 不是资源 {landed.resource} 的数源单位,不能交付",
                f"Unit {landed.unit} is not the source unit of {landed.resource} and may not deliver it",
                file=landed.filename,
            )
        return contract

    def _profile(self, landed: Landed) -> ImportProfile | None:
        """The profile that was named, or the default one if there is one."""
        named = landed.upload.profile if landed.upload else ""
        found = self._landings.profile(landed)
        if found is None and named:
            raise refusal(
                "profile.unknown",
                f"没有名为 {named} 的导入方案",
                f"There is no import profile {named}",
                advice=("先保存导入方案,或不指定", "Save the profile first, or name none"),
                file=landed.filename,
            )
        return found

    def _rejected(self, stored: Stored, error: HuitongError) -> Batch:
        error.where.setdefault("file", stored.batch.filename)
        reason = error.as_dict()
        batch = stored.batch
        # The event first: were it second, a kill in between would swallow it.
        self._events.publish(
            "BatchRejected",
            {
                "batch_id": batch.id,
                "resource": batch.resource,
                "unit": batch.unit,
                "rules": [p.rule for p in error.problems]
                if isinstance(error, UnreadableFile)
                else [error.code],
            },
        )
        moved = self._batches.move(
            stored, "rejected", by=_BY, refusal=reason, decision=_REJECTED, counts=Counts()
        )
        return moved.batch
