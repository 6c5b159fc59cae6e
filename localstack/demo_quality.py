"""The quality part of `make demo`: bad rows go back in the sender's own workbook, are mended, and land."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import demo_data as made_up
from demo_data import BAR
from demo_people import Cast, brief, say

ROOT = Path(__file__).resolve().parents[1]
HEADER = 2  # below a title
#: What is wrong with the third edition, by number of the lawyer.
FAULTS = {7: ("first_date", "2010-13-01"), 11: ("lawyer_name", ""), 23: ("state", "正常")}


def show(cast: Cast) -> None:
    rules = cast["officer"].huitong("rule", "seed", str(ROOT / "schemas" / "rules"), "--enable")["items"]
    enabled = [told["id"] for told in rules if told["done"] == "enabled"]
    say(f"启用跨资源规则 {len(enabled)} 条", f"{len(enabled)} rules across resources are enabled")
    titles = made_up.titles_of("IN-15")
    rows = made_up.lawyers(range(1, 401))
    for number, (name, value) in FAULTS.items():
        rows[number - 1][name] = value
    file = made_up.as_xlsx(rows, titles)
    first = cast.deliver("bar", "律协第三版(3 行有误)", "IN-15", "lawyers-3.xlsx", file)
    returned = cast.folder / "lawyers-3_问题.xlsx"
    cast["bar"].huitong("returned", first["id"], "-o", str(returned))
    coloured = mended(returned, titles)
    say(
        f"原工作簿退回,{len(coloured)} 个单元格标色:{'、'.join(coloured)}",
        f"its own workbook comes back, {len(coloured)} cells coloured; they are corrected and it is saved",
    )
    done = cast.deliver(
        "bar", "只补正这 3 行", "IN-15", returned.name, returned.read_bytes(), "--mends", first["id"]
    )
    held = cast["bar"].huitong("quarantine", "show", first["id"])
    figures = json.dumps({n: held[n] for n in ("rows", "open", "mended")})
    cast.check(
        held["open"] == 0 and done["accepted"] == len(FAULTS),
        f"补正后隔离区清零:{figures}({brief(done)})",
        "what was held is mended",
    )
    supervise(cast, date.today().strftime("%Y-%m"))


def supervise(cast: Cast, month: str) -> None:
    """Scores of the month, and the unit's monthly report."""
    scored = cast["bar"].huitong("score", "show", "--month", month)["units"]
    told = {n: scored[0][n] for n in ("completeness", "conformity", "consistency", "logic", "total")}
    say(f"律协本月评分:{json.dumps(told)}", "scores of the month")
    report = cast.folder / "report.pdf"
    cast["bar"].huitong("report", "quality", BAR, month, "--format", "pdf", "--out", str(report))
    say(f"质量月报 {report.stat().st_size // 1024} KB", "the monthly report as PDF")


def mended(workbook: Path, titles: dict[str, str]) -> list[str]:
    """Corrects the coloured cells as a clerk would; where they are."""
    from openpyxl import load_workbook

    book = load_workbook(workbook)
    sheet: Any = book.worksheets[0]
    columns = {str(cell.value): cell.column for cell in sheet[HEADER]}
    right = made_up.lawyers(range(1, 401))
    coloured = [
        c.coordinate
        for row in sheet.iter_rows(min_row=HEADER + 1)
        for c in row
        if c.fill.fill_type == "solid"
    ]
    for number, (name, _) in FAULTS.items():
        sheet.cell(HEADER + number, columns[titles[name]]).value = right[number - 1][name]
    book.save(workbook)
    return coloured
