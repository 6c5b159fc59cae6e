"""``sql``, ``changes`` and ``export``: what is published."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from huitong.cli.options import Case, Duty, GrantRef, Json, Purpose, Unit, client
from huitong.cli.showing import command, note, show_json, show_table
from huitong.errors import Corrupt

if TYPE_CHECKING:
    from huitong.cli.client import Client

_MOST: Final = 100_000
_PAGE: Final = 10_000
_MOST_CHANGES: Final = 10_000
_MEDIA: Final = {"csv": "text/csv", "arrow": "application/vnd.apache.arrow.stream"}


def register(app: typer.Typer) -> None:
    app.command("sql")(sql)
    app.command("changes")(changes)


@command
def sql(
    statement: Annotated[str, typer.Argument(help='一条 SELECT / one SELECT; "-" reads standard input')],
    unit: Unit = "",
    form: Annotated[str, typer.Option("--format", help="json | csv | arrow;缺省 / else a table")] = "",
    output: Annotated[Path | None, typer.Option("--output", "-o", help="写入文件 / write to a file")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多行数 / most rows")] = _MOST,
    case: Case = "",
    duty: Duty = "",
    purpose: Purpose = "",
    grant: GrantRef = "",
    as_json: Json = False,
) -> None:
    """以 SQL 查询 / Query by Athena's SQL. JSON: {"columns": […], "rows": [{…}], "total_rows": n}."""
    if form not in ("", "json", *_MEDIA):
        raise typer.BadParameter("json | csv | arrow", param_hint="--format")
    if form in _MEDIA and as_json:
        raise typer.BadParameter("--json 与 --format 不能并用 / --json goes with no other --format")
    text = sys.stdin.read() if statement == "-" else statement
    api = client(case=case, duty=duty, purpose=purpose, grant=grant)
    if form in _MEDIA:
        _write(_raw(api, text, form, unit, limit), form, output)
        return
    found = _rows(api, text, unit, limit)
    if form == "json" or as_json:
        _json(found, output)
        return
    if output is not None:
        raise typer.BadParameter("--output 须给出 --format / --output needs a --format")
    show_table(found["rows"], {column["name"]: column["name"] for column in found["columns"]})
    note(f"{len(found['rows'])} / {found.get('total_rows', len(found['rows']))} 行 rows")


def _rows(api: Client, text: str, unit: str, limit: int) -> dict[str, Any]:
    """Columns, and the rows of all pages up to the limit."""
    first = api.post("queries", body={"sql": text, "limit": min(limit, _PAGE)}, acting=unit)
    rows, page = list(first["rows"]), first
    while page["next"] and len(rows) < limit:
        size = min(_PAGE, limit - len(rows))
        page = api.get("queries", first["query_id"], acting=unit, after=page["next"], limit=size)
        rows += page["rows"]
    return {**first, "rows": rows[:limit], "next": page["next"]}


def _raw(api: Client, text: str, form: str, unit: str, limit: int) -> Iterator[bytes]:
    """The pages in the asked-for form; the token of the next page is a header."""
    accept = _MEDIA[form]
    body = {"sql": text, "format": form, "limit": min(limit, _PAGE)}
    answer = api.answer("POST", "queries", accept=accept, body=body, acting=unit)
    taken = min(limit, _PAGE)
    yield answer.data
    while answer.headers.get("Huitong-Next") and taken < limit:
        size = min(_PAGE, limit - taken)
        query = {"after": answer.headers["Huitong-Next"], "limit": size, "format": form}
        path = ("queries", answer.headers["Huitong-Query"])
        answer = api.answer("GET", *path, accept=accept, acting=unit, **query)
        taken += size
        yield answer.data


def _write(pages: Iterator[bytes], form: str, output: Path | None) -> None:
    if output is None:
        _joined(pages, form, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    partial = output.with_name(f"{output.name}.part")  # a failure leaves no half a file
    try:
        with partial.open("wb") as stream:
            _joined(pages, form, stream)
        partial.replace(output)
    finally:
        partial.unlink(missing_ok=True)
    note(f"✓ {output}")


def _joined(pages: Iterator[bytes], form: str, stream: BinaryIO) -> None:
    """Pages as one file: CSV (only the first has the header line), or one Arrow stream."""
    if form == "csv":
        stream.writelines(pages)
        return
    import pyarrow.ipc

    writer = None
    for page in pages:
        try:
            reader = pyarrow.ipc.open_stream(page)
        except pyarrow.lib.ArrowInvalid as error:
            raise Corrupt("答复不是 Arrow 数据", "The answer is no Arrow data") from error
        writer = writer or pyarrow.ipc.new_stream(stream, reader.schema)
        for batch in reader:
            writer.write_batch(batch)
    if writer is not None:
        writer.close()


def _json(found: dict[str, Any], output: Path | None) -> None:
    if output is None:
        show_json(found)
        return
    import json

    output.write_text(json.dumps(found, ensure_ascii=False, indent=1), encoding="utf-8")
    note(f"✓ {output}")


@command
def changes(
    resource: str,
    after: Annotated[str, typer.Option("--after", help="游标 / cursor `next` of the answer before")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="最多条数 / at most so many")] = 1_000,
    unit: Unit = "",
    case: Case = "",
    duty: Duty = "",
    purpose: Purpose = "",
    grant: GrantRef = "",
    as_json: Json = False,
) -> None:
    """一个资源的变更 / Changes of a resource, in order. JSON: {"items": [CloudEvents], "next": cursor}."""
    items: list[Any] = []
    cursor = after
    path = ("resources", resource, "changes")
    api = client(case=case, duty=duty, purpose=purpose, grant=grant)
    for page in api.pages(*path, after=after, limit=limit, acting=unit, most=_MOST_CHANGES):
        items += page["items"]
        cursor = page["next"] or cursor
    if as_json:
        show_json({"items": items, "next": cursor or None})
        return
    shown = [{**event, "row": event["data"].get("row"), "op": event["data"].get("op")} for event in items]
    show_table(
        shown, {"id": "编号 id", "op": "变更 op", "subject": "主键 key", "time": "时间 time", "row": "行 row"}
    )
    note(f"续取 next: --after {cursor}")
