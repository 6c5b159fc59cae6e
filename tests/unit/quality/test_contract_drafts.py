"""A drafted contract: a person can edit it, and the file that it was made from passes it."""

from __future__ import annotations

import io
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from localstack.demo_data import as_csv, citizen_id, law_firm_code

from huitong.contracts.model import Contract, Field
from huitong.contracts.odcs import parse
from huitong.local.platform import Platform, ports_in
from huitong.quality.profile.draft import Draft, draft

SCHEMAS = Path(__file__).resolve().parents[3] / "schemas"
RESOURCES = sorted(p.stem for p in SCHEMAS.glob("*-[0-9][0-9].yaml"))
TODAY = date(2026, 1, 5)
UNIT = "1144030000AA01019J"
MEANT = {
    "citizen-id": citizen_id,
    "uscc": law_firm_code,
    "case-number": lambda n: f"(2025)粤03破{n}号(个{n})",
    "document-number": lambda n: f"(2025)粤03破{n}号(个{n})之一",
    "mobile": lambda n: f"139{n:08}",
    "phone": lambda n: f"0755-88{n:06}",
    "division": lambda n: ("440304", "440305", "440306")[n % 3],
    "sex": lambda n: "12"[n % 2],
    "marital": lambda n: ("10", "20")[n % 2],
    "employment": lambda n: ("11", "70")[n % 2],
    "month": lambda n: f"2025-{n % 12 + 1:02}",
    "year": lambda n: str(2000 + n % 25),
    "vin": lambda n: f"LSVAA4187E2{n:06}",
    "sm3-hex": lambda n: f"{n:064x}",
    "licence17": lambda n: f"144032010{n:08}",
    "unit28": lambda n: f"440304001001GB{n:05}F{n:08}",
    "amount": lambda n: f"{n * 100}.50",
}


def value(f: Field, n: int) -> Any:
    """A value of a field as a unit would have it."""
    if f.semantic in MEANT and f.type == "string":
        return MEANT[f.semantic](n)  # type: ignore[no-untyped-call]
    if f.codes:
        return f.codes[n % len(f.codes)]
    if not f.key and not f.required and n % 4 == 0:
        return None
    if f.type in ("date", "timestamp"):
        day = date(2020, 1, 1) + timedelta(days=n)
        return day.isoformat() if f.type == "date" else f"{day}T09:00:00+08:00"
    if f.type == "integer":
        return str(n)
    if f.type in ("decimal", "double"):
        return str(Decimal(n * 25) / 100)
    if f.type == "boolean":
        return "是否"[n % 2]
    return f"{f.name[:2].upper()}{n:05}" if f.key else f"某某{n % 7}"


def sample(contract: Contract, rows: int = 60) -> list[dict[str, Any]]:
    return [{f.title or f.name: value(f, n) for f in contract.fields} for n in range(1, rows + 1)]


def workbook(rows: list[dict[str, Any]]) -> bytes:
    """With a title, an empty row and a note above the header, as offices write them."""
    book = openpyxl.Workbook()
    sheet: Any = book.active
    sheet.append(["深圳市个人破产信息报送表"])
    sheet.append([])
    sheet.append(["填报单位:某单位", None, "2026年1月"])
    sheet.append(list(rows[0]))
    for row in rows:
        sheet.append(list(row.values()))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def drafted(folder: Path, name: str, data: bytes) -> Draft:
    path = folder / name
    path.write_bytes(data)
    return draft(path, name, today=TODAY, id="IN-99")


@pytest.mark.parametrize("resource", RESOURCES)
def test_a_file_passes_the_contract_that_was_drafted_from_it(tmp_path: Path, resource: str) -> None:
    """Q-17: for each of the catalogue's resources, CSV in GB18030 or a workbook with titles above the header."""
    contract = parse((SCHEMAS / f"{resource}.yaml").read_text("utf-8"))
    rows = sample(contract)
    as_book = RESOURCES.index(resource) % 2 == 0
    data = workbook(rows) if as_book else as_csv(rows, "gb18030")
    made = drafted(tmp_path, "样本.xlsx" if as_book else "样本.csv", data)

    platform = Platform(ports_in(tmp_path / "platform"))
    platform.contracts.put(made.document, by="test", provider=UNIT)
    batch = platform.ingest(platform.land(tmp_path / ("样本.xlsx" if as_book else "样本.csv"), "IN-99", UNIT))
    assert batch is not None
    batch = platform.validate(batch.id)
    assert (batch.decision, batch.counts.accepted) == ("accepted", len(rows))
    assert set(batch.quality.by_rule) <= {"vin.checksum"}  # a warning of the standard, not of the draft

    persons = [f for f in contract.fields if f.semantic == "citizen-id"]
    titles = {f.title: f for f in made.contract.fields}
    assert all(titles[f.title or f.name].semantic == "citizen-id" for f in persons)
    assert all(
        (titles[f.title or f.name].level, titles[f.title or f.name].mask) == ("L4", "id") for f in persons
    )


def test_a_draft_says_types_keys_codes_and_what_is_sensitive(tmp_path: Path) -> None:
    """Q-17: from headings and values; what the file cannot tell is a TODO."""
    rows = [
        {
            "债权编号": f"ZQ{n:06}", "案号": f"(2025)粤03破{n % 9 + 1}号(个1)", "债权人": f"张{'三四五六'[n % 4]}",
            "身份证号码": citizen_id(n), "联系电话": f"139{n:08}", "金额（元）": f"{n * 10}.50",
            "类型": ("01", "02", "03")[n % 3], "申报日期": f"2025-01-{n % 28 + 1:02}", "备注": None,
        }
        for n in range(1, 81)
    ]  # fmt: skip
    made = drafted(tmp_path, "债权.csv", as_csv(rows, "gb18030"))
    fields = {f.title or f.name: f for f in parse(made.document).fields}
    assert [f.name for f in made.contract.keys] == ["claim_no"]
    assert fields["债权编号"].pattern == "[A-Za-z]{2}\\d{6}"
    assert (fields["案号"].semantic, parse(made.document).case_field) == ("case-number", "case_no")
    assert (fields["债权人"].level, fields["债权人"].mask) == ("L3", "name")
    assert (fields["身份证号码"].name, fields["身份证号码"].level) == ("id_no", "L4")
    assert (fields["联系电话"].semantic, fields["联系电话"].mask) == ("mobile", "phone")
    assert (fields["金额（元）"].name, fields["金额（元）"].type) == ("amount", "decimal")
    assert fields["类型"].codes == ("01", "02", "03")
    assert fields["申报日期"].type == "date"
    assert not fields["备注"].required
    assert "frequency" in made.document
    assert made.document.count("TODO") > 5
    assert "张三" not in made.document
    assert citizen_id(5) not in made.document


def test_without_a_single_key_the_fewest_columns_together_are_proposed(tmp_path: Path) -> None:
    rows = [{"甲": f"A{n // 10}", "乙": f"B{n % 10}", "丙": "x"} for n in range(40)]
    made = drafted(tmp_path, "t.csv", as_csv(rows))
    assert [f.name for f in made.contract.keys] == ["甲", "乙"]
    assert len(made.doubts) == 1
