"""Column names for usual Chinese headings, as the platform's own contracts have them. Quick to import."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from typing import Final

_KNOWN: Final = {
    "案号": "case_no", "文书编号": "doc_no", "身份证号": "id_no", "身份证号码": "id_no",
    "公民身份号码": "id_no", "证件号码": "id_no", "证件类型": "id_type", "姓名": "person_name",
    "人员姓名": "person_name", "性别": "sex", "出生日期": "birth_date", "民族": "ethnicity",
    "婚姻状况": "marital", "手机": "mobile", "手机号": "mobile",
    "手机号码": "mobile", "联系电话": "phone", "电话": "phone", "地址": "address", "住址": "address",
    "联系地址": "address", "户籍地址": "registered_address", "单位名称": "org_name", "企业名称": "org_name",
    "统一社会信用代码": "uscc", "信用代码": "uscc", "法定代表人": "legal_person", "债权人": "creditor",
    "债权人名称": "creditor", "债务人": "debtor_name", "债务人姓名": "debtor_name", "债权编号": "claim_no",
    "编号": "no", "序号": "seq_no", "金额": "amount", "债权金额": "claim_amount", "账号": "account",
    "银行账号": "account", "开户行": "bank", "币种": "currency", "日期": "date", "申报日期": "filed_date",
    "登记日期": "registered_date", "开始日期": "start_date", "结束日期": "end_date", "状态": "state",
    "类型": "type", "备注": "remark", "更新时间": "updated_at", "数据更新时间": "updated_at",
    "行政区划代码": "division", "区划代码": "division", "年度": "year", "年月": "month", "车牌号": "plate_no",
    "车辆识别代号": "vin", "不动产单元号": "unit_no", "坐落": "location", "面积": "area", "名称": "name",
    "代码": "code", "是否公开": "is_public",
}  # fmt: skip
_NAME: Final = re.compile(r"[^\W\d_]\w*")
_BRACKETS: Final = re.compile(r"[(（\[【].*?[)）\]】]")


def names_of(headings: Sequence[str]) -> list[str]:
    """A column name for each heading: a known one, else the heading if it can be one, else ``column_N``."""
    taken: set[str] = set()
    names = []
    for position, heading in enumerate(headings, start=1):
        name = _name(heading) or f"column_{position}"
        base, n = name, 2
        while name.casefold() in taken:
            name, n = f"{base}_{n}", n + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _name(heading: str) -> str:
    text = re.sub(r"\s+", "", unicodedata.normalize("NFKC", heading).strip("*: "))
    bare = _BRACKETS.sub("", text)
    if bare in _KNOWN:
        return _KNOWN[bare]
    ascii_name = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", heading.strip())
    name = re.sub(r"\W+", "_", bare if not ascii_name.isascii() else ascii_name.lower()).strip("_")
    return name[:64] if _NAME.fullmatch(name) else ""


class AnyNames:
    """Stands in for :class:`huitong.intake.readers.header.Names` where there is no contract yet: the header
    is the first row that reads like one, and each of its columns is wanted."""

    rows_wanted = False

    def __init__(self, labels: Sequence[str] = ()) -> None:
        self.labels = tuple(labels)
        self._found = False

    def find(self, rows: Sequence[Sequence[str | None]]) -> int | None:
        """The first of the widest rows that holds nothing but short, different words."""
        self._found = True
        widths = [sum(bool(c and c.strip()) for c in row) for row in rows[:20]]
        widest = max(widths, default=0)
        for i, row in enumerate(rows[:20]):
            cells = [c.strip() for c in row if c and c.strip()]
            if len(cells) * 3 >= widest * 2 and _heads(cells) and (len(cells) > 1 or widest == 1):
                return i
        return 0 if rows else None

    def known(self, cells: Sequence[str | None]) -> int:
        """How many cells read like headings; for the choice of a delimiter, none where there is one cell."""
        if self._found:
            return -1  # below the header begins the data, whatever its words are
        given = [c for c in cells if c and c.strip()]
        return len(given) if len(given) > 1 and _heads([c.strip() for c in given]) else 0

    def is_header(self, cells: Sequence[str | None]) -> bool:
        return self.known(cells) > 0

    def field(self, cell: str) -> str:
        return cell.strip()

    def label(self, key: str) -> str:
        return key if key in self.labels else ""

    def near(self, _cell: str) -> tuple[str, str]:
        return "", ""

    def returned(self, _cell: str) -> bool:
        return False

    def original_row(self, _cell: str) -> bool:
        return False


def _heads(cells: Sequence[str]) -> bool:
    return len(set(cells)) == len(cells) and not any(
        re.fullmatch(r"[-+]?[\d.,:/%-]+|\d{17}[\dXx]", c) or len(c) > 40 for c in cells
    )
