"""Runs of rules and the warnings that breaches raise: kept with the batch (C-06, C-30). Light.

Entries: ``RULERUN#{batch}`` / ``RUN`` with ``index1`` = (``RULERUNS#{resource}``, landing order);
``WARNING#{id}`` / ``WARNING`` with ``index1`` = (``WARNINGS#{recipient}``, state#at#id) and ``index2`` =
(``WARNINGS``, the same). They are created in the write that moves the batch on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal, Self

from huitong.audit.trace import Trace, Traces
from huitong.batches.model import Batch
from huitong.errors import Conflict, NotFound
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice
from huitong.notices.notices import entry_of as notice_entry
from huitong.ports import Clock, Item, Register, timestamp
from huitong.quality.rulebook.model import OfficeRule
from huitong.quality.rulebook.outcome import Judged, RuleRun

WarningState = Literal["open", "taken", "closed"]
STATES: Final[tuple[WarningState, ...]] = ("open", "taken", "closed")
#: Of one batch; the runs have all breaches.
MOST_WARNINGS: Final = 20
_NAMED: Final = 20
_SERIOUS: Final = ("serious", "attention", "info")
_NEXT: Final[Mapping[WarningState, frozenset[str]]] = {
    "open": frozenset({"taken", "closed"}),
    "taken": frozenset({"closed"}),
    "closed": frozenset(),
}
_TELL: Final = "rule.breached"


@dataclass(frozen=True, slots=True)
class RuleWarning:
    """A breach that somebody has to look at."""

    id: str
    rule: str
    rule_version: int
    resource: str
    batch: str
    unit: str  # that delivered
    recipient: str
    level: str
    violations: int
    rows: int
    zh: str
    en: str
    at: str
    state: WarningState = "open"
    handled_by: str = ""
    handled_at: str = ""
    remark: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**body)


def entries_of(batch: Batch, version: str, outcome: Judged, at: str) -> list[Item]:
    """What is kept of the rules' outcome, to be created with the batch's next state."""
    if not outcome.runs:
        return []
    body = {
        "batch": batch.id, "resource": batch.resource, "unit": batch.unit, "at": at, "rules_version": version,
        "ms": outcome.ms, "runs": [run.as_dict() for run in outcome.runs],
    }  # fmt: skip
    items = [Item(f"RULERUN#{batch.id}", "RUN", body, index1=(f"RULERUNS#{batch.resource}", batch.order))]
    worst = sorted(outcome.breaches, key=lambda pair: _SERIOUS.index(pair[0].level))
    left = worst[MOST_WARNINGS:]
    if left:  # told of together: a limit that nobody knows of would look like all there is
        items.append(notice_entry(_notice_of_more(batch, [rule.id for rule, _ in left]), at))
    for rule, run in worst[:MOST_WARNINGS]:
        warning = _warning(batch, rule, run, at)
        items.append(_item(warning))
        told = {warning.recipient, OPERATOR} if rule.level != "info" else {warning.recipient}
        items += [notice_entry(_notice(unit, warning), at) for unit in sorted(told)]
    return items


def _warning(batch: Batch, rule: OfficeRule, run: RuleRun, at: str) -> RuleWarning:
    shown = f"{run.violations}/{run.rows}"
    return RuleWarning(
        id=f"{batch.id}-{rule.id}",
        rule=rule.id,
        rule_version=rule.version,
        resource=batch.resource,
        batch=batch.id,
        unit=batch.unit,
        recipient=rule.recipient or batch.unit,
        level=rule.level,
        violations=run.violations,
        rows=run.rows,
        zh=f"{batch.resource} 批次 {batch.id} 触发预警规则 {rule.id}({shown}):{rule.zh}",
        en=f"Batch {batch.id} of {batch.resource} breached rule {rule.id} ({shown}): {rule.en}",
        at=at,
    )


def _notice(to: str, warning: RuleWarning) -> Notice:
    serious = warning.level == "serious"
    return Notice(to, _TELL, f"warning:{warning.id}", warning.zh, warning.en, must_acknowledge=serious)


def _notice_of_more(batch: Batch, rules: Sequence[str]) -> Notice:
    named = ", ".join(rules[:_NAMED]) + (" …" if len(rules) > _NAMED else "")
    zh = f"批次 {batch.id}(资源 {batch.resource})另有 {len(rules)} 条规则超过阈值,未逐条预警:{named}"
    en = f"{len(rules)} more rules were breached by batch {batch.id} of {batch.resource}: {named}"
    see = f"。全部结果见 huitong rule runs --batch {batch.id}"
    return Notice(OPERATOR, _TELL, f"batch:{batch.id}", zh + see, f"{en}. See all: huitong rule runs --batch")


def _item(warning: RuleWarning, version: int = 0) -> Item:
    place = f"{warning.state}#{warning.at}#{warning.id}"
    return Item(
        f"WARNING#{warning.id}",
        "WARNING",
        warning.as_dict(),
        version=version,
        index1=(f"WARNINGS#{warning.recipient}", place),
        index2=("WARNINGS", place),
    )


class RuleMonitor:
    """Reads what was kept, and notes who deals with a warning."""

    def __init__(self, register: Register, traces: Traces, clock: Clock) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock

    def of_batch(self, batch: str) -> dict[str, Any] | None:
        item = self._register.get(f"RULERUN#{batch}", "RUN")
        return dict(item.body) if item else None

    def of_resource(self, resource: str, *, before: str = "", limit: int = 50) -> list[dict[str, Any]]:
        """Newest delivery first; eventually consistent."""
        found = self._register.query_index(
            "index1", f"RULERUNS#{resource}", high=before, limit=limit, descending=True
        )
        return [dict(i.body) for i in found]

    def summary(
        self, resources: Iterable[str], *, rule: str = "", since: str = "", until: str = "", limit: int = 50
    ) -> list[dict[str, Any]]:
        """By rule over deliveries: runs, failures, breaches, rows, violations, durations (C-06).

        ``since`` and ``until`` bound the landing of deliveries (beginnings of moments, as 2026-01); without
        them the newest ``limit`` of each resource count. Durations are of rules that had a pass of their own.
        """
        rules: dict[str, dict[str, Any]] = {}
        most = 0 if since or until else limit
        for resource in resources:
            for kept in self._runs(resource, since, until, most):
                for run in kept["runs"]:
                    if rule in ("", run["rule"]):
                        known = rules.setdefault(run["rule"], _nothing(run, resource, kept["at"]))
                        _add(known, run, kept["batch"])
        return sorted(map(_closed, rules.values()), key=lambda told: str(told["rule"]))

    def _runs(self, resource: str, since: str, until: str, limit: int) -> list[dict[str, Any]]:
        high = f"{until}\uffff" if until else ""
        found = self._register.query_index(
            "index1", f"RULERUNS#{resource}", low=since, high=high, limit=limit, descending=True
        )
        return [dict(i.body) for i in found]

    def warnings(self, *, recipient: str = "", state: str = "", limit: int = 100) -> list[RuleWarning]:
        """Newest first within each state; of everybody without a recipient. Eventually consistent."""
        index: Literal["index1", "index2"] = "index1" if recipient else "index2"
        pk = f"WARNINGS#{recipient}" if recipient else "WARNINGS"
        found: list[RuleWarning] = []
        for one in [s for s in STATES if state in ("", s)]:
            items = self._register.query_index(
                index, pk, low=f"{one}#", high=f"{one}#\uffff", limit=limit - len(found), descending=True
            )
            found += [RuleWarning.from_dict(i.body) for i in items]
            if len(found) >= limit:
                break
        return found

    def warning(self, id: str) -> RuleWarning:
        """Raises NotFound."""
        return RuleWarning.from_dict(self._warning(id).body)

    def handle(self, id: str, state: WarningState, remark: str, *, by: str, unit: str) -> RuleWarning:
        """Take a warning up, or close it. Raises NotFound, and Conflict when it is past that."""
        item = self._warning(id)
        before = RuleWarning.from_dict(item.body)
        if state not in _NEXT[before.state]:
            raise Conflict(
                f"预警 {id} 已是 {before.state}", f"Warning {id} is {before.state} already", warning=id
            )
        after = replace(before, state=state, remark=remark, handled_by=by,
                        handled_at=timestamp(self._clock.now()))  # fmt: skip
        told = Trace(
            "procedure", by, unit, before.resource, batch=before.batch, detail=f"warning:{id}:{state}"
        )
        self._traces.commit(told, replaces=[_item(after, item.version)])
        return after

    def _warning(self, id: str) -> Item:
        item = self._register.get(f"WARNING#{id}", "WARNING")
        if item is None:
            raise NotFound(f"没有预警 {id}", f"There is no warning {id}", warning=id)
        return item


def _nothing(run: Mapping[str, Any], resource: str, at: str) -> dict[str, Any]:
    same = {name: run[name] for name in ("rule", "version", "kind", "state")}
    counts = dict.fromkeys(("runs", "failed", "skipped", "breaches", "rows", "violations", "timed", "ms"), 0)
    return {"resource": resource, **same, "last_at": at, **counts, "slowest_ms": -1, "slowest_batch": ""}


def _add(told: dict[str, Any], run: Mapping[str, Any], batch: str) -> None:
    told["runs"] += 1
    told["failed"] += run["state"] == "failed"
    told["skipped"] += run["state"] == "skipped"
    told["breaches"] += run["breached"]
    told["rows"] += run["rows"]
    told["violations"] += run["violations"]
    if run["ms"] >= 0:
        told["timed"] += 1
        told["ms"] += run["ms"]
    if run["ms"] > told["slowest_ms"]:
        told["slowest_ms"], told["slowest_batch"] = run["ms"], batch


def _closed(told: dict[str, Any]) -> dict[str, Any]:
    timed, ms = told.pop("timed"), told.pop("ms")
    return {**told, "mean_ms": round(ms / timed) if timed else -1}
