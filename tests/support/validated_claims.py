"""A contract with a field of each kind, and rows that keep it."""

from __future__ import annotations

from huitong.contracts.model import Contract, Field, RowRule

GOOD_ID = "440304190002280012"
BAD_ID = "440304190002280013"

CLAIMS = Contract(
    id="T-01",
    version=1,
    title="债权",
    table="t_01",
    case_field="case_no",
    fields=(
        Field("claim_no", "债权编号", key=1, max_length=8, pattern="Z\\d+", field_id=7),
        Field("id_no", "证件号码", semantic="citizen-id", level="L4", mask="id", field_id=8),
        Field("id_type", "证件类型", field_id=9),
        Field("person_name", "姓名", required=True, level="L3", mask="name", field_id=10),
        Field("case_no", "案号", semantic="case-number", field_id=11),
        Field(
            "amount", "金额", type="decimal", precision=18, scale=2, minimum="0", maximum="1000", field_id=12
        ),
        Field("kind", "种类", codes=("01", "02"), field_id=13),
        Field("filed", "申报日期", type="date", minimum="2021-03-01", field_id=14),
        Field("decided", "决定日期", type="date", field_id=15),
        Field("updated_at", "更新时间", type="timestamp", field_id=16),
    ),
    rules=(
        RowRule("order", '"decided" >= "filed"', ("decided", "filed"), "决定不早于申报", "not before filing"),
        RowRule("small", '"amount" < 900', ("amount",), severity="warning"),
    ),
)
GOOD = {
    "claim_no": "Z1",
    "id_no": GOOD_ID,
    "person_name": "张三",
    "case_no": "(2021)粤03破230号(个1)",
    "amount": "12.50",
    "kind": "01",
    "filed": "2021-03-02",
    "decided": "20210303",
    "updated_at": "2021-03-01T09:00:00+08:00",
}


def row(number: int, **changes: str | None) -> dict[str, str | None]:
    return {**GOOD, "claim_no": f"Z{number}", **changes}
