"""A delivery's own file, with what is wrong beside each row: made once, kept, handed out by a link (C-13).

Only the unit that delivered it may have it: it holds the unit's own values, plain.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Final, Protocol

from huitong.audit.trace import Trace, Traces
from huitong.batches.model import Batch
from huitong.batches.register import Batches
from huitong.contracts.model import Contract
from huitong.errors import Conflict, NotFound
from huitong.intake.profiles import ImportProfile, Profiles
from huitong.intake.uploads import Uploads
from huitong.ports import Clock, Item, ObjectStore, Register, timestamp

if TYPE_CHECKING:
    from huitong.intake.readers.opening import Opened
    from huitong.quality.returning.problems import Problems

LINK_SECONDS: Final = 300
_MEDIA: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "csv": "text/csv",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
}
_NOTE: Final = {
    "xls": (
        "XLS 不能写出,已改为 XLSX,单元格均为文本",
        "XLS cannot be written: it is given back as XLSX with all cells as text",
    ),
    "packed": ("压缩包已解开", "The archive was unpacked"),
}


class ContractSource(Protocol):
    def get(self, id: str, version: int = 0) -> Contract: ...


@dataclass(frozen=True, slots=True)
class Returned:
    """``rows`` were written; ``whole`` = all rows of the file, else those in quarantine."""

    batch: str
    key: str
    filename: str
    sha256: str
    size: int
    rows: int
    whole: bool
    at: str
    note_zh: str = ""
    note_en: str = ""


class GiveBack:
    """Entries ``RETURNED#{batch}`` / ``all`` or ``bad`` of a set of findings; files under ``returned/``."""

    def __init__(
        self,
        register: Register,
        landing: ObjectStore,
        staging: ObjectStore,
        contracts: ContractSource,
        uploads: Uploads,
        profiles: Profiles,
        batches: Batches,
        traces: Traces,
        clock: Clock,
    ) -> None:
        self._register = register
        self._landing = landing
        self._staging = staging
        self._contracts = contracts
        self._uploads = uploads
        self._profiles = profiles
        self._batches = batches
        self._traces = traces
        self._clock = clock

    def find(self, batch: Batch, *, whole: bool) -> Returned | None:
        """The file, if it was made of the findings as they are now and is still kept."""
        item = self._register.get(f"RETURNED#{batch.id}", _variant(batch, self.whole(batch, whole)))
        made = Returned(**item.body) if item else None
        return made if made is not None and self._is_kept(made) else None

    def _is_kept(self, made: Returned) -> bool:
        """Files go after 90 days, and when what they hold has expired; entries stay. A list tells, since not
        everybody who says that a file is ready may read it."""
        return any(o.key == made.key and o.size == made.size for o in self._staging.list(made.key))

    def make(self, batch: Batch, *, whole: bool) -> Returned:
        """The file, made if it was not yet. Raises NotFound where there is nothing to give back."""
        whole = self.whole(batch, whole)
        known = self.find(batch, whole=whole)
        if known is not None:
            return known
        self.check(batch)
        made = self._made(batch, whole)
        at = (f"RETURNED#{batch.id}", _variant(batch, whole))
        gone = self._register.get(*at)
        with suppress(Conflict):  # somebody made it at the same time
            if gone is None:
                self._register.create(Item(*at, asdict(made)))
            else:
                self._register.replace(replace(gone, body=asdict(made)))
        return made

    def check(self, batch: Batch) -> None:
        """Raises NotFound where there is nothing to give back: no findings, a file that was not read, or rows
        that have expired."""
        if not batch.findings:
            raise NotFound(
                f"批次 {batch.id} 没有逐行的问题,无文件可退",
                f"Batch {batch.id} has no findings on rows: there is nothing to give back",
                batch=batch.id,
                status=batch.status,
            )

        stored = self._batches.holdings.find(self._first(batch))
        if stored is not None and stored.holding.expired_at:
            raise NotFound(
                f"批次 {batch.id} 的隔离行已过期,不再退回",
                f"The rows of batch {batch.id} in quarantine have expired: nothing is given back any more",
                batch=batch.id,
                expired_at=stored.holding.expired_at,
            )

    def _first(self, batch: Batch) -> Batch:
        """The delivery whose rows it is about."""
        return self._batches.get(batch.mends).batch if batch.mends else batch

    def link(self, returned: Returned, batch: Batch, *, by: str, unit: str, request: str, source: str) -> str:
        """An address for a few minutes; its use is on record before it is told (S-15)."""
        contract = self._contracts.get(batch.resource, batch.contract_version)
        told = Trace(
            "download", by, unit, batch.resource, batch=batch.id, count=returned.rows, request=request,
            fields=tuple(f.name for f in contract.fields), path="export", source=source, detail="returned",
        )  # fmt: skip
        self._traces.write(told)
        return self._staging.presign_get(returned.key, seconds=LINK_SECONDS)

    def whole(self, batch: Batch, asked: bool) -> bool:
        """Of a rejected delivery nothing was taken: all of it comes back."""
        return asked or batch.decision == "rejected"

    def _made(self, batch: Batch, whole: bool) -> Returned:
        from huitong.intake.readers.opening import open_file
        from huitong.intake.reading import reading_of
        from huitong.quality.returning.problems import problems_of

        contract = self._contracts.get(batch.resource, batch.contract_version)
        first = self._first(batch) if batch.mends else None
        reading = reading_of(batch, first, contract, self._profile(batch), self._uploads)
        with (
            TemporaryDirectory(prefix="huitong-returned-") as folder,
            self._landing.local(batch.landing_key, batch.landing_version) as path,
            self._staging.local(batch.findings) as found,
        ):
            work = Path(folder)
            opened = open_file(path, batch.filename, *reading, work)
            problems = problems_of(found)
            numbered = not batch.mends or batch.replay
            ending, rows = _written(opened, reading[1], problems, batch, work, whole=whole, numbered=numbered)
            target = work / "returned"
            with target.open("rb") as stream:
                sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
            name = f"{opened.filename.rpartition('.')[0] or opened.filename}_问题.{ending}"
            key = f"returned/{batch.id}/{sha256[:16]}/{name}"
            self._staging.put_file(key, target, content_type=_MEDIA.get(ending, "application/octet-stream"))
            why = _NOTE.get(
                "xls" if opened.kind == "xls" else "packed" if opened.path != path else "", ("", "")
            )
            at = timestamp(self._clock.now())
            return Returned(batch.id, key, name, sha256, target.stat().st_size, rows, whole, at, *why)

    def _profile(self, batch: Batch) -> ImportProfile | None:
        return self._profiles.find(batch.unit, batch.resource, batch.profile) if batch.profile else None


def _variant(batch: Batch, whole: bool) -> str:
    findings = hashlib.sha256(batch.findings.encode()).hexdigest()[:8]
    return f"{'all' if whole else 'bad'}-{findings}"


def _written(
    opened: Opened, names: Any, problems: Problems, batch: Batch, work: Path, *, whole: bool, numbered: bool
) -> tuple[str, int]:
    """Write ``work/returned``: the ending of its name, and its rows."""
    target, table = work / "returned", opened.table
    ending = opened.filename.rpartition(".")[2].lower() if "." in opened.filename else ""
    if opened.kind in ("xlsx", "xls"):
        from huitong.quality.returning.summary import summary_of
        from huitong.quality.returning.workbook import Workbook, plain_copy

        source, excel = opened.path, table
        if opened.kind == "xls":
            source = work / "as.xlsx"
            excel = plain_copy(table, source)  # type: ignore[arg-type]
        book = Workbook(excel, names, numbered, summary_of(batch, problems, whole=whole))  # type: ignore[arg-type]
        return "xlsx", book.write(source, target, problems, whole=whole)
    if opened.kind == "parquet":
        from huitong.quality.returning.columnar import Columnar

        return "parquet", Columnar(names, numbered).write(opened.path, target, problems, whole=whole)
    if opened.kind == "json":
        from huitong.quality.returning.objects import Objects

        rows = Objects(table, numbered).write(target, problems, whole=whole)  # type: ignore[arg-type]
        return ending if ending in ("json", "ndjson", "jsonl") else "json", rows
    from huitong.quality.returning.delimited import Delimited

    csv = Delimited(table, names, numbered)  # type: ignore[arg-type]
    return ending or "csv", csv.write(opened.path, target, problems, whole=whole)


def shown(returned: Returned, url: str) -> dict[str, Any]:
    """What the API tells."""
    told = asdict(replace(returned, key=""))
    del told["key"]
    return {**told, "url": url, "expires_in": LINK_SECONDS}
