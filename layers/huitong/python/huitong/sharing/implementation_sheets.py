"""Implementation sheets (实施单, L-26): made from each approval, kept in the register, printable.

Each approval makes its own sheet, so a restricted resource has a separate one
each time. The sheet says how incoming data are imported, stored and used, and
by whom; it holds names of fields, never values.

Key: ``SHEET#{application}`` / ``{n}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from huitong.contracts.model import Contract, Field
from huitong.errors import NotFound
from huitong.ports import Item, Register
from huitong.procedures.model import Record
from huitong.quality.masking import mask_of
from huitong.sharing.deciding import Decision

_METHODS: Final[Mapping[str, str]] = {
    "sql": "平台内 SQL 查询 SQL on the platform",
    "read": "平台接口读取 reading through the API",
    "pull": "按游标拉取 pull with a cursor",
    "push": "推送 push",
    "snapshot": "整表快照 snapshot",
    "export": "导出文件 export",
    "comparison": "比对(数据不落地)comparison without release",
    "request": "查询核验申请 query or verification request",
}
#: Methods after which a copy stands at the user unit.
_COPIES: Final = frozenset({"pull", "push", "snapshot", "export"})


def sheet_of(
    record: Record, contract: Contract, decision: Decision, number: int, made_at: str
) -> dict[str, Any]:
    """The sheet as JSON-ready values."""
    asked = record.content
    return {
        "number": f"SS-{made_at[:10].replace('-', '')}-{record.id[-8:]}-{number}",
        "application": record.id,
        "made_at": made_at,
        "resource": contract.id,
        "title": contract.title,
        "contract_version": contract.version,
        "share_type": asked["share_type"],
        "sharing_class": asked["sharing_class"],
        "owner": record.parties["owner"],
        "receiver": record.parties["receiver"],
        "purpose": asked["purpose"],
        "matter": asked["matter"],
        "case_no": asked["case_no"],
        "duty": asked["duty"],
        "users": list(asked["users"]),
        "starts": asked["starts"],
        "ends": asked["ends"],
        "volume": asked["volume"],
        "frequency": asked["frequency"],
        "licence": asked["licence"],
        "fields": [_field(f, decision) for name in decision.approved if (f := contract.field_named(name))],
        "row_filter": asked["row_filter"],
        "decided_by": decision.by,
        "seconded_by": decision.seconded_by,
        "basis": decision.basis or record.id,
        "import": _import(contract, asked),
        "storage": _storage(contract, asked),
        "use": _use(asked),
    }


def entry_of(sheet: Mapping[str, Any], number: int) -> Item:
    """To be created in the approval's own write."""
    return Item(f"SHEET#{sheet['application']}", f"{number:04d}", dict(sheet))


class Sheets:
    def __init__(self, register: Register) -> None:
        self._register = register

    def of(self, application: str) -> list[dict[str, Any]]:
        """Sheets of an application, oldest first."""
        return [dict(i.body) for i in self._register.query(f"SHEET#{application}")]

    def latest(self, application: str) -> dict[str, Any]:
        """Raises NotFound when nothing was approved yet."""
        found = self._register.query(f"SHEET#{application}", descending=True, limit=1)
        if not found:
            zh, en = "该申请尚无实施单", "The application has no implementation sheet yet"
            raise NotFound(zh, en, application=application)
        return dict(found[0].body)


def _field(field: Field, decision: Decision) -> dict[str, str]:
    mask = decision.masks.get(field.name) or ("" if field.name in decision.unmasked else mask_of(field))
    return {"name": field.name, "title": field.title, "level": field.level or "L2", "mask": mask or "none"}


def _import(contract: Contract, asked: Mapping[str, Any]) -> list[str]:
    ways = [_METHODS[m] for m in asked["methods"]]
    return [
        f"方式 methods: {'; '.join(ways)}",
        f"数据模型 contract: {contract.id} v{contract.version}, {len(contract.rules)} 条规则 rules",
        f"更新 update: {contract.frequency or '-'}; 频率 frequency: {asked['frequency'] or '-'}",
        "只接收批准的字段,其余丢弃并报告 only approved fields are taken; others are dropped and reported",
    ]


def _storage(contract: Contract, asked: Mapping[str, Any]) -> list[str]:
    copies = sorted(set(asked["methods"]) & _COPIES)
    told = [f"平台表 tables: {contract.table or contract.id}, 加密存储 encrypted at rest"]
    if copies:
        told.append(f"使用单位留存副本 copies at the user unit by: {', '.join(copies)}")
        told.append(f"到期销毁 to be destroyed after: {asked['ends']}")
    else:
        told.append("使用单位不留存数据 no data are kept at the user unit")
    return told


def _use(asked: Mapping[str, Any]) -> list[str]:
    ground = f"案件 case {asked['case_no']}" if asked["case_no"] else f"职责 duty {asked['duty'] or '-'}"
    return [
        f"业务事项 matter: {asked['matter']}; 用途 purpose: {asked['purpose']}",
        f"依据 ground: {ground}",
        f"使用人 users: {', '.join(asked['users'])}",
        "不得提供第三方或移作他用 not to be passed on or used otherwise",
    ]


# --- print -----------------------------------------------------------------

_ROWS: Final = (
    ("number", "编号 number"), ("application", "申请 application"), ("made_at", "生成时间 made"),
    ("resource", "资源 resource"), ("title", "名称 title"), ("contract_version", "模型版本 version"),
    ("share_type", "共享类型 share type"), ("sharing_class", "类别 class"), ("owner", "数源单位 owner"),
    ("receiver", "使用单位 user unit"), ("matter", "业务事项 matter"), ("purpose", "用途 purpose"),
    ("case_no", "案号 case"), ("duty", "法定职责 duty"), ("users", "使用人 users"), ("starts", "起 from"),
    ("ends", "止 until"), ("volume", "每日行数上限 rows a day"), ("frequency", "频率 frequency"),
    ("licence", "许可协议 licence"), ("row_filter", "行范围 rows"), ("decided_by", "决定人 decided by"),
    ("seconded_by", "复核人 confirmed by"), ("basis", "依据 basis"), ("import", "导入 import"),
    ("storage", "存储 storage"), ("use", "应用 use"),
)  # fmt: skip
_STYLE: Final = (
    "body{font-family:serif;margin:2em}table{border-collapse:collapse;width:100%;margin-bottom:1em}"
    "th,td{border:1px solid #444;padding:.3em .6em;text-align:left;vertical-align:top}th{width:14em}"
    "td.s{height:3em}@page{size:A4;margin:2cm}"
)


def printable(sheet: Mapping[str, Any]) -> str:
    """One HTML page, without scripts or anything from elsewhere, for printing and signing."""
    rows = "".join(f"<tr><th>{escape(name)}</th><td>{_cell(sheet.get(key))}</td></tr>" for key, name in _ROWS)
    fields = "".join(
        f"<tr><td>{escape(f['name'])}</td><td>{escape(f['title'])}</td><td>{escape(f['level'])}</td>"
        f"<td>{escape(f['mask'])}</td></tr>"
        for f in sheet["fields"]
    )
    return (
        '<!doctype html><html lang="zh"><head><meta charset="utf-8">'
        f"<title>{escape(str(sheet['number']))}</title><style>{_STYLE}</style></head><body>"
        f"<h1>数据共享实施单 Implementation sheet</h1><table>{rows}</table>"
        "<table><tr><th>字段 field</th><th>名称 title</th><th>级别 level</th><th>脱敏 mask</th></tr>"
        f"{fields}</table>"
        '<table><tr><th>数源单位签章 owner</th><td class="s"></td><th>使用单位签章 user unit</th>'
        '<td class="s"></td></tr></table></body></html>'
    )


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return "<br>".join(escape(str(v)) for v in value)
    return escape(str(value if value not in (None, "") else "-"))
