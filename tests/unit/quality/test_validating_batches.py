"""What is wrong with rows and what becomes of the batch: findings, quarantine, counts and decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.support.validated_claims import BAD_ID, CLAIMS, GOOD_ID, row
from tests.support.validation_world import BATCH, UNIT, ValidationWorld

from huitong.contracts.model import Limits, RowRule


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


def test_a_file_that_nobody_could_read_is_told_again_without_its_name(world: ValidationWorld) -> None:
    """S-16: an earlier step rejected it, and its reason names the file and quotes its heading."""
    world.stage([row(1)])
    stored = world.batches.get(BATCH)
    why = {
        "code": "unreadable-file",
        "zh": "表头“张三”",
        "en": "x",
        "where": {"file": "张三.xlsx"},
        "problems": [],
    }
    world.batches.move(stored, "rejected", by="intake", refusal=why, decision="rejected")
    world.run()
    ((kind, told),) = world.events.published
    assert (kind, told["batch"], told["code"]) == ("BatchRejected", BATCH, "unreadable-file")
    assert "张三" not in str(told)


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


def test_a_rule_that_fails_for_a_row_counts_as_passed(tmp_path: Path) -> None:
    world = ValidationWorld(
        tmp_path, replace(CLAIMS, rules=(RowRule("r", '1 / CAST("kind" AS INT) > 5', ("kind",)),))
    )
    world.stage([row(1, kind=None), row(2, kind="01")])
    world.run()
    assert world.rules() == [(3, "kind", "rule:r")]
