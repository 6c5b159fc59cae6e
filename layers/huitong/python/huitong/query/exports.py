"""Results taken away as files: by right, counted, marked, and on record before they are (C-21, L-38)."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from huitong.audit.subjects import Subjects
from huitong.audit.trace import Trace, Traces
from huitong.identity.model import Principal
from huitong.ports import Clock, Item, ObjectStore, Register, timestamp
from huitong.query.run import Queries, Whole
from huitong.sharing.access import Access
from huitong.sharing.marks import Mark, agrees, bits_of
from huitong.sharing.volume import Volumes

LINK_SECONDS: Final = 300
_LISTED: Final = "EXPORTS"


@dataclass(frozen=True, slots=True)
class Export:
    mark: Mark
    url: str
    filename: str
    sha256: str
    size: int

    def as_dict(self) -> dict[str, Any]:
        mark = self.mark
        return {
            "id": mark.id, "url": self.url, "filename": self.filename, "sha256": self.sha256,
            "size": self.size, "format": mark.format, "rows": mark.rows, "mark": mark.text(),
            "expires_in": LINK_SECONDS,
        }  # fmt: skip


class Exports:
    """``files`` is the staging bucket, ``key`` gets the key of hidden marks. Entries are ``EXPORT#{id}``."""

    def __init__(
        self,
        register: Register,
        files: ObjectStore,
        queries: Queries,
        traces: Traces,
        volumes: Volumes,
        key: Callable[[], str],
        clock: Clock,
    ) -> None:
        self._register = register
        self._files = files
        self._queries = queries
        self._traces = traces
        self._volumes = volumes
        self._key = key
        self._clock = clock

    def make(
        self,
        query: str,
        principal: Principal,
        unit: str,
        format: str,
        *,
        purpose: str,
        request: str,
        source: str,
    ) -> Export:
        """A marked file of a result and an address of it for a few minutes.

        Raises like :meth:`huitong.query.run.Queries.whole`; NotPermitted beyond the
        volume of a grant, LimitExceeded where a sheet is too small.
        """
        from huitong.query.files import MEDIA, write_marked

        with self._queries.whole(query, principal, purpose=purpose) as whole:
            unit = whole.acting_unit or unit
            mark = self._mark(whole, query, principal, unit, format, request)
            for access in whole.accesses:
                rows = whole.carried.get(access.resource, mark.rows)
                self._volumes.take(unit, access, rows, query=True)
            with TemporaryDirectory(prefix="huitong-export-") as folder:
                path = Path(folder) / "file"
                write_marked(whole.table, mark, bits_of(self._key(), mark.id), path)
                with path.open("rb") as stream:
                    sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
                size, filename = (
                    path.stat().st_size,
                    f"{'_'.join(mark.resources) or 'result'}_{mark.id}.{format}",
                )
                name = f"queries/{query}/{filename}"
                self._files.put_file(name, path, content_type=MEDIA[format])  # type: ignore[index]
            self._recorded(mark, whole, sha256, source)
        return Export(mark, self._files.presign_get(name, seconds=LINK_SECONDS), filename, sha256, size)

    def trace(self, ids: Sequence[str], bits: str = "") -> list[Mark]:
        """The exports that a file's open marks name, or whose hidden mark its rows have."""
        named = [self.find(id) for id in dict.fromkeys(ids)]
        found = {mark.id: mark for mark in named if mark is not None}
        if bits.strip("?"):
            for item in self._register.query_index("index1", _LISTED, descending=True):
                mark = Mark.from_dict(item.body["mark"])
                if not mark.ordered and agrees(bits, bits_of(self._key(), mark.id)):
                    found[mark.id] = mark
        return list(found.values())

    def find(self, id: str) -> Mark | None:
        item = self._register.get(f"EXPORT#{id}", "EXPORT")
        return Mark.from_dict(item.body["mark"]) if item else None

    def _mark(
        self, whole: Whole, query: str, principal: Principal, unit: str, format: str, request: str
    ) -> Mark:
        accesses = whole.accesses
        purposes = [whole.use.purpose, *(a.purpose for a in accesses)]
        return Mark(
            id=f"x{uuid.uuid4().hex}",
            unit=unit,
            user=principal.who,
            at=timestamp(self._clock.now()),
            resources=tuple(a.resource for a in accesses),
            purpose=next((p for p in purposes if p), ""),
            case_no=next((a.case_no for a in accesses if a.case_no), whole.use.case_no),
            duty=next((a.duty for a in accesses if a.duty), ""),
            grants=tuple(dict.fromkeys(a.grant for a in accesses if a.grant)),
            request=request,
            query=query,
            format=format,
            rows=whole.table.num_rows,
            ordered=whole.ordered,
        )

    def _recorded(self, mark: Mark, whole: Whole, sha256: str, source: str) -> None:
        """Evidence and the mark's entry in one write: without them the address is not told (S-15)."""
        entry = Item(
            f"EXPORT#{mark.id}",
            "EXPORT",
            {"mark": mark.as_dict(), "sha256": sha256},
            index1=(_LISTED, mark.at),
        )
        told = [
            _trace(mark, access, whole.disclosed.get(access.resource), source) for access in whole.accesses
        ]
        plain = replace(_trace(mark, Access("", ()), None, source), detail=mark.id)
        self._traces.commit(*(told or [plain]), creates=[entry])


def _trace(mark: Mark, access: Access, subjects: Subjects | None, source: str) -> Trace:
    return Trace(
        "download",
        actor=mark.user,
        unit=mark.unit,
        resource=access.resource,
        fields=access.fields,
        masked=tuple(access.masks),
        case_no=access.case_no,
        duty=access.duty,
        purpose=mark.purpose,
        count=mark.rows,
        request=mark.request,
        detail=mark.id,
        path="export",
        grant=access.grant,
        source=source,
    ).of(subjects or Subjects())
