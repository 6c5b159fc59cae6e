"""The annual report for people: a workbook, and a page to print. Heavy only inside :func:`workbook`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from io import BytesIO
from typing import Any, Final

NOT_COUNTED: Final = "未统计"
_UNITS: Final = {
    "unit": "统一社会信用代码", "name": "单位", "resources": "提供资源", "batches": "报送批次",
    "rows": "报送行数", "quarantined": "问题行数", "pushed_to": "收到推送", "grants": "有效授权",
    "applications": "共享申请", "complaints": "投诉", "rectifications": "整改",
}  # fmt: skip
_RESOURCES: Final = {
    "resource": "资源", "title": "名称", "provider": "数源单位", "share_type": "共享类型",
    "batches": "报送批次",
    "rows.received": "接收行数", "rows.quarantined": "问题行数", "rows.inserted": "新增",
    "rows.updated": "更新", "rows.deleted": "删除", "events": "推送变更",
    "acts.query": "查询", "acts.compare": "比对",
}  # fmt: skip

Table = tuple[str, Sequence[str], list[list[Any]]]


def tables(report: Mapping[str, Any]) -> list[Table]:
    """Name, heading and rows of each table; None where something was not counted."""
    summary = [[x["zh"], x["en"], x["value"], x["note"]] for x in report["summary"]]
    units = [[u.get(name) for name in _UNITS] for u in report["units"]]
    resources = [[r.get(name, 0) for name in _RESOURCES] for r in report["resources"]]
    procedures = [
        [one["zh"], one["state_zh"].get(state, state), n, sum(one["breaches"].values())]
        for _, one in sorted(report["procedures"].items())
        for state, n in one["states"].items()
    ]
    return [
        ("汇总", ("指标", "Figure", "数值", "说明"), summary),
        ("单位", tuple(_UNITS.values()), units),
        ("资源", tuple(_RESOURCES.values()), resources),
        ("办理", ("事项", "状态", "件数", "该事项逾期"), procedures),
    ]


def workbook(report: Mapping[str, Any], assessment: str = "") -> bytes:
    """An Excel workbook: a sheet for each table, the heading frozen, columns as wide as their text."""
    from openpyxl import Workbook
    from openpyxl.styles import Alignment, Font, PatternFill
    from openpyxl.utils import get_column_letter

    book = Workbook()
    book.remove(book.active)
    head, filled = Font(bold=True, color="FFFFFF"), PatternFill("solid", fgColor="1F4E79")
    for name, heading, rows in tables(report):
        sheet = book.create_sheet(name)
        title = f"{report['year']} 年度公共数据共享报告 · {name}"
        sheet.append([title])
        sheet["A1"].font = Font(bold=True, size=14)
        sheet.append(list(heading))
        for cell in sheet[2]:
            cell.font, cell.fill, cell.alignment = head, filled, Alignment(horizontal="center")
        for row in rows:
            sheet.append([_cell(value) for value in row])
        if name == "汇总":
            sheet.append([])
            sheet.append(["评估", _cell(assessment or NOT_COUNTED)])
            if report["missing"]:
                sheet.append(["未统计月份", " ".join(report["missing"])])
        sheet.freeze_panes = "A3"
        for place, label in enumerate(heading, 1):
            longest = max([_width(label), *(_width(row[place - 1]) for row in rows)])
            sheet.column_dimensions[get_column_letter(place)].width = min(60, longest + 3)
    stream = BytesIO()
    book.save(stream)
    return stream.getvalue()


def page(report: Mapping[str, Any], assessment: str = "") -> str:
    """A page of HTML without scripts, for printing on A4."""
    parts = [
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">',
        f"<title>{report['year']} 年度公共数据共享报告</title><style>",
        "@page{size:A4;margin:18mm}body{font:11pt/1.5 'Noto Serif CJK SC','SimSun',serif}",
        "table{border-collapse:collapse;width:100%;margin:0 0 8mm}",
        "th,td{border:1px solid #888;padding:1mm 2mm;text-align:left}",
        "th{background:#eee}thead{display:table-header-group}tr{break-inside:avoid}",
        "</style></head><body>",
        f"<h1>{report['year']} 年度公共数据共享报告</h1>",
    ]
    if report["missing"]:
        parts.append(f"<p>未统计月份 not counted: {escape(' '.join(report['missing']))}</p>")
    if assessment:
        parts.append(f"<h2>评估</h2><p>{escape(assessment)}</p>")
    for name, heading, rows in tables(report):
        cells = "".join(f"<th>{escape(label)}</th>" for label in heading)
        parts.append(f"<h2>{escape(name)}</h2><table><thead><tr>{cells}</tr></thead><tbody>")
        for row in rows:
            parts.append("<tr>" + "".join(f"<td>{escape(str(_shown(v)))}</td>" for v in row) + "</tr>")
        parts.append("</tbody></table>")
    return "".join([*parts, "</body></html>"])


def _shown(value: Any) -> Any:
    return NOT_COUNTED if value is None else value


def _cell(value: Any) -> Any:
    """Text that a spreadsheet would take for a formula stays text."""
    value = _shown(value)
    return f"'{value}" if isinstance(value, str) and value[:1] in ("=", "+", "-", "@") else value


def _width(value: Any) -> int:
    return sum(2 if ord(c) > 0x2E7F else 1 for c in str(_shown(value)))
