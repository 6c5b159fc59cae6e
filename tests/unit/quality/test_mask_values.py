"""Masks (domain.md section 4): for one value, and as SQL."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest

from huitong.contracts.model import Field, Mask
from huitong.quality.masking import mask_of, mask_sql, mask_value

EXAMPLES: list[tuple[Mask, str, str]] = [
    ("name", "张三丰", "张**"),
    ("id", "440304190002280012", "4403************12"),
    ("phone", "15400000001", "154****0001"),
    ("address", "深圳市福田区福中三路1号", "深圳市福田区****"),
    ("account", "6222000000001234", "************1234"),
    ("plate", "粤B12348", "粤B****8"),
    ("all", "任何内容", "***"),
    ("", "公开", "公开"),
    # too short to keep what the rule keeps: nothing is kept
    ("name", "张", "*"),
    ("id", "440312", "******"),
    ("phone", "8812345", "*******"),
    ("account", "1234", "****"),
    ("plate", "粤B1", "***"),
    # addresses: a residential quarter further on is no district
    ("address", "广东省深圳市南山区粤海街道某小区3栋", "广东省深圳市南山区****"),
    ("address", "深圳市某某小区3栋", "深圳市****"),
    ("address", "深圳市龙岗社区12号", "深圳市****"),
    ("address", "广东省普宁市流沙镇某村", "广东省普宁市****"),
    ("address", "内蒙古自治区包头市昆都仑区1号", "内蒙古自治区包头市昆都仑区****"),
    ("address", "深圳市大鹏新区葵涌1号", "深圳市大鹏新区****"),
    ("address", "饶平县黄冈镇", "饶平县****"),
    ("address", "某某街道1号", "****"),
]


@pytest.mark.parametrize(("mask", "value", "masked"), EXAMPLES)
def test_a_mask_keeps_what_its_rule_names_and_no_more(mask: Mask, value: str, masked: str) -> None:
    assert mask_value(mask, value) == masked


@pytest.mark.parametrize(("mask", "value", "masked"), EXAMPLES)
def test_the_sql_of_a_mask_gives_the_same(mask: Mask, value: str, masked: str) -> None:
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT {mask_sql(mask, 'v')} FROM (SELECT ? AS v)", [value]).fetchone()
    assert row == (masked,)


@pytest.mark.parametrize("mask", ["", "name", "id", "phone", "address", "account", "plate", "all"])
def test_a_null_stays_null(mask: Mask) -> None:
    assert mask_value(mask, None) is None
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT {mask_sql(mask, 'CAST(NULL AS VARCHAR)')}").fetchone()
    assert row == (None,)


def test_sql_masks_work_on_columns_that_are_no_text() -> None:
    with duckdb.connect() as connection:
        row = connection.execute(f"SELECT {mask_sql('account', 'DATE ' + repr('2021-03-01'))}").fetchone()
    assert row == ("******3-01",)


def test_a_field_at_a_masked_level_is_masked_by_its_mask_or_whole() -> None:
    assert mask_of(Field("n", level="L3", mask="name")) == "name"
    assert mask_of(Field("n", level="L4")) == "all"
    assert mask_of(Field("n", level="L2", mask="name")) == ""


@pytest.mark.parametrize(
    ("mask", "value", "shown"),
    [("phone", "26680001", "********"), ("id", "4403041", "*******"), ("account", "12345", "*****")],
)
def test_a_value_too_short_to_hide_much_is_hidden_whole(mask: Any, value: str, shown: str) -> None:
    assert mask_value(mask, value) == shown
