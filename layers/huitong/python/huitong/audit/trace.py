"""The trace log (L-34): which act touched which resource, for whom, when and why.

Append only: an entry is created, never replaced. Entries hold ids, field names
and counts, never values of persons, and name the batch or publication, so that
a record is followed from its source row (``_batch_id``, ``_source_row``) to
every reading of it.

Keys: ``TRACE#{resource or "-"}#{day}`` / ``{at}#{id}``: writes spread over
resources and days, and one partition is one day of one resource in order.
``index1`` lists a resource by time, ``index2`` the acting unit by time. The
chain of hashes over entries comes with another issue: it needs only :meth:`Traces.day`,
which gives a day's entries complete and in order, and :func:`canonical`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Self
from uuid import uuid4

from huitong.ports import Clock, Item, Register, timestamp

Act = Literal[
    "collect",  # 采集
    "share",  # 共享: a push
    "query",  # 查询
    "compare",  # 比对
    "download",  # 下载
    "access",  # 访问: a pull, a view
    "update",  # 更新
    "login",  # 登录, refused ones too
    "rights",  # 权限变更
    "configure",  # 配置变更
    "procedure",  # 办理步骤
    "refuse",  # 拒绝: an act that was not permitted
]
_MOST_FIELDS: Final = 400


@dataclass(frozen=True, slots=True)
class Trace:
    """One act. ``fields`` are column names; ``purpose`` and ``case_no`` as the asker declared them."""

    act: Act
    actor: str  # credential or function
    unit: str  # the unit that acts
    resource: str = ""
    fields: tuple[str, ...] = ()
    batch: str = ""
    seq: int = 0
    case_no: str = ""
    purpose: str = ""
    count: int = 0  # rows given or taken
    request: str = ""  # request id of the function or gateway
    detail: str = ""  # an id only: query, subscription, delivery, upload
    at: str = ""
    id: str = ""

    @classmethod
    def from_dict(cls, body: Any) -> Self:
        return cls(**{**body, "fields": tuple(body["fields"])})


class Traces:
    def __init__(self, register: Register, clock: Clock) -> None:
        self._register = register
        self._clock = clock

    def write(self, trace: Trace) -> Trace:
        """Append one entry; time and id are given here. Raises only faults of the register."""
        item = self.entry(trace)
        self._register.create(item)
        return Trace.from_dict(item.body)

    def commit(
        self,
        *traces: Trace,
        creates: Sequence[Item] = (),
        replaces: Sequence[Item] = (),
        deletes: Sequence[tuple[str, str]] = (),
    ) -> None:
        """What happened and its record, all or nothing: no act without evidence, no evidence without act.

        Raises Conflict when a condition of the *acts'* entries fails, and faults of the register.
        """
        self._register.write([*creates, *(self.entry(t) for t in traces)], replaces, deletes)

    def entry(self, trace: Trace) -> Item:
        """The entry, to be created in one transaction with what it tells of."""
        at = timestamp(self._clock.now())
        stored = replace(trace, at=at, id=uuid4().hex, fields=trace.fields[:_MOST_FIELDS])
        key = f"{at}#{stored.id}"
        return Item(
            pk=_partition(stored.resource, at[:10]),
            sk=key,
            body=asdict(stored),
            index1=(f"TRACES#{stored.resource}", key),
            index2=(f"TRACES-BY#{stored.unit}", key),
        )

    def list(
        self,
        *,
        resource: str = "",
        unit: str = "",
        batch: str = "",
        low: str = "",
        high: str = "",
        limit: int = 100,
    ) -> list[Trace]:
        """Entries of a resource or of an acting unit, newest first; ``low`` and ``high`` bound the time.

        ``batch`` keeps those of one batch and is given with its resource.
        """
        index, pk = ("index1", f"TRACES#{resource}") if resource else ("index2", f"TRACES-BY#{unit}")
        items = self._register.query_index(
            index,  # type: ignore[arg-type]
            pk,
            low=low,
            high=f"{high}\uffff" if high else "",
            limit=0 if batch or (resource and unit) else limit,
            descending=True,
        )
        found = (Trace.from_dict(i.body) for i in items)
        kept = [t for t in found if (not batch or t.batch == batch) and (not unit or t.unit == unit)]
        return kept[:limit] if limit else kept

    def day(self, resource: str, day: str) -> Sequence[Trace]:
        """All entries of a resource on a day (``2026-01-31``), oldest first, strongly consistent."""
        return [Trace.from_dict(i.body) for i in self._register.query(_partition(resource, day))]


def canonical(trace: Trace) -> bytes:
    """The bytes that a chain of hashes covers: sorted keys, no blanks, UTF-8."""
    return json.dumps(asdict(trace), ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _partition(resource: str, day: str) -> str:
    return f"TRACE#{resource or '-'}#{day}"
