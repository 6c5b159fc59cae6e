"""Import profiles: set once, used for every later delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from huitong.errors import BadRequest, Conflict, NotFound
from huitong.intake.profiles import ImportProfile

UNIT, RESOURCE = "11440300MB2C0001XX", "IN-90"


def test_a_saved_profile_reads_every_later_delivery_without_being_named(intake: Any) -> None:
    """Q-12, Q-14: mapping, trims, defaults, null markers and date formats."""
    intake.profile(
        columns={"编号": "claim_id", "姓名": "creditor", "日期": "filed"},
        trim="all",
        defaults={"amount": "0.00", "creditor": "不详"},
        null_markers=["-", "无"],
        date_formats={"*": ["%Y年%m月%d日", "%Y/%m/%d"]},
        delimiter="tab",
        encoding="GBK",
    )
    text = "编号\t姓名\t日期\n A1 \t\u3000张三\u3000\t2026年1月2日\nA2\t-\t2026/02/30\nA3\t  \t2026-03-04\n"
    for edition in ("", "second"):
        batch = intake.upload(text.encode("gbk"), edition=edition)
        assert [(r["claim_id"], r["creditor"], r["filed"], r["amount"]) for r in intake.rows(batch)] == [
            ("A1", "张三", "2026-01-02", "0.00"),
            ("A2", "不详", "2026/02/30", "0.00"),
            ("A3", "不详", "2026-03-04", "0.00"),
        ]
        assert batch.profile == "default"


def test_a_moment_in_a_declared_format_is_china_time(intake: Any) -> None:
    contract = intake.contracts.known[RESOURCE]
    fields = tuple(replace(f, type="timestamp") if f.name == "filed" else f for f in contract.fields)
    intake.contracts.known[RESOURCE] = replace(contract, fields=fields)
    intake.profile(date_formats={"filed": "%Y-%m-%d %H:%M:%S"})
    batch = intake.land(b"claim_id,creditor,filed\n1,a,2026-01-02 09:00:00\n2,b,2026-01-02T09:00:00Z\n")
    assert intake.column(batch, "filed") == ["2026-01-02T09:00:00+08:00", "2026-01-02T09:00:00Z"]


def test_only_named_fields_are_trimmed(intake: Any) -> None:
    intake.profile(trim_fields=["claim_id"])
    [row] = intake.rows(intake.land(b"claim_id,creditor\n A1 , x \n"))
    assert (row["claim_id"], row["creditor"]) == ("A1", " x ")


def test_another_profile_is_used_when_it_is_named(intake: Any) -> None:
    intake.profile(name="旧系统", columns={"BH": "claim_id", "XM": "creditor"})

    assert intake.column(intake.upload(b"bh,xm\n1,x\n", profile="旧系统"), "claim_id") == ["1"]
    assert intake.upload(b"bh,xm\n1,x\n", edition="2").status == "rejected"


def test_an_operation_column_says_what_is_deleted(intake: Any) -> None:
    intake.profile(mode="increment", operation_column="操作", operations={"增": "upsert", "删": "delete"})
    batch = intake.land("操作,claim_id,creditor\n增,1,a\n删,2,\n改,3,c\n,4,d\n".encode())

    assert [(r["claim_id"], r["_op"]) for r in intake.rows(batch)] == [("1", "upsert"), ("2", "delete")]
    found = [
        (f["rule"], f["source_row"], f["value"]) for f in intake.findings(batch) if f["severity"] == "error"
    ]
    assert found == [("row.operation", 4, "改"), ("row.operation", 5, None)]
    assert batch.counts.received == 4


def test_a_file_without_the_declared_operation_column_is_refused(intake: Any, refused: Any) -> None:
    intake.profile(mode="increment", operation_column="操作")
    assert refused(intake.land(b"claim_id,creditor\n1,a\n"))["rule"] == "columns.operation-missing"


def test_an_increment_without_operations_only_changes_and_adds(intake: Any) -> None:
    batch = intake.upload(b"claim_id,creditor\n1,a\n", mode="increment")
    assert "_op" not in intake.rows(batch)[0]


def test_a_list_of_deletions_needs_the_keys_only(intake: Any) -> None:
    batch = intake.upload(b"claim_id\n1\n2\n", mode="deletion")

    assert [(r["claim_id"], r["_op"]) for r in intake.rows(batch)] == [("1", "delete"), ("2", "delete")]
    assert intake.findings(batch) == []


def test_all_problems_of_a_profile_are_told_at_once() -> None:
    with pytest.raises(BadRequest) as caught:
        ImportProfile.read(
            UNIT,
            RESOURCE,
            {
                "name": "../x",
                "mode": "often",
                "trim": "some",
                "encoding": "klingon",
                "delimiter": "ab",
                "header_row": "x",
                "columns": {"a": "claim_id", "b": "claim_id"},
                "operations": {"x": "explode"},
                "date_formats": {"*": ["YYYY-MM-DD"], "filed": "%Y-%m-%d %z"},
                "colour": "red",
                "null_markers": "none",
            },
        )
    assert {p.rule for p in caught.value.problems} == {
        "profile.name",
        "profile.mode",
        "profile.trim",
        "option.encoding",
        "option.delimiter",
        "option.header_row",
        "profile.columns",
        "profile.operations",
        "profile.operation_column",
        "profile.date_formats",
        "profile.colour",
        "profile.null_markers",
    }


def test_a_profile_that_names_unknown_fields_is_not_saved(intake: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        intake.profile(columns={"a": "nowhere"}, defaults={"elsewhere": "1"})
    assert len(caught.value.problems) == 2
    assert intake.profiles.list(UNIT) == []


def test_two_people_cannot_overwrite_each_others_profile(intake: Any) -> None:
    first = intake.profile(trim="all")
    second = intake.profile(trim="none")
    assert (first.version, second.version) == (1, 2)

    with pytest.raises(Conflict):
        intake.profiles.save(first)
    assert intake.profiles.get(UNIT, RESOURCE).trim == "none"


def test_profiles_are_listed_by_unit_and_resource(intake: Any) -> None:
    intake.profile()
    intake.profile(name="other")

    assert [p.name for p in intake.profiles.list(UNIT, RESOURCE)] == ["default", "other"]
    assert intake.profiles.list(UNIT, "IN-9") == []
    with pytest.raises(NotFound):
        intake.profiles.get(UNIT, RESOURCE, "third")
