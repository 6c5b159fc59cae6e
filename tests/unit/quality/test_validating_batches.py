"""The validate step from staged rows to good rows, quarantine, findings, counts and decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests.support.validation_world import BATCH, UNIT, ValidationWorld

from huitong.contracts.model import Contract, Field, Limits, RowRule
from huitong.errors import Corrupt, InvalidContract, LimitExceeded, NotFound
from huitong.quality import good as good_rows

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


@pytest.fixture
def world(tmp_path: Path) -> ValidationWorld:
    return ValidationWorld(tmp_path, CLAIMS)


def test_a_good_row_is_published_typed_with_its_origin(world: ValidationWorld) -> None:
    """Q-01, Q-20, L-34: resource, unit, batch, source row, time of receipt and case stand on each row."""
    world.stage([row(1)])
    batch = world.run()
    assert (batch.status, batch.decision, batch.findings, batch.quarantine) == (
        "validated",
        "accepted",
        "",
        "",
    )
    assert world.good() == [
        {
            "_resource": "T-01",
            "_unit": UNIT,
            "_batch_id": BATCH,
            "_source_row": 2,
            "_received_at": datetime(2026, 1, 5, 8, tzinfo=UTC),
            "_case_no": "(2021)粤03破230号(个1)",
            "claim_no": "Z1",
            "id_no": GOOD_ID,
            "id_type": None,
            "person_name": "张三",
            "case_no": "(2021)粤03破230号(个1)",
            "amount": Decimal("12.50"),
            "kind": "01",
            "filed": date(2021, 3, 2),
            "decided": date(2021, 3, 3),
            "updated_at": datetime(2021, 3, 1, 1, tzinfo=UTC),
        }
    ]


BROKEN: list[tuple[dict[str, str | None], list[tuple[str, str]]]] = [
    ({"person_name": None}, [("person_name", "required")]),
    ({"claim_no": None}, [("claim_no", "key.null")]),
    ({"claim_no": "Z12345678"}, [("claim_no", "length")]),
    ({"claim_no": "xZ1"}, [("claim_no", "pattern")]),
    ({"id_no": BAD_ID}, [("id_no", "citizen-id.checksum")]),
    ({"amount": "1,2"}, [("amount", "type")]),
    ({"amount": "-0.01"}, [("amount", "range")]),
    ({"amount": "1000.01"}, [("amount", "range"), ("amount", "rule:small")]),
    ({"kind": "1"}, [("kind", "codes")]),
    ({"filed": "2021-02-29"}, [("filed", "type")]),
    ({"filed": "2021-02-28"}, [("filed", "range")]),
    ({"decided": "2021-03-01"}, [("decided,filed", "rule:order")]),
    ({"updated_at": "2021-03-01 09:00:00"}, [("updated_at", "type")]),
    ({"case_no": "(2021)粤03民初1号"}, [("case_no", "case-number.type")]),
    (
        {"id_no": "x", "kind": "9", "filed": "?"},
        [("id_no", "citizen-id.form"), ("kind", "codes"), ("filed", "type")],
    ),
]


@pytest.mark.parametrize(("changes", "found"), BROKEN)
def test_every_violation_of_a_row_is_kept_and_the_row_is_quarantined_as_delivered(
    world: ValidationWorld, changes: dict[str, str | None], found: list[tuple[str, str]]
) -> None:
    """Q-20, Q-21, C-13: rule, row and column of each violation; the others go on."""
    world.stage([row(1), row(2, **changes), row(3)])
    batch = world.run()
    assert batch.decision == "accepted in part"
    assert world.rules() == [(3, column, rule) for column, rule in found]
    assert [r["claim_no"] for r in world.good()] == ["Z1", "Z3"]
    (bad,) = world.quarantine()
    delivered = row(2, **changes)
    assert {name: bad[name] for name in delivered} == delivered
    assert bad["_rules"] == [rule for _, rule in found]
    assert (bad["_source_row"], bad["_batch_id"], bad["_unit"], bad["_resource"]) == (3, BATCH, UNIT, "T-01")


def test_null_values_break_nothing_but_what_requires_them(world: ValidationWorld) -> None:
    world.stage([{"claim_no": "Z1", "person_name": "张三", "amount": None, "filed": None, "id_no": None}])
    assert world.run().decision == "accepted"
    assert world.good()[0]["amount"] is None


def test_a_finding_explains_itself_in_both_languages_with_a_masked_value(world: ValidationWorld) -> None:
    """Q-21: what, where and what to do; a value at level L4 is masked by the contract."""
    world.stage([row(1), row(2, id_no=BAD_ID, kind="x" * 500)])
    world.run()
    by_rule = {f["rule"]: f for f in world.findings()}
    checksum = by_rule["citizen-id.checksum"]
    assert checksum["value"] == "4403************13"
    assert (checksum["criterion"], checksum["severity"]) == ("constraint", "error")
    assert checksum["zh"].startswith("证件号码:校验码不符")
    assert checksum["en"].startswith("id_no: the check character does not fit")
    assert len(by_rule["codes"]["value"]) == 200
    assert BAD_ID not in str(world.findings())


def test_the_value_of_a_rule_over_several_columns_shows_them_all(world: ValidationWorld) -> None:
    world.stage([row(1), row(2, decided="2021-03-01")])
    world.run()
    (found,) = world.findings()
    assert (found["value"], found["zh"], found["en"]) == (
        "2021-03-01|2021-03-02",
        "决定不早于申报",
        "not before filing",
    )


def test_counts_per_criterion_score_and_rules_are_on_the_batch(world: ValidationWorld) -> None:
    """Q-22: counts per criterion and a score; the batch balances."""
    world.stage(
        [
            row(1),
            row(2),
            row(2, kind="02"),
            row(4, person_name=None),
            row(5, kind="9", filed="x"),
            row(6),
            row(6),
            row(7, amount="950"),
        ]
    )
    batch = world.run()
    quality = batch.quality
    assert (quality.missing, quality.conflicting, quality.constraint, quality.format) == (1, 2, 1, 1)
    assert (quality.warnings, quality.score) == (1, 50.0)
    assert quality.by_rule == {
        "codes": 1,
        "key.conflict": 2,
        "key.duplicate": 1,
        "required": 1,
        "rule:small": 1,
        "type": 1,
    }
    counts = batch.counts
    assert (counts.received, counts.accepted, counts.quarantined, counts.duplicate) == (8, 3, 4, 1)
    assert (counts.withheld, counts.unread) == (3, 0)
    assert counts.balanced("full")


def test_the_first_of_equal_rows_is_kept_and_the_others_are_named_as_duplicates(
    world: ValidationWorld,
) -> None:
    world.stage([row(1), row(2), row(1), row(1)])
    batch = world.run()
    assert [r["_source_row"] for r in world.good()] == [2, 3]
    assert world.rules() == [(4, "claim_no", "key.duplicate"), (5, "claim_no", "key.duplicate")]
    assert (batch.decision, batch.counts.duplicate) == ("accepted", 2)


def test_rows_with_the_same_key_and_other_content_are_all_quarantined(world: ValidationWorld) -> None:
    """Q-21, conflicting content: nobody guesses which of them is right."""
    world.stage([row(1), row(2), row(1, kind="02"), row(1)])
    world.run()
    assert [r["claim_no"] for r in world.good()] == ["Z2"]
    assert [(r["_source_row"], r["_rules"]) for r in world.quarantine()] == [
        (2, ["key.conflict"]),
        (4, ["key.conflict"]),
        (5, ["key.conflict"]),
    ]


def test_keys_are_compared_by_value_not_by_spelling(tmp_path: Path) -> None:
    contract = Contract(
        "T-02",
        1,
        "t",
        table="t_02",
        fields=(
            Field("case_no", key=1, semantic="case-number"),
            Field("n", key=2, type="integer"),
            Field("d", key=3, type="date"),
        ),
    )
    world = ValidationWorld(tmp_path, contract)
    world.stage(
        [
            {"case_no": "(2021)粤03破230号(个1)", "n": "1", "d": "2021-03-01"},
            {"case_no": "（2021）粤03破 230号（个1）", "n": "01", "d": "20210301"},
            {"case_no": "（2021）粤03破231号（个1）", "n": "1", "d": "20210301"},
        ]
    )
    assert world.run().counts.duplicate == 1
    assert [r["case_no"] for r in world.good()] == ["(2021)粤03破230号(个1)", "(2021)粤03破231号(个1)"]


def test_a_bad_key_in_two_spellings_is_two_keys(tmp_path: Path) -> None:
    contract = Contract("T-02", 1, "t", table="t_02", fields=(Field("n", key=1, type="integer"), Field("v")))
    world = ValidationWorld(tmp_path, contract)
    world.stage([{"n": "x", "v": "1"}, {"n": "y", "v": "1"}, {"n": "1", "v": "1"}])
    world.run()
    assert world.rules() == [(2, "n", "type"), (3, "n", "type")]


def test_rows_without_a_whole_key_are_no_duplicates_of_each_other(world: ValidationWorld) -> None:
    world.stage([row(1), row(2, claim_no=None), row(2, claim_no=None)])
    batch = world.run()
    assert (batch.counts.quarantined, batch.counts.duplicate) == (2, 0)


def test_without_a_key_only_equal_rows_are_duplicates(tmp_path: Path) -> None:
    contract = Contract("T-03", 1, "t", table="t_03", fields=(Field("a"), Field("b")))
    world = ValidationWorld(tmp_path, contract)
    world.stage([{"a": "1", "b": None}, {"a": "1", "b": None}, {"a": "1", "b": "2"}])
    assert world.run().counts.duplicate == 1
    assert world.rules() == [(3, "", "key.duplicate")]


def test_values_of_a_unique_column_stand_once(tmp_path: Path) -> None:
    contract = replace(CLAIMS, fields=tuple(replace(f, unique=f.name == "id_no") for f in CLAIMS.fields))
    world = ValidationWorld(tmp_path, contract)
    world.stage(
        [row(1), row(2), row(2), row(3, id_no=None), row(4, id_no=None), row(5, id_no="440305190106150024")]
    )
    world.run()
    assert world.rules() == [(2, "id_no", "unique"), (3, "id_no", "unique"), (4, "claim_no", "key.duplicate")]
    assert [r["claim_no"] for r in world.good()] == ["Z3", "Z4", "Z5"]


def test_another_kind_of_document_is_not_checked_as_an_identity_number(world: ValidationWorld) -> None:
    world.stage(
        [
            row(1, id_no="H12345678", id_type="414"),
            row(2, id_no="H12345678", id_type="111"),
            row(3, id_no="H12345678", id_type=None),
        ]
    )
    world.run()
    assert world.rules() == [(3, "id_no", "citizen-id.form"), (4, "id_no", "citizen-id.form")]


def test_case_numbers_are_published_in_canonical_form_and_quarantined_as_delivered(
    world: ValidationWorld,
) -> None:
    """standards.md 2.6: full-width brackets and spaces are accepted."""
    delivered = "（2021）粤03破 230号（个1）"
    world.stage([row(1, case_no=delivered), row(2, case_no=delivered, kind="9")])
    world.run()
    (published,) = world.good()
    assert published["case_no"] == published["_case_no"] == "(2021)粤03破230号(个1)"
    assert world.quarantine()[0]["case_no"] == delivered


def test_the_declared_case_stands_where_the_row_names_none(world: ValidationWorld) -> None:
    """Q-01: the case for which the delivery was obtained."""
    world.stage([row(1), row(2, case_no=None)], case_no="(2024)粤03破1号(个1)")
    world.run()
    assert [r["_case_no"] for r in world.good()] == ["(2021)粤03破230号(个1)", "(2024)粤03破1号(个1)"]


def test_warnings_leave_a_row_accepted(world: ValidationWorld) -> None:
    world.stage([row(1, amount="950", case_no="(2021)粤03破230号")])
    batch = world.run()
    assert world.rules() == [(2, "case_no", "case-number.personal-count"), (2, "amount", "rule:small")]
    assert (batch.decision, batch.quality.warnings, batch.counts.accepted) == ("accepted", 1, 1)


def test_a_batch_beyond_the_limit_is_rejected_and_leaves_nothing_in_the_warehouse(tmp_path: Path) -> None:
    """Q-20: an explicit decision by the contract's thresholds; the event is told, the queue goes on."""
    world = ValidationWorld(tmp_path, replace(CLAIMS, limits=Limits(max_quarantined_percent=49.9)))
    world.stage([row(1), row(2, kind="9"), row(3, kind="9"), row(3, kind="9")])
    batch = world.run()
    assert (batch.status, batch.decision, batch.good) == ("rejected", "rejected", ())
    assert batch.refusal is not None
    assert batch.refusal["code"] == "batch-rejected"
    assert list(world.warehouse.list("")) == []
    assert (batch.counts.accepted, batch.counts.quarantined, batch.counts.duplicate) == (0, 3, 1)
    assert batch.counts.balanced("full")
    assert len(world.quarantine()) == 2
    assert world.findings()[-1]["rule"] == "batch.rejected"
    assert [kind for kind, _ in world.events.published] == ["BatchRejected"]
    assert world.compare_queue.sent == [({"resource": "T-01"}, "T-01")]


def test_a_share_of_bad_rows_at_the_limit_is_accepted_in_part(tmp_path: Path) -> None:
    world = ValidationWorld(tmp_path, replace(CLAIMS, limits=Limits(max_quarantined_percent=50)))
    world.stage([row(1), row(2, kind="9")])
    assert world.run().decision == "accepted in part"


def test_a_batch_without_a_good_row_is_rejected_whatever_the_limit(world: ValidationWorld) -> None:
    world.stage([row(1, kind="9")])
    batch = world.run()
    assert (batch.status, batch.quality.score) == ("rejected", 0.0)


def test_a_file_with_a_header_only_is_an_accepted_empty_edition(world: ValidationWorld) -> None:
    world.stage([])
    batch = world.run()
    assert (batch.status, batch.decision, batch.good, batch.quality.score) == (
        "validated",
        "accepted",
        (),
        100.0,
    )


def test_an_absent_required_column_is_missing_in_every_row(world: ValidationWorld) -> None:
    world.stage([{"claim_no": "Z1"}, {"claim_no": "Z2"}])
    assert world.run().quality.missing == 2


def test_rows_that_ask_for_a_deletion_need_a_key_only(world: ValidationWorld) -> None:
    world.stage(
        [
            row(1, _op="upsert"),
            row(2, _op="delete", person_name=None, kind="9", amount="x"),
            {"claim_no": "Z3", "_op": "delete"},
            {"claim_no": None, "_op": "delete"},
            row(2, _op="delete"),
            row(5, _op=None),
        ],
        mode="increment",
    )
    batch = world.run()
    assert [r["claim_no"] for r in world.good()] == ["Z1", "Z5"]
    assert world.good(deletes=True) == [
        {"_source_row": 3, "claim_no": "Z2"},
        {"_source_row": 4, "claim_no": "Z3"},
    ]
    assert world.rules() == [(5, "claim_no", "key.null"), (6, "claim_no", "key.duplicate")]
    assert (batch.counts.accepted, batch.counts.quarantined, batch.counts.duplicate) == (4, 1, 1)


def test_a_key_both_delivered_and_deleted_in_one_batch_is_a_conflict(world: ValidationWorld) -> None:
    world.stage([row(1, _op="delete"), row(1, _op="upsert"), row(2, _op="upsert")], mode="increment")
    world.run()
    assert world.rules() == [(2, "claim_no", "key.conflict"), (3, "claim_no", "key.conflict")]


def test_keys_of_quarantined_rows_are_left_typed_for_the_comparison(tmp_path: Path) -> None:
    contract = Contract(
        "T-02",
        1,
        "t",
        table="t_02",
        fields=(Field("n", key=1, type="integer"), Field("v", type="integer")),
    )
    world = ValidationWorld(tmp_path, contract)
    world.stage([{"n": "01", "v": "x"}, {"n": "y", "v": "x"}, {"n": None, "v": "x"}, {"n": "2", "v": "1"}])
    world.run()
    assert world.quarantined_keys() == [{"n": 1}]


def test_structural_findings_are_merged_and_unreadable_rows_quarantined(world: ValidationWorld) -> None:
    """Q-20: what intake found is in the same list; a ragged row is in quarantine with its raw text."""
    world.stage(
        [row(1), {**row(2, kind="9"), "_source_row": 4}],
        structure=[
            {
                "rule": "column.unknown",
                "column": "注",
                "severity": "warning",
                "zh": "未知列",
                "en": "unknown",
            },
            {
                "rule": "row.ragged",
                "source_row": 3,
                "raw": "Z9,440304190002280012",
                "zh": "列数不符",
                "en": "ragged",
            },
            {
                "rule": "row.nul",
                "source_row": 3,
                "column": "id_no",
                "value": GOOD_ID,
                "zh": "空字节",
                "en": "NUL",
            },
        ],
    )
    batch = world.run()
    assert (batch.counts.received, batch.counts.accepted, batch.counts.quarantined) == (3, 1, 2)
    assert world.rules() == [
        (4, "kind", "codes"),
        (None, "注", "column.unknown"),
        (3, "", "row.ragged"),
        (3, "id_no", "row.nul"),
    ]
    assert world.findings()[-1]["value"] == "4403************12"
    ragged = world.quarantine()[-1]
    assert (ragged["_raw"], ragged["_rules"]) == ("Z9,440304190002280012", ["row.ragged", "row.nul"])
    assert batch.quality.format == 2
    assert batch.quality.by_rule["row.ragged"] == 1


def test_a_batch_of_unreadable_rows_only_is_rejected(world: ValidationWorld) -> None:
    world.stage(
        [], structure=[{"rule": "row.ragged", "source_row": 2, "raw": "x", "zh": "列数不符", "en": "ragged"}]
    )
    assert world.run().status == "rejected"


def test_each_partition_has_its_own_files(tmp_path: Path) -> None:
    contract = Contract(
        "T-04",
        1,
        "t",
        table="t_04",
        fields=(
            Field("k", key=1),
            Field("d", type="date", partition=2),
            Field("p", partition=1),
        ),
    )
    world = ValidationWorld(tmp_path, contract)
    world.stage(
        [
            {"k": "1", "p": "a", "d": "2021-03-01"},
            {"k": "2", "p": "b", "d": "2021-03-01"},
            {"k": "3", "p": "a", "d": "20210301"},
            {"k": "4", "p": None, "d": None},
        ],
        group=2,
    )
    world.run()
    partitions = {ref.partition: [r["k"] for r in world.table(ref.key).to_pylist()] for ref in world.refs()}
    assert partitions == {("a", "2021-03-01"): ["1", "3"], ("b", "2021-03-01"): ["2"], (None, None): ["4"]}
    assert sorted(ref.key.rsplit("-", 1)[0] for ref in world.refs()) == [
        f"t_04/data/{BATCH}/part-{n:04}" for n in range(3)
    ]


def test_too_many_partitions_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(good_rows, "MAX_PARTITIONS", 2)
    contract = Contract("T-04", 1, "t", table="t_04", fields=(Field("k", key=1, partition=1),))
    world = ValidationWorld(tmp_path, contract)
    world.stage([{"k": str(n)} for n in range(3)])
    with pytest.raises(LimitExceeded):
        world.run()
    assert world.batch.status == "ingested"


def test_many_files_and_row_groups_give_the_same_as_one(tmp_path: Path) -> None:
    rows = [row(n % 90, kind="9" if n % 7 == 0 else "01", amount=str(n % 5)) for n in range(100)]
    results = []
    for number, (files, group) in enumerate(((1, 1000), (1, 7), (4, 9))):
        world = ValidationWorld(tmp_path / str(number), CLAIMS)
        world.stage(rows, files=files, group=group)
        batch = world.run()
        results.append((world.good(), sorted(world.rules()), batch.counts, batch.quality))
    assert results[0] == results[1] == results[2]


def test_files_carry_iceberg_ids_plain_types_and_statistics_of_the_key(world: ValidationWorld) -> None:
    world.stage([row(1)])
    world.run()
    (ref,) = world.refs()
    with world.warehouse.local(ref.key) as path:
        schema = pq.read_schema(path)
        metadata = pq.read_metadata(path)
    ids = [int(schema.field(i).metadata[b"PARQUET:field_id"]) for i in range(len(schema))]
    assert ids == list(range(1, 17))
    assert not any(str(f.type).startswith("dictionary") for f in schema)
    assert b"ARROW:schema" not in (metadata.metadata or {})
    assert (ref.rows, ref.size, ref.partition) == (1, world.warehouse.head(ref.key).size, ())
    keys: dict[str, Any] = {
        metadata.row_group(0).column(i).path_in_schema: metadata.row_group(0).column(i) for i in range(16)
    }
    assert keys["claim_no"].statistics.min == "Z1"
    assert keys["amount"].physical_type == "INT64"


def test_a_repeated_wake_up_changes_nothing_and_wakes_the_comparison_again(world: ValidationWorld) -> None:
    world.stage([row(1)])
    first = world.run()
    item = world.register.get(f"BATCH#{BATCH}", "BATCH")
    assert world.run() == first
    assert world.register.get(f"BATCH#{BATCH}", "BATCH").version == item.version
    assert world.compare_queue.sent == [({"resource": "T-01"}, "T-01")] * 2


def test_a_batch_that_is_not_ingested_yet_is_left_alone(world: ValidationWorld) -> None:
    world.stage([row(1)])
    stored = world.batches.get(BATCH)
    world.batches.move(stored, "failed", by="test")
    assert world.run().status == "failed"
    assert world.compare_queue.sent == []


def test_an_unknown_batch_is_an_error(world: ValidationWorld) -> None:
    with pytest.raises(NotFound):
        world.run()


def test_rows_lost_between_register_and_staging_are_a_fault(world: ValidationWorld) -> None:
    """Nothing that arrived is lost unseen: the counts must agree before anything is written."""
    world.stage([row(1), row(2)])
    key = world.batch.staging[0]
    with world.staging.local(key) as path:
        table = pq.read_table(path).slice(0, 1)
    pq.write_table(table, world.root / "short.parquet")
    world.staging.put_file(key, world.root / "short.parquet")
    with pytest.raises(Corrupt):
        world.run()
    assert world.batch.status == "ingested"


@pytest.mark.parametrize(
    "contract",
    [
        replace(CLAIMS, rules=(RowRule("r", '"no_such" > 1', ("amount",)),)),
        replace(CLAIMS, fields=(*CLAIMS.fields[1:], Field("claim_no", key=1, pattern="(?=x)"))),
        replace(CLAIMS, fields=(*CLAIMS.fields[:1], Field("amount", type="integer", minimum="x"))),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_the_contracts_fault_not_the_rows(
    tmp_path: Path, contract: Contract
) -> None:
    world = ValidationWorld(tmp_path, contract)
    world.stage([row(1)])
    with pytest.raises(InvalidContract):
        world.run()
    assert world.batch.status == "ingested"


def test_a_rule_that_fails_for_a_row_counts_as_passed(tmp_path: Path) -> None:
    world = ValidationWorld(
        tmp_path, replace(CLAIMS, rules=(RowRule("r", '1 / CAST("kind" AS INT) > 5', ("kind",)),))
    )
    world.stage([row(1, kind=None), row(2, kind="01")])
    world.run()
    assert world.rules() == [(3, "kind", "rule:r")]
