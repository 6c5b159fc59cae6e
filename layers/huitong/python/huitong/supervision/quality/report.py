"""A unit's monthly report on its data: what it says, for every form of it (C-08, C-09). Light; no values
of persons: counts, ids of batches and rules, days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from huitong.contracts.model import Contract
from huitong.ports import Clock
from huitong.procedures.calendar import china_day
from huitong.procedures.model import Record
from huitong.supervision.quality.grouping import checks_of
from huitong.supervision.quality.issues import QualityIssues
from huitong.supervision.quality.monthly import Month, Monthly, month_before
from huitong.supervision.quality.scores import DIMENSIONS, Scores, ranking, scores, trend

_RULES: Final = 15
_ISSUES: Final = 50
_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "total": ("总分", "total"),
    "provision": ("提供", "provision"),
    "timeliness": DIMENSIONS["timeliness"],
    "quality": ("质量", "quality"),
    "completeness": DIMENSIONS["completeness"],
    "conformity": DIMENSIONS["conformity"],
    "consistency": DIMENSIONS["consistency"],
    "logic": DIMENSIONS["logic"],
}
#: What helps against findings of a criterion.
ADVICE: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("补齐必填项后只报送这些行", "Fill in what is required and deliver those rows again"),
    "format": ("按数据契约的格式导出,编号列设为文本", "Export in the contract's format, numbers as text"),
    "structure": ("核对表头、分隔符与列数", "Check the header, the separator and the number of columns"),
    "conflicting": ("核对主键,一条记录只报一次", "Check the keys: each record is delivered once"),
    "constraint": ("核对取值范围、代码表与前后字段", "Check ranges, codes and fields that belong together"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One score with its change since the month before."""

    key: str
    zh: str
    en: str
    value: Decimal | None
    before: Decimal | None

    @property
    def change(self) -> Decimal | None:
        return trend([self.before, self.value])


@dataclass(frozen=True, slots=True)
class Table:
    """A part of the report: title, note, heading (zh over en), rows of text and numbers."""

    name: str
    zh: str
    en: str
    heading: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]
    widths: Sequence[int]
    none_zh: str = "本月没有"
    none_en: str = "none this month"


@dataclass(frozen=True, slots=True)
class Report:
    unit: str
    name: str
    month: str
    made_on: str
    rank: int
    ranked: int
    lines: Sequence[Line]
    tables: Sequence[Table]

    @property
    def title(self) -> str:
        year, month = self.month.split("-")
        return f"{year} 年 {int(month)} 月数据质量月报"

    def as_dict(self) -> dict[str, Any]:
        """JSON-ready: the same content as in the workbook and the page."""
        return {
            "unit": self.unit, "name": self.name, "month": self.month, "made_on": self.made_on,
            "rank": self.rank, "ranked": self.ranked,
            "scores": {x.key: _text(x.value) for x in self.lines},
            "changes": {x.key: _text(x.change) for x in self.lines},
            "tables": [
                {"name": t.name, "zh": t.zh, "en": t.en, "columns": [en for _, en in t.heading],
                 "rows": [[_plain(v) for v in row] for row in t.rows]}
                for t in self.tables
            ],
        }  # fmt: skip


class Reports:
    """``conflicts`` that wait and ``corrections``: records that the unit is a party to."""

    def __init__(
        self,
        monthly: Monthly,
        issues: QualityIssues,
        conflicts: Callable[[str], Iterable[Record]],
        corrections: Callable[[str], Iterable[tuple[Record, str]]],
        name_of: Callable[[str], str],
        clock: Clock,
    ) -> None:
        self._monthly = monthly
        self._issues = issues
        self._conflicts = conflicts
        self._corrections = corrections
        self._name_of = name_of
        self._clock = clock

    def of(self, unit: str, month: str) -> Report:
        """Raises NotFound for an unknown unit, BadRequest for a month that has not begun."""
        name = self._name_of(unit)
        whole = self._monthly.of(month)
        before = self._monthly.of(month_before(month), unit)
        every = {u: scores(m) for u, m in whole.units().items()}
        places = ranking(every)
        place = next((p.rank for p in places if p.unit == unit), 0)
        now = every.get(unit) or scores_of_nothing()
        former = next((scores(m) for m in before.units().values()), scores_of_nothing())
        lines = [Line(k, *_NAMES[k], getattr(now, k), getattr(former, k)) for k in _NAMES]
        made_on = china_day(self._clock.now()).isoformat()
        return Report(
            unit, name, month, made_on, place, len(places), lines, self._tables(unit, whole, before)
        )

    def _tables(self, unit: str, month: Month, before: Month) -> list[Table]:
        return [
            _resources(unit, month, before),
            _deliveries(unit, month),
            _lateness(unit, month),
            _rules(unit, month),
            self._of_issues(unit, month),
            _of_records(self._conflicts(unit)),
            self._of_corrections(unit, month),
        ]

    def _of_issues(self, unit: str, month: Month) -> Table:
        desk = self._issues.desk.procedure
        contracts = {one.contract.id: one.contract for one in month.of_unit(unit)}

        def item(content: Mapping[str, Any]) -> str:
            known = contracts.get(content["resource"])
            return _titles(known, content["column"]) if known else str(content["column"])

        rows = [
            [r.content["resource"], r.content["rule"], item(r.content), r.content["remaining"],
             desk.state(r.state).zh, r.clocks["mend"].due, r.content["officer"] or "未分派"]
            for r in sorted(self._issues.waiting(unit), key=lambda r: (r.clocks["mend"].due, r.id))
        ]  # fmt: skip
        if (more := len(rows) - _ISSUES) > 0:  # told, not left out: the list would look like all there is
            rows = [*rows[:_ISSUES], ["…", f"另有 {more} 项", f"{more} more", None, "", "", ""]]
        heading = [("资源", "resource"), ("规则", "rule"), ("数据项", "field"), ("未整改", "open"),
                   ("状态", "state"), ("期限", "due"), ("承办人", "officer")]  # fmt: skip
        return Table("issues", "未关闭的质量问题", "Open quality issues", heading, rows,
                     (16, 18, 18, 9, 12, 12, 15))  # fmt: skip

    def _of_corrections(self, unit: str, month: Month) -> Table:
        found = [
            (r, zh) for r, zh in self._corrections(unit) if month.low <= r.created_at <= month.high
        ]  # fmt: skip
        states = Counter(zh for _, zh in found)
        rows = [[zh, n] for zh, n in sorted(states.items())]
        return Table("corrections", "本月数据校核申请", "Corrections asked for this month",
                     [("状态", "state"), ("件数", "number")], rows, (30, 15))  # fmt: skip


def scores_of_nothing() -> Scores:
    return Scores(None, None, None, None, None, None, None, None)


def _resources(unit: str, month: Month, before: Month) -> Table:
    rows = []
    for one in month.of_unit(unit):
        now = one.scores
        last = before.resources.get(one.contract.id)
        change = trend([last.scores.quality if last else None, now.quality])
        rows.append([
            one.contract.id, one.contract.title, now.completeness, now.conformity, now.consistency, now.logic,
            now.timeliness, now.quality, change,
        ])  # fmt: skip
    heading = [("资源", "resource"), ("名称", "title"), ("完整", "compl."), ("规范", "conf."),
               ("一致", "cons."), ("逻辑", "logic"), ("及时", "timely"), ("质量", "quality"),
               ("比上月", "change")]  # fmt: skip
    return Table("resources", "各资源评分", "Scores of each resource", heading, rows,
                 (14, 22, 9, 9, 9, 9, 9, 9, 10))  # fmt: skip


def _deliveries(unit: str, month: Month) -> Table:
    rows = [
        [_day(b.received_at), one.contract.id, b.filename or b.id[:12], b.counts.received, b.counts.accepted,
         b.counts.quarantined, b.counts.duplicate, _STATUS.get(b.status, b.status)]
        for one in month.of_unit(unit)
        for b, _ in one.batches
    ]  # fmt: skip
    heading = [("日期", "day"), ("资源", "resource"), ("文件", "file"), ("接收", "rows"),
               ("合格", "good"), ("隔离", "held"), ("重复", "twice"), ("结果", "result")]  # fmt: skip
    return Table("deliveries", "报送情况", "Deliveries", heading, rows, (11, 14, 26, 10, 10, 10, 9, 10))


def _lateness(unit: str, month: Month) -> Table:
    rows = []
    for one in month.of_unit(unit):
        for due in one.dues:
            came = china_day(due.came).isoformat() if due.came else "未报 none"
            result = "按时 in time" if due.met else f"迟 {due.days_late} 个工作日 late"
            rows.append([one.contract.id, _last_day(due.moment), came, result])
    heading = [("资源", "resource"), ("应报日", "due"), ("实报日", "came"), ("结果", "result")]
    return Table("lateness", "按时情况", "Deliveries that were due", heading, rows, (25, 20, 25, 30),
                 "本月没有应报的", "nothing was due this month")  # fmt: skip


def _rules(unit: str, month: Month) -> Table:
    found: Counter[tuple[str, str, str, str]] = Counter()
    for one in month.of_unit(unit):
        for batch, _ in one.batches:
            for check in checks_of(batch.quality):
                if not check.rule.startswith("key.d"):
                    named = _titles(one.contract, check.column)
                    found[one.contract.id, check.rule, named, check.criterion] += check.count
    rows = [
        [resource, rule, column, n, ADVICE[criterion][0], ADVICE[criterion][1]]
        for (resource, rule, column, criterion), n in found.most_common(_RULES)
    ]
    heading = [("资源", "resource"), ("规则", "rule"), ("数据项", "field"), ("次数", "times"),
               ("怎么办", "what to do"), ("", "in English")]  # fmt: skip
    return Table("rules", "最常见的问题", "What was wrong most often", heading, rows,
                 (13, 14, 15, 8, 25, 25))  # fmt: skip


def _titles(contract: Contract, columns: str) -> str:
    """Items as people call them."""
    found = ((contract.field_named(name), name) for name in columns.split(","))
    return "、".join(field.title or name if field else name for field, name in found)


def _of_records(records: Iterable[Record]) -> Table:
    from huitong.supervision.quality.procedures import CONFLICT

    rows = [
        [r.id, r.content["resource"], r.content["other"], r.content["field"], r.content["count"],
         CONFLICT.state(r.state).zh, _day(r.created_at)]
        for r in records
    ]  # fmt: skip
    heading = [("编号", "id"), ("资源", "resource"), ("另一方资源", "other"), ("数据项", "field"),
               ("记录数", "records"), ("状态", "state"), ("发现日", "found")]  # fmt: skip
    return Table("conflicts", "多元校核差异(未办结)", "Open conflicts with other units", heading, rows,
                 (22, 14, 14, 16, 10, 12, 12))  # fmt: skip


_STATUS: Final = {
    "published": "已发布", "rejected": "已退回", "superseded": "已被取代", "validated": "待发布",
    "held": "待裁定",
}  # fmt: skip


def _day(moment: str) -> str:
    """The day in China: an early morning there is still the day before by UTC."""
    return china_day(datetime.fromisoformat(moment)).isoformat()


def _last_day(moment: datetime) -> str:
    return china_day(moment - timedelta(seconds=1)).isoformat()


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Decimal) else value
