"""The lines of the summary sheet: how many rows break which rule, and what to do."""

from __future__ import annotations

from huitong.batches.model import Batch
from huitong.quality.returning.problems import Problems

_HEADING = (
    "规则 Rule",
    "数据项 Item",
    "级别 Level",
    "行数 Rows",
    "说明与改正办法",
    "What is wrong, and what to do",
)
_LEVELS = {"error": "错误 error", "warning": "警告 warning"}


def summary_of(batch: Batch, problems: Problems, *, whole: bool) -> list[list[str | int]]:
    """Two columns about the delivery, a heading, and one line a rule and item."""
    c = batch.counts
    shown = "全部行 all rows" if whole else "被隔离的行 rows in quarantine"
    lines: list[list[str | int]] = [
        ["批次 Batch", batch.id],
        ["资源 Resource", batch.resource],
        ["文件 File", batch.filename],
        [
            "收到 Received",
            f"{c.received} = 合格 accepted {c.accepted} + 隔离 quarantined {c.quarantined}"
            f" + 重复 duplicate {c.duplicate}",
        ],
        ["本表 Rows here", shown],
        ["怎么改", "直接在数据表中改正标色的单元格,保留“原行号”列,存盘后交付:"],
        [
            "How to mend",
            "Correct the coloured cells in the data sheet, keep the column of row numbers, save, deliver:",
        ],
        ["", f"huitong upload 本文件 --resource {batch.resource} --mends {batch.mends or batch.id}"],
        [],
        list(_HEADING),
    ]
    for one in problems.rules:
        lines.append(
            [one.rule, one.column, _LEVELS.get(one.severity, one.severity), one.rows, one.zh, one.en]
        )
    return lines
