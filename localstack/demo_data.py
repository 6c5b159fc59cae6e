"""Made-up deliveries for the demo: nobody's names, numbers that pass their checks and fit no living person.

Each function returns rows as dictionaries with the field names of the resource's contract in schemas/.
``python localstack/demo_data.py FOLDER`` writes sample files to try the platform with.
"""

from __future__ import annotations

import csv
import io
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any

Row = dict[str, Any]

SCHEMAS = Path(__file__).resolve().parents[1] / "schemas"

COURT = "1144030000AA01019J"
POLICE = "1144030000AA01086G"
BAR = "5144030000AA01115P"
AGENCY = "1144030000AA01123N"
HOUSING = "1144030000AA01078M"
CIVIL = "1144030000AA01027D"
DATA = "1144030000AA01131H"

_UPDATED = "2026-01-04T18:00:00+08:00"


def citizen_id(n: int) -> str:
    """A number that passes GB 11643, born 1900 to 1903 in a district founded decades later."""
    born = date(1900, 3, 1) + timedelta(days=n % 1300)
    body = f"4403{3 + n % 9:02}{born:%Y%m%d}{n % 1000:03}"
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def law_firm_code(n: int) -> str:
    """A code that passes GB 32100 with the prefix of a law practice."""
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    organisation = f"MD{n:06}"
    values = [int(c, 36) for c in organisation]
    inner = 11 - sum(v * w for v, w in zip(values, (3, 7, 9, 10, 5, 8, 4, 2), strict=True)) % 11
    body = "31440000" + organisation + {10: "X", 11: "0"}.get(inner, str(inner))
    total = sum(alphabet.index(c) * pow(3, i, 31) for i, c in enumerate(body))
    return body + alphabet[(31 - total % 31) % 31]


#: The administrator of the made-up cases.
FIRM = law_firm_code(21)


def case_no(n: int) -> str:
    return f"(2025)粤03破{n}号(个{n})"


def cases(numbers: range, *, stage: str = "30") -> list[Row]:
    """IN-01: cases of the court."""
    return [
        {
            "case_no": case_no(n),
            "procedure_type": "02",
            "applicant_type": "1",
            "apply_date": "2025-03-03",
            "review_date": "2025-03-10",
            "accept_date": "2025-04-01",
            "debtor_name": f"甲{n:03}",
            "debtor_id_no": citizen_id(n),
            "administrator_name": "示例律师事务所",
            "administrator_uscc": FIRM,
            "case_stage": stage,
            "stage_time": "2025-04-01T10:00:00+08:00",
            "judge_name": "乙某",
            "updated_at": _UPDATED,
        }
        for n in numbers
    ]


def vehicles(numbers: range) -> list[Row]:
    """IN-12: vehicles registered by the police."""
    return [
        {
            "vin": f"LSVAA4187E2{n:06}",
            "plate_no": f"粤B{n:05}",
            "plate_type": "02",
            "id_no": citizen_id(n),
            "person_name": f"甲{n:03}",
            "model": "示例牌",
            "first_reg": "2019-05-20",
            "mortgage_flag": "0",
            "seizure_flag": "0",
            "state": "01",
            "updated_at": _UPDATED,
        }
        for n in numbers
    ]


def lawyers(numbers: range) -> list[Row]:
    """IN-15: lawyers of the bar association."""
    return [
        {
            "licence_no": f"144032010{n:08}",
            "lawyer_name": f"丙{n:04}",
            "firm_uscc": law_firm_code(n % 40 + 1),
            "firm_name": f"示例第{n % 40 + 1}律师事务所",
            "state": "01",
            "first_date": "2010-07-01",
            "discipline_count": "0",
            "updated_at": _UPDATED,
        }
        for n in numbers
    ]


def restrictions(numbers: range, *, state: str = "1") -> list[Row]:
    """OUT-02: restrictions of debtors, as rows of an API call."""
    return [
        {
            "case_no": case_no(n),
            "id_no": citizen_id(n),
            "person_name": f"甲{n:03}",
            "restrict_type": "01",
            "start_date": "2025-04-01",
            "end_date": None,
            "obs_start": "2025-04-01",
            "obs_end": "2028-04-01",
            "state": state,
            "updated_at": _UPDATED,
        }
        for n in numbers
    ]


def marriages(numbers: range) -> list[Row]:
    """IN-04: registered marriages of civil affairs, which are compared and never given."""
    return [
        {
            "id_no": citizen_id(n),
            "person_name": f"甲{n:03}",
            "marital_code": "20",
            "spouse_name": f"丁{n:03}",
            "spouse_id_no": citizen_id(n + 600),
            "reg_date": "2010-05-10",
            "updated_at": _UPDATED,
        }
        for n in numbers
    ]


def as_csv(rows: list[Row], encoding: str = "utf-8") -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode(encoding)


def titles_of(resource: str) -> dict[str, str]:
    """The Chinese names of a resource's fields, from its contract."""
    import yaml

    document = yaml.safe_load((SCHEMAS / f"{resource}.yaml").read_text(encoding="utf-8"))
    return {p["name"]: p.get("businessName", p["name"]) for p in document["schema"][0]["properties"]}


def as_xlsx(rows: list[Row], titles: dict[str, str]) -> bytes:
    """A workbook as a clerk would send it: a title line above Chinese headings, everything as text."""
    import xlsxwriter

    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("执业信息")
        sheet.merge_range(0, 0, 0, len(rows[0]) - 1, "深圳市律师协会 执业信息表")
        sheet.write_row(1, 0, [titles.get(name, name) for name in rows[0]])
        for at, row in enumerate(rows, 2):
            for column, value in enumerate(row.values()):
                sheet.write_string(at, column, str(value))
    return out.getvalue()


def main(folder: Path) -> None:
    """Two editions of a workbook (with an unknown state and a wrong code in the second), a CSV in GB18030."""
    folder.mkdir(parents=True, exist_ok=True)
    first = lawyers(range(1, 401))
    second = [*lawyers(range(3, 411))]
    second[4] |= {"state": "停业"}
    second[9] |= {"firm_uscc": "31440000MD0000219X"}
    second[20] |= {"discipline_count": "1"}
    titles = titles_of("IN-15")
    for name, content in (
        ("lawyers-1.xlsx", as_xlsx(first, titles)),
        ("lawyers-2.xlsx", as_xlsx(second, titles)),
        ("vehicles.csv", as_csv(vehicles(range(1, 301)), "gb18030")),
    ):
        (folder / name).write_bytes(content)
        print(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "samples"))
