"""The records of evidence (L-34, S-12): which act touched which resource, for whom, when and why.

Append only: an entry is created, never replaced. Entries hold ids, field names
and counts, and persons only as blind indexes (:mod:`huitong.audit.subjects`).
They name the batch or publication, so that a record is followed from its source
row (``_batch_id``, ``_source_row``) to every reading of it.

Each record is an entry of a hash chain (:mod:`huitong.audit.chain`), written in
the same transaction as the act it tells of. There is no head item to fight for:
creating place ``n`` of a shard, if it is free, *is* the concurrency control.

Keys: ``CHAIN#{shard}`` / ``{n}``, without a year: were it part of the key, two
clocks around New Year could both create place ``n``. ``index1`` lists a resource
by time, ``index2`` the acting unit by time.
"""

from __future__ import annotations

import secrets as random_source
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, Self
from uuid import uuid4

from huitong.audit.chain import CHAIN, SHARDS, Entry, Keyring, Tail, item_of, partition
from huitong.audit.subjects import NOBODY, Pair, Subjects
from huitong.errors import Conflict, Fault, HuitongError, Unavailable, UnknownCommitState
from huitong.ports import Clock, EventBus, Item, Register, timestamp

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
_ATTEMPTS: Final = 64  # of a free place in a chain; each goes to another shard
_MOST_ITEMS: Final = 100  # of one transaction


@dataclass(frozen=True, slots=True)
class Trace:
    """One act. ``fields`` are column names; ``purpose`` and ``case_no`` as the asker declared them."""

    act: Act
    actor: str  # credential or function
    unit: str  # the unit that acts, or that is given to
    resource: str = ""
    fields: tuple[str, ...] = ()
    batch: str = ""
    seq: int = 0
    case_no: str = ""
    purpose: str = ""
    count: int = 0  # rows given or taken
    request: str = ""  # request id of the function or gateway
    detail: str = ""  # an id only: query, subscription, delivery, upload, operation
    at: str = ""
    id: str = ""
    path: str = ""  # how data left: sql, read, pull, push, snapshot, export, comparison, request
    grant: str = ""  # under which
    duty: str = ""
    masked: tuple[str, ...] = ()  # those of the fields that were masked
    result: str = ""  # empty = done; else the code of the refusal
    source: str = ""  # network address of the asker
    subjects: tuple[Pair, ...] = ()  # (person, record) as blind indexes, when there are few
    subject_object: str = ""  # else where they are,
    subject_digest: str = ""  # and the SHA-256 of that object
    subject_count: int = 0

    def of(self, subjects: Subjects) -> Self:
        """With those whose data it disclosed."""
        return replace(
            self,
            subjects=subjects.pairs,
            subject_object=subjects.object,
            subject_digest=subjects.sha256,
            subject_count=subjects.count,
        )

    def as_record(self) -> dict[str, Any]:
        """JSON-ready members that are not empty: what the chain covers."""
        told = {name: value for name, value in asdict(self).items() if value not in ("", 0, ())}
        for name in {"fields", "masked"} & told.keys():
            told[name] = list(told[name])
        if self.subjects:
            told["subjects"] = [list(pair) for pair in self.subjects]
        return told

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        known = {"actor": "", "unit": "", **{f.name: body[f.name] for f in fields(cls) if f.name in body}}
        for name in {"fields", "masked"} & known.keys():
            known[name] = tuple(known[name])
        if "subjects" in known:
            known["subjects"] = tuple((str(s), str(r)) for s, r in known["subjects"])
        return cls(**known)


def commit_with(
    traces: Traces | None,
    trace: Trace,
    register: Register,
    *,
    creates: Sequence[Item] = (),
    replaces: Sequence[Item] = (),
) -> None:
    """An act of a register that may be used without evidence: by tools and tests, never by a function."""
    if traces is None:
        register.write(creates=creates, replaces=replaces)
    else:
        traces.commit(trace, creates=creates, replaces=replaces)


class Traces:
    """``events`` hears of it when evidence cannot be written (S-15)."""

    def __init__(
        self,
        register: Register,
        clock: Clock,
        keys: Keyring | None = None,
        *,
        events: EventBus | None = None,
    ) -> None:
        self._register = register
        self._clock = clock
        self._keys = keys or Keyring()
        self._events = events
        self._tails: dict[int, Tail] = {}
        self._shard = -1

    def write(self, trace: Trace, subjects: Subjects | None = None) -> Trace:
        """Append one record; time and id are given here. Raises only faults.

        Who gives out data calls this first: without the record nothing is given (S-15).
        """
        (stored,) = self._append([trace.of(subjects or NOBODY)], (), (), ())
        return stored

    def commit(
        self,
        *traces: Trace,
        creates: Sequence[Item] = (),
        replaces: Sequence[Item] = (),
        deletes: Sequence[tuple[str, str]] = (),
    ) -> None:
        """What happened and its record, all or nothing: no act without evidence, no evidence without act.

        At most 100 entries together. Raises Conflict when a condition of the *acts'*
        entries fails, and faults. An answer that was lost is looked up: then
        either all was written, or a fault is raised.
        """
        if not traces:
            self._register.write(creates, replaces, deletes)
            return
        self._append(traces, creates, replaces, deletes)

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
        """Records of a resource or of an acting unit, newest first; ``low`` and ``high`` bound the time.

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
        found = (Trace.from_dict(i.body["record"]) for i in items)
        kept = [t for t in found if (not batch or t.batch == batch) and (not unit or t.unit == unit)]
        return kept[:limit] if limit else kept

    def tail(self, shard: int) -> Tail:
        """Where a chain ends now, strongly consistent."""
        newest = self._register.query(partition(shard), limit=1, descending=True)
        return Tail.of(Entry.from_dict(newest[0].body)) if newest else Tail(shard)

    def _append(
        self,
        traces: Iterable[Trace],
        creates: Sequence[Item],
        replaces: Sequence[Item],
        deletes: Sequence[tuple[str, str]],
    ) -> Sequence[Trace]:
        at = timestamp(self._clock.now())
        stored = [replace(t, at=at, id=uuid4().hex, fields=t.fields[:_MOST_FIELDS]) for t in traces]
        if len(stored) + len(creates) + len(replaces) + len(deletes) > _MOST_ITEMS:
            raise ValueError(f"more than {_MOST_ITEMS} entries in one write")
        try:
            self._placed([t.as_record() for t in stored], creates, replaces, deletes)
        except Fault as fault:
            self._tell(fault, stored)
            raise
        return stored

    def _placed(
        self,
        records: Sequence[Mapping[str, Any]],
        creates: Sequence[Item],
        replaces: Sequence[Item],
        deletes: Sequence[tuple[str, str]],
    ) -> None:
        """Write the records into the next free places of some shard, with the acts' entries."""
        for _ in range(_ATTEMPTS):
            entries = self._following(records)
            items = [item_of(e) for e in entries]
            try:
                self._register.write([*creates, *items], replaces, deletes)
            except (Conflict, UnknownCommitState) as problem:
                del self._tails[entries[0].shard]
                self._shard = -1
                if self._is_there(items[0]):
                    return  # it was this very write that went through: only its answer was lost
                if not self._was_about_the_chain(problem, items[0]):
                    raise
            else:
                self._tails[entries[0].shard] = Tail.of(entries[-1])
                return
        raise Unavailable("留痕写入过于繁忙", "Too many write evidence at once")

    def _following(self, records: Sequence[Mapping[str, Any]]) -> Sequence[Entry]:
        if self._shard < 0:
            self._shard = random_source.randbelow(SHARDS)
        tail = self._tails.get(self._shard) or self.tail(self._shard)
        self._tails[tail.shard] = tail
        entries = []
        for record in records:
            entries.append(self._keys.seal(tail, record))
            tail = Tail.of(entries[-1])
        return entries

    def _is_there(self, item: Item) -> bool:
        found = self._register.get(item.pk, item.sk)
        return found is not None and found.body["record"]["id"] == item.body["record"]["id"]

    def _was_about_the_chain(self, problem: HuitongError, item: Item) -> bool:
        """Whether somebody else took the place, and nothing was wrong with the acts' own conditions."""
        if not isinstance(problem, Conflict):
            return False
        failed = problem.where.get("failed")  # the keys whose condition failed, where the store tells
        if failed:
            return all(str(pk).startswith(CHAIN) for pk, _ in failed)
        return self._register.get(item.pk, item.sk) is not None

    def _tell(self, fault: Fault, traces: Sequence[Trace]) -> None:
        if self._events is None:
            return
        told = {"code": fault.code, "acts": [t.act for t in traces], "resource": traces[0].resource}
        with suppress(HuitongError):  # the fault itself is raised: the caller must not hear another one
            self._events.publish("EvidenceFailing", told)
