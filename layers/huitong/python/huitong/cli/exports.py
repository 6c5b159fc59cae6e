"""``export`` and ``audit trace-mark``: results as marked files, and back from a file to its use."""

from __future__ import annotations

import csv
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.audit import audit
from huitong.cli.options import Case, Duty, GrantRef, Json, Purpose, Unit, client
from huitong.cli.showing import command, note, show_json, show_table
from huitong.errors import UnreadableFile
from huitong.sharing.marks import COLUMN, found_bits

_FORMATS: Final = ("csv", "xlsx", "parquet")
_MARK: Final = {
    "id": "标识 mark", "at": "时间 time", "unit": "单位 unit", "user": "用户 user",
    "resources": "资源 resources",
    "purpose": "用途 purpose", "case_no": "案号 case", "duty": "职责 duty", "grants": "授权 grants",
    "rows": "行数 rows", "request": "请求 request",
}  # fmt: skip
_MOST_IDS: Final = 100


def register(app: typer.Typer) -> None:
    app.command("export")(export)
    audit.command("trace-mark")(trace_mark)


@command
def export(
    statement: Annotated[str, typer.Argument(help='一条 SELECT / one SELECT; "-" reads standard input')],
    output: Annotated[Path, typer.Option("--output", "-o", help="写入文件 / file to write")],
    form: Annotated[str, typer.Option("--format", help="csv | xlsx | parquet;缺省按扩展名 / by name")] = "",
    unit: Unit = "",
    case: Case = "",
    duty: Duty = "",
    purpose: Purpose = "",
    grant: GrantRef = "",
    as_json: Json = False,
) -> None:
    """导出查询结果(带标识)/ A query's result as a marked file; the grant must name exports."""
    form = form or output.suffix.lstrip(".").lower()
    if form not in _FORMATS:
        raise typer.BadParameter(" | ".join(_FORMATS), param_hint="--format")
    text = sys.stdin.read() if statement == "-" else statement
    api = client(case=case, duty=duty, purpose=purpose, grant=grant)
    query = api.post("queries", body={"sql": text, "limit": 1}, acting=unit)["query_id"]
    made = api.post("queries", query, "export", body={"format": form}, acting=unit)
    api.download(made["url"], output, sha256=made["sha256"])
    if as_json:
        show_json({**{k: v for k, v in made.items() if k != "url"}, "file": str(output)})
    else:
        note(f"✓ {output}  {made['mark']}")


@command
def trace_mark(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="csv | xlsx | parquet")],
    as_json: Json = False,
) -> None:
    """追查导出文件 / Which export a file came from: by its open marks, else by the order of its rows.

    The file stays here: only its marks are sent.
    """
    ids, rows = _read(file)
    body = {"ids": ids[:_MOST_IDS], "bits": found_bits(rows)}
    items = client().post("exports", "trace", body=body)["items"]
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _MARK)
    if not items:
        raise typer.Exit(1)


def _read(file: Path) -> tuple[list[str], Iterable[tuple[str, ...]]]:
    """The ids that a file shows, and its rows without them. Raises UnreadableFile."""
    readers = {".parquet": _parquet, ".xlsx": _xlsx}
    try:
        return readers.get(file.suffix.lower(), _csv)(file)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise UnreadableFile("无法读取文件", "The file cannot be read", file=file.name) from error


def _csv(file: Path) -> tuple[list[str], Iterable[tuple[str, ...]]]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        lines = list(csv.reader(stream))
    heading, *rows = lines or [[]]
    marks = [n for n, name in enumerate(heading) if name == COLUMN or "mark=" in name]
    ids = [row[n] for row in rows[:1] for n in marks] + [_id_in(heading[n]) for n in marks]
    plain = (tuple(_unguarded(c) for n, c in enumerate(row) if n not in marks) for row in rows)
    return _named(ids), plain


def _parquet(file: Path) -> tuple[list[str], Iterable[tuple[str, ...]]]:
    import pyarrow.parquet as pq

    from huitong.query.files import text_rows

    table = pq.read_table(file)
    told = (table.schema.metadata or {}).get(b"huitong.mark", b"{}")
    ids = [str(json.loads(told).get("id", ""))]
    if COLUMN in table.column_names:
        ids += [str(v) for v in table.column(COLUMN).unique().to_pylist()]
    return _named(ids), text_rows(table)


def _xlsx(file: Path) -> tuple[list[str], Iterable[tuple[str, ...]]]:
    from openpyxl import load_workbook

    book = load_workbook(file, read_only=True, data_only=True)
    ids = [str(book.properties.identifier or "")]
    lines = book.worksheets[0].iter_rows(values_only=True)
    heading = [str(name) for name in next(lines, ())]
    marks = {n for n, name in enumerate(heading) if name == COLUMN}
    rows = [list(row) for row in lines]
    ids += [str(row[n]) for row in rows[:1] for n in marks]
    return _named(ids), _sheet_rows(rows, marks)


def _sheet_rows(rows: list[list[Any]], marks: set[int]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        yield tuple("" if c is None else _cell(c) for n, c in enumerate(row) if n not in marks)


def _cell(value: Any) -> str:
    from huitong.query.values import text_value

    return text_value(value)


def _unguarded(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and cell[1:2] in ("=", "+", "-", "@", "\t", "\r") else cell


def _id_in(heading: str) -> str:
    return heading.partition("mark=")[2].partition(";")[0].strip()


def _named(ids: Iterable[str]) -> list[str]:
    return [id for id in dict.fromkeys(ids) if id.isalnum()]
