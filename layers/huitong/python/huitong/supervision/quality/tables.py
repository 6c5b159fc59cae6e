"""The platform's own tables of scores and statistics: their contracts and their rows (C-08, C-10, C-16).

They are resources like any other, provided by the operator, of levels L1 and without persons: rows go in by
the ordinary flow, so SQL, reports and receivers read them by the ordinary means.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from huitong.identity.model import OPERATOR
from huitong.supervision.quality.monthly import Month, shown
from huitong.supervision.quality.scores import DIMENSIONS
from huitong.supervision.quality.statistics import COUNTED

SCORES: Final = "quality_scores"
STATISTICS: Final = "exchange_statistics"
#: Stands for "all of them" in a key, which has no empty values.
ALL: Final = "-"

_SCORES: Final = (*DIMENSIONS, "quality", "provision", "total")
_NUMBERS: Final = ("batches", "rejected", "received", "accepted", "in_time", "due")
_TEXT_KEY: Final = """\
      - name: {name}
        businessName: {zh}
        logicalType: string
        logicalTypeOptions: {{maxLength: 128}}
        required: true
        primaryKey: true
        primaryKeyPosition: {n}
        classification: L1
"""
_PLAIN: Final = """\
      - name: {name}
        businessName: {zh}
        logicalType: {type}
{more}        classification: L1
"""
_HEAD: Final = """\
apiVersion: v3.1.0
kind: DataContract
id: {id}
version: 1.0.0
status: active
name: {zh}
schema:
  - name: {id}
    physicalName: {id}
    businessName: {zh}
    properties:
"""
_FOOT: Final = """\
customProperties:
  - {{property: providerUscc, value: {operator}}}
  - {{property: shareType, value: "1"}}
  - {{property: deliveryMode, value: increment}}
  - {{property: maxUpdatedPercent, value: 100}}
"""
_ZH: Final = {
    "period": "期间", "scope": "范围", "unit": "单位", "resource": "资源", "batch": "批次",
    "direction": "方向", "quality": "质量", "provision": "提供", "total": "总分", "batches": "批次数",
    "rejected": "退回批次", "received": "接收行数", "accepted": "合格行数", "in_time": "按时", "due": "应报",
    "changes": "发布变更", "messages": "推送报文", "events": "推送变更", "queries": "查询次数",
    "pulls": "拉取次数", "downloads": "下载次数", "comparisons": "比对次数", "rows": "取得行数",
    "as_of": "计算日期",
}  # fmt: skip


def documents() -> dict[str, str]:
    """Resource → its contract."""
    decimals = "        physicalType: decimal(5,2)\n"
    scores = [(n, "number", decimals) for n in _SCORES] + [(n, "integer", "") for n in _NUMBERS]
    counted = [(n, "integer", "") for n in COUNTED]
    return {
        SCORES: _document(SCORES, "数据质量评分", ("period", "scope", "unit", "resource", "batch"), scores),
        STATISTICS: _document(
            STATISTICS, "交换统计", ("period", "unit", "resource", "direction"), counted
        ),
    }  # fmt: skip


def _document(id: str, zh: str, keys: Iterable[str], plain: Iterable[tuple[str, str, str]]) -> str:
    text = _HEAD.format(id=id, zh=zh)
    text += "".join(_TEXT_KEY.format(name=k, zh=_name(k), n=n) for n, k in enumerate(keys, start=1))
    for name, type, more in (*plain, ("as_of", "date", "")):
        text += _PLAIN.format(name=name, zh=_name(name), type=type, more=more)
    return text + _FOOT.format(operator=OPERATOR)


def _name(column: str) -> str:
    return DIMENSIONS[column][0] if column in DIMENSIONS else _ZH[column]


def score_rows(month: Month) -> list[dict[str, Any]]:
    """Rows of units, resources and batches for a month, in order of their key."""
    rows = []
    for unit, whole in month.units().items():
        if whole.batches or whole.timely.all:
            rows.append(_row(month.name, "unit", unit, ALL, ALL, shown(whole)))
    for id, one in sorted(month.resources.items()):
        unit = one.contract.provider or ALL
        if one.measured.batches or one.dues:
            rows.append(_row(month.name, "resource", unit, id, ALL, shown(one.measured)))
        for batch, measured in one.batches:
            rows.append(_row(month.name, "batch", unit, id, batch.id, shown(measured)))
    return rows


def statistics_rows(lines: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [{k: v for k, v in line.items() if k != "complete"} for line in lines]


def _row(
    period: str, scope: str, unit: str, resource: str, batch: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    return {"period": period, "scope": scope, "unit": unit, "resource": resource, "batch": batch, **values}
