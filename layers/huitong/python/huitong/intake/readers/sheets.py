"""What a person should know of a workbook: hidden parts, merged cells, sheets that are not read (Q-13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from huitong.intake.readers.workbook import Oddities
from huitong.intake.structure import Structural

_SHOWN: Final = 20


def of_layout(odd: Oddities, header: Sequence[str], hidden_sheet: str) -> list[Structural]:
    """Findings on the sheet that is read. ``hidden_sheet`` is its name if nobody sees it."""
    found = [_merged(*one) for one in odd.merged]
    if hidden_sheet:
        found.append(
            Structural(
                "sheet.hidden",
                f"读取的工作表 {hidden_sheet} 是隐藏的;请确认要报送的就是它,或指定 sheet",
                f"Sheet {hidden_sheet}, which was read, is hidden; make sure that it is meant, or name one",
                value=hidden_sheet,
            )
        )
    if odd.hidden_rows:
        rows = _listed([str(n) for n in odd.hidden_rows])
        found.append(
            Structural(
                "sheet.hidden-rows",
                f"隐藏的行也已读取:{rows};不应报送的请删除,不要隐藏或筛选",
                f"Hidden rows were read, too: {rows}; delete what is not to be delivered",
                value=rows,
            )
        )
    if odd.hidden_columns:
        columns = _listed([header[p].strip() or f"#{p + 1}" for p in odd.hidden_columns if p < len(header)])
        found.append(
            Structural(
                "sheet.hidden-columns",
                f"隐藏的列也已读取:{columns};不应报送的请删除",
                f"Hidden columns were read, too: {columns}; delete what is not to be delivered",
                value=columns,
            )
        )
    return found


def other_sheet(name: str, read: str) -> Structural:
    """A sheet with a table of the resource that is not read, because another was."""
    return Structural(
        "sheet.not-read",
        f"工作表 {name} 也有数据,但只读取了 {read};请合并到一张工作表,或逐表报送并指定 sheet",
        f"Sheet {name} has a table, too, but only {read} was read; put all rows on one sheet, or deliver "
        "each sheet by its name (option sheet)",
        value=name,
    )


def _merged(area: str, row: int) -> Structural:
    return Structural(
        "cell.merged",
        f"{area} 是合并单元格,只有左上角有值,其余行该列为空;请取消合并并逐行填写",
        f"{area} are merged cells: only the first has the value, the others are empty; unmerge and fill each",
        source_row=row,
        value=area,
    )


def _listed(names: Sequence[str]) -> str:
    return "、".join(names[:_SHOWN]) + ("……" if len(names) > _SHOWN else "")
