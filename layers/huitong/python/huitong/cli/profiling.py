"""``data-profile``, ``cleansed`` and ``contract draft``."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from huitong.cli.contracts import contract
from huitong.cli.options import Json, Limit, client
from huitong.cli.showing import command, note, say, show_json, show_table

_COLUMNS: Final = {
    "name": "列 column", "title": "名称 title", "type": "类型 type", "semantic": "语义 meaning",
    "level": "级别 level", "nulls": "空 nulls", "distinct": "不同值 distinct", "length": "长度 length",
    "minimum": "最小 min", "maximum": "最大 max", "shape": "样式 shape", "frequent": "最多 most frequent",
}  # fmt: skip
_CLEANSED: Final = {
    "source_row": "行 row", "column": "字段 column", "step": "步骤 step", "before": "清洗前 before",
    "after": "清洗后 after",
}  # fmt: skip
_Sheet = Annotated[str, typer.Option("--sheet", help="工作表 / sheet")]
_Encoding = Annotated[str, typer.Option("--encoding", help="例如 gb18030")]
_HeaderRow = Annotated[int, typer.Option("--header-row", min=0, help="表头行号 / row of the header")]


def register(app: typer.Typer) -> None:
    app.command("data-profile")(profile)
    app.command("cleansed")(cleansed)
    contract.command("draft")(draft)


@command
def profile(
    file: Annotated[
        Path | None, typer.Argument(exists=True, dir_okay=False, help="数据文件,不上传 / a file, stays here")
    ] = None,
    batch: Annotated[str, typer.Option("--batch", help="批次 / a delivery")] = "",
    resource: Annotated[str, typer.Option("--resource", help="资源 / a published table")] = "",
    as_of: Annotated[str, typer.Option("--as-of", help="发布序号或批次 / publication or batch")] = "",
    sheet: _Sheet = "",
    encoding: _Encoding = "",
    header_row: _HeaderRow = 0,
    as_json: Json = False,
) -> None:
    """文件、批次或资源的数据剖析 / What a file, a delivery or a table looks like; sensitive values masked."""
    if sum(map(bool, (file, batch, resource))) != 1:
        raise typer.BadParameter("请指明一个文件、--batch 或 --resource / name a file, --batch or --resource")
    if file is not None:
        found = _of_file(file, _layout(sheet, encoding, header_row))
    elif batch:
        found = client().get("batches", batch, "profile")
    else:
        found = client().get("resources", resource, "profile", as_of=as_of)
    if as_json:
        show_json(found)
        return
    say(f"行数 rows: {found['rows']}")
    show_table([_line(c) for c in found["columns"]], _COLUMNS)
    for keys in found["keys"]:
        say(f"可作主键 could be the key: {', '.join(keys)}")
    for one in found.get("drift", ()):
        say(f"{'!' if one['strong'] else '·'} {one['zh']} / {one['en']}")


@command
def cleansed(id: str, limit: Limit = 1_000, as_json: Json = False) -> None:
    """批次的清洗记录 / What cleansing changed in a batch, value by value."""
    items = client().items("batches", id, "cleansed", limit=limit)
    if as_json:
        show_json({"items": items})
    else:
        show_table(items, _CLEANSED)


@command
def draft(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="样本文件 / a sample file")],
    id: Annotated[str, typer.Option("--id", help="资源编号 / id of the resource")] = "",
    out: Annotated[Path | None, typer.Option("--out", help="写入文件 / write it there")] = None,
    sheet: _Sheet = "",
    encoding: _Encoding = "",
    header_row: _HeaderRow = 0,
    as_json: Json = False,
) -> None:
    """由样本文件起草数据契约 / Draft a contract from a sample file; it stays on this machine."""
    from huitong.quality.profile.draft import draft as drafted

    made = drafted(file, file.name, layout=_layout(sheet, encoding, header_row), today=date.today(), id=id)
    if out is not None:
        out.write_text(made.document, encoding="utf-8")
    if as_json:
        show_json({"document": made.document, "doubts": [list(d) for d in made.doubts]})
        return
    if out is None:
        print(made.document, end="")
    for zh, en in made.doubts:
        note(f"! {zh} / {en}")


def _layout(sheet: str, encoding: str, header_row: int) -> Any:
    from huitong.errors import BadRequest
    from huitong.intake.layout import Layout

    said = {"sheet": sheet, "encoding": encoding, "header_row": header_row}
    layout, problems = Layout.read({k: v for k, v in said.items() if v}, "")
    if problems:
        raise BadRequest("选项有误", "An option is wrong", problems=problems)
    return layout


def _of_file(file: Path, layout: Any) -> dict[str, Any]:
    from tempfile import TemporaryDirectory

    from huitong.quality.profile.measure import measured
    from huitong.quality.profile.source import open_file

    with TemporaryDirectory(prefix="huitong-profile-") as folder:
        source = open_file(file, file.name, layout, Path(folder))
        made = measured(source.blocks(), today=date.today(), titles=source.titles, of={"file": file.name})
    return made.as_dict()


def _line(c: dict[str, Any]) -> dict[str, Any]:
    shapes, top = c.get("shapes") or (), c.get("top") or ()
    return {
        **c,
        "distinct": c["distinct"] if c["exact"] else f"~{c['distinct']}",
        "length": f"{c['shortest']}–{c['longest']}",
        "shape": shapes[0][0] if shapes else "",
        "frequent": ", ".join(f"{v}×{n}" for v, n in top[:3]),
    }
