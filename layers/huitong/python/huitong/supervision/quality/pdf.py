"""The monthly report as a PDF of A4 pages. Heavy inside :func:`pdf`.

The Chinese font is one of those every reader of PDF knows by name (STSong-Light, Adobe-GB1): it is not in
the file, which stays small, and no font has to be deployed.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO
from typing import Any, Final
from xml.sax.saxutils import escape

from huitong.supervision.quality.report import Line, Report, Table

_FONT: Final = "STSong-Light"
_BLUE: Final = "#1F4E79"
_PALE: Final = "#EAF1F8"
_GREY: Final = "#7F7F7F"
_MARGIN: Final = 42


def pdf(report: Report) -> bytes:
    """Title, unit, scores with their change, then each table; page numbers on every page."""
    from reportlab.lib.pagesizes import A4
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.cidfonts import UnicodeCIDFont
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    pdfmetrics.registerFont(UnicodeCIDFont(_FONT))
    out, styles = BytesIO(), _styles()
    document = SimpleDocTemplate(
        out, pagesize=A4, leftMargin=_MARGIN, rightMargin=_MARGIN, topMargin=48, bottomMargin=48,
        title=f"{report.name} {report.title}", author="汇通 Huitong", lang="zh-CN",
    )  # fmt: skip
    place = f"综合排名第 {report.rank} 名(共 {report.ranked} 个单位)" if report.rank else "本月没有排名"
    rank_en = f"rank {report.rank} of {report.ranked}" if report.rank else "not ranked"
    flow: list[Any] = [
        Paragraph(escape(report.title), styles["title"]),
        Paragraph(escape(f"{report.name}({report.unit})"), styles["unit"]),
        Paragraph(escape(f"{place},编制日 {report.made_on}"), styles["text"]),
        Paragraph(escape(f"Monthly data quality report, {report.month}; {rank_en}"), styles["small"]),
        Spacer(1, 10),
        _scores(report.lines, styles),
        Spacer(1, 4),
        Paragraph("评分 0–100,按公布的办法计算;“–”为本月无此项。", styles["small"]),
        Paragraph(
            "Scores run from 0 to 100 by the published formulas; – = nothing to score.", styles["small"]
        ),
    ]
    width = A4[0] - 2 * _MARGIN
    for number, table in enumerate(report.tables, start=1):
        flow += _part(number, table, width, styles)
    document.build(flow, canvasmaker=_numbered(f"{report.name}  {report.month}"))
    return out.getvalue()


def _styles() -> dict[str, Any]:
    from reportlab.lib.colors import HexColor
    from reportlab.lib.styles import ParagraphStyle

    def style(name: str, size: int, color: str = "#000000", **more: Any) -> Any:
        leading = round(size * 1.35)
        return ParagraphStyle(
            name, fontName=_FONT, fontSize=size, leading=leading, textColor=HexColor(color),
            wordWrap="CJK", **more,
        )  # fmt: skip

    return {
        "title": style("title", 20, _BLUE, spaceAfter=4),
        "unit": style("unit", 13, spaceAfter=4),
        "text": style("text", 10),
        "small": style("small", 8, _GREY),
        "heading": style("heading", 13, _BLUE, spaceBefore=14, spaceAfter=1),
        "cell": style("cell", 8),
        "number": style("number", 8, alignment=2),
        "head": style("head", 8, "#FFFFFF", alignment=2),
        "heads": style("heads", 8, "#FFFFFF"),
    }


def _scores(lines: Sequence[Line], styles: dict[str, Any]) -> Any:
    """Two rows of four scores, large, each with its change."""
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import Paragraph, TableStyle
    from reportlab.platypus import Table as Grid

    def tile(line: Line) -> Any:
        change = "" if line.change is None else f"  较上月 {line.change:+.2f}"
        color = _GREY if not line.change else "#2E7D32" if line.change > 0 else "#B71C1C"
        value = "–" if line.value is None else str(line.value)
        return Paragraph(
            f'<font size="9">{line.zh} {line.en}</font><br/><font size="18" color="{_BLUE}">{value}</font>'
            f'<font size="8" color="{color}">{change}</font>',
            styles["tile"],
        )

    from reportlab.lib.styles import ParagraphStyle

    styles["tile"] = ParagraphStyle("tile", fontName=_FONT, fontSize=9, leading=24)
    rows = [[tile(x) for x in lines[start : start + 4]] for start in range(0, len(lines), 4)]
    grid = Grid(rows, colWidths=[127] * 4)
    grid.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, -1), HexColor(_PALE)),
                ("INNERGRID", (0, 0), (-1, -1), 3, HexColor("#FFFFFF")),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 8),
            ]
        )
    )
    return grid


def _part(number: int, table: Table, width: float, styles: dict[str, Any]) -> list[Any]:
    from reportlab.lib.colors import HexColor
    from reportlab.platypus import KeepTogether, Paragraph, TableStyle
    from reportlab.platypus import Table as Grid

    title = [
        Paragraph(escape(f"{number}. {table.zh}"), styles["heading"]),
        Paragraph(escape(table.en), styles["small"]),
    ]
    if not table.rows:
        note = Paragraph(escape(f"{table.none_zh} ({table.none_en})"), styles["text"])
        return [KeepTogether([*title, note])]
    sides = ["heads" if _style(v) == "cell" else "head" for v in table.rows[0]]
    named = zip(table.heading, sides, strict=True)
    head = [Paragraph(f"{escape(zh)}<br/>{escape(en)}", styles[side]) for (zh, en), side in named]
    body = [[Paragraph(escape(_shown(v)), styles[_style(v)]) for v in row] for row in table.rows]
    total = sum(table.widths)
    grid = Grid([head, *body], colWidths=[width * w / total for w in table.widths], repeatRows=1)
    grid.setStyle(
        TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), HexColor(_BLUE)),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [HexColor("#FFFFFF"), HexColor("#F5F8FB")]),
                ("LINEBELOW", (0, 1), (-1, -1), 0.4, HexColor("#BFBFBF")),
                ("LEFTPADDING", (0, 0), (-1, -1), 4),
                ("RIGHTPADDING", (0, 0), (-1, -1), 4),
            ]
        )
    )
    if len(body) <= 8:
        return [KeepTogether([*title, grid])]
    return [*title, grid]


def _shown(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _style(value: Any) -> str:
    return "number" if value is None or isinstance(value, int | Decimal) else "cell"


def _numbered(footer: str) -> Any:
    """A canvas that knows the number of pages when it writes their feet."""
    from reportlab.lib.colors import HexColor
    from reportlab.pdfgen.canvas import Canvas

    class Numbered(Canvas):  # type: ignore[misc]  # the library has no types
        def __init__(self, *args: Any, **more: Any) -> None:
            super().__init__(*args, **more)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for number, page in enumerate(self._pages, start=1):
                self.__dict__.update(page)
                self.setFont(_FONT, 8)
                self.setFillColor(HexColor(_GREY))
                self.drawString(_MARGIN, 28, footer)
                width = self._pagesize[0]
                self.drawRightString(width - _MARGIN, 28, f"第 {number} / {len(self._pages)} 页")
                super().showPage()
            super().save()

    return Numbered
