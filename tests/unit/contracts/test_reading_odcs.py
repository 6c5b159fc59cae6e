"""Contracts as this project and as other tools write them, to what the platform works by."""

from __future__ import annotations

import pytest

from huitong.contracts.model import Contract, Field
from huitong.contracts.odcs import parse, read
from huitong.errors import InvalidContract

FOREIGN = """
version: 1.0.0
kind: DataContract
apiVersion: v3.1.0
id: 3f2c1d70-8f0e-4d0a-9b1c-2a2a2a2a2a2a
name: Orders
status: draft
servers:
  - {server: production, type: postgres, host: localhost, port: 5432, database: shop, schema: public}
schema:
  - name: orders
    physicalType: table
    logicalType: object
    properties:
      - {name: order_id, logicalType: string, physicalType: VARCHAR(18), primaryKey: true, primaryKeyPosition: 1}
      - {name: total, logicalType: number, physicalType: "NUMERIC(12, 2)", semanticType: measure}
      - {name: placed, logicalType: timestamp, physicalType: TIMESTAMP WITH TIME ZONE}
"""


def contract_of(properties: str, rest: str = "") -> Contract:
    lines = "\n".join(f"      {line}" for line in properties.strip("\n").splitlines())
    return parse(
        f"apiVersion: v3.2.0\nkind: DataContract\nid: things\nversion: '1'\n{rest}\n"
        f"schema:\n  - name: things\n    properties:\n"
        f"      - {{name: id, logicalType: string, primaryKey: true}}\n{lines}\n"
    )


def field_of(properties: str) -> Field:
    return contract_of(properties).fields[1]


def test_a_contract_of_another_tool_with_names_types_and_a_key_is_enough() -> None:
    """Q-20."""
    contract = parse(FOREIGN)

    assert contract.id == contract.table == "orders"
    assert [(f.name, f.type) for f in contract.fields] == [
        ("order_id", "string"),
        ("total", "decimal"),
        ("placed", "timestamp"),
    ]
    assert [f.name for f in contract.keys] == ["order_id"]
    assert contract.keys[0].required
    assert contract.keys[0].max_length == 18
    assert (contract.fields[1].precision, contract.fields[1].scale) == (12, 2)
    assert contract.mode == "full"


def test_only_properties_with_a_name_are_enough() -> None:
    contract = parse("schema: [{name: t, properties: [{name: a, primaryKey: true}, {name: b}]}]")

    assert (contract.id, contract.title, contract.table) == ("t", "t", "t")
    assert [f.type for f in contract.fields] == ["string", "string"]


def test_json_is_yaml_too() -> None:
    assert parse('{"schema": {"name": "t", "properties": [{"name": "a", "primaryKey": true}]}}').id == "t"


@pytest.mark.parametrize(
    ("id", "name", "expected"),
    [
        ("IN-01", "cases", "IN-01"),
        ("urn:datacontract:shop:orders", "orders", "orders"),
        ("3F2C1D70-8F0E-4D0A-9B1C-2A2A2A2A2A2A", "orders", "orders"),
        ("订单", "orders", "orders"),
        ("a/../b", "orders", "orders"),
        ("", "orders", "orders"),
    ],
)
def test_the_id_is_the_documents_where_it_fits_a_url_else_the_schemas_name(
    id: str, name: str, expected: str
) -> None:
    contract = parse(f"id: '{id}'\nschema: [{{name: {name}, properties: [{{name: a, primaryKey: true}}]}}]")

    assert contract.id == expected


def test_a_contract_with_no_name_fit_for_a_url_still_has_a_stable_id() -> None:
    document = "id: '{}'\nschema: [{{name: 订单, properties: [{{name: a, primaryKey: true}}]}}]"

    first, second = read(document.format("甲")), read(document.format("乙"))

    assert first.contract.id == second.contract.id
    assert first.contract.id.startswith("r-")
    assert "订单" in first.aliases


def test_a_resource_can_be_asked_for_by_id_table_and_schema_name() -> None:
    parsed = read("id: IN-01\nschema: [{name: Cases, properties: [{name: a, primaryKey: true}]}]")

    assert parsed.aliases == ("in-01", "in_01", "cases")


@pytest.mark.parametrize(
    ("written", "type_", "precision", "scale"),
    [
        ("logicalType: string", "string", 0, 0),
        ("logicalType: integer", "integer", 0, 0),
        ("logicalType: boolean", "boolean", 0, 0),
        ("logicalType: date", "date", 0, 0),
        ("logicalType: timestamp", "timestamp", 0, 0),
        ("logicalType: time", "string", 0, 0),
        ("logicalType: number", "decimal", 38, 9),
        ("logicalType: number, physicalType: double", "double", 0, 0),
        ("logicalType: number, physicalType: 'decimal(18,2)'", "decimal", 18, 2),
        ("logicalType: number, physicalType: bigint", "integer", 0, 0),
        ("logicalType: number, logicalTypeOptions: {multipleOf: 0.01}", "decimal", 38, 2),
        ("logicalType: integer, physicalType: 'decimal(38,0)'", "decimal", 38, 0),
        ("logicalType: date, physicalType: timestamp", "timestamp", 0, 0),
        ("logicalType: date, logicalTypeOptions: {format: 'yyyy-MM-dd HH:mm:ss'}", "timestamp", 0, 0),
        ("physicalType: 'numeric(10)'", "decimal", 10, 0),
        ("physicalType: varchar(18)", "string", 0, 0),
        ("physicalType: character varying(18)", "string", 0, 0),
        ("physicalType: double precision", "double", 0, 0),
        ("physicalType: 'timestamp(6) without time zone'", "timestamp", 0, 0),
        ("physicalType: bigint unsigned", "integer", 0, 0),
        ("physicalType: C", "string", 0, 0),
        ("physicalType: M", "string", 0, 0),
        ("physicalType: Y", "decimal", 18, 2),
        ("physicalType: 'N(7,4)'", "decimal", 7, 4),
        ("physicalType: I", "integer", 0, 0),
        ("physicalType: D", "date", 0, 0),
        ("physicalType: T", "timestamp", 0, 0),
        ("physicalType: L", "boolean", 0, 0),
        ("logicalType: string, physicalType: bigint", "string", 0, 0),
        ("logicalType: string, physicalType: geography", "string", 0, 0),
    ],
)
def test_a_type_comes_from_logical_and_physical_type(
    written: str, type_: str, precision: int, scale: int
) -> None:
    field = field_of(f"- {{name: x, {written}}}")

    assert (field.type, field.precision, field.scale) == (type_, precision, scale)


def test_an_integer_with_a_number_of_digits_has_bounds() -> None:
    field = field_of("- {name: x, logicalType: integer, physicalType: I(3)}")

    assert (field.minimum, field.maximum) == ("-999", "999")


def test_scalars_stay_the_text_that_was_written() -> None:
    field = field_of("- {name: x, logicalType: string, enum: [01, NO, 1.10, '0', ~x]}")

    assert field.codes == ("01", "NO", "1.10", "0", "~x")


def test_what_the_standard_can_say_of_a_field_is_kept() -> None:
    field = field_of(
        """
- name: x
  businessName: 证件号码
  logicalType: string
  logicalTypeOptions: {minLength: 2, maxLength: 5, pattern: '(?<a>[A-Z])\\d+'}
  required: true
  unique: true
  classification: L4
  semanticType: huitong:citizen-id
  relationships: [{to: IN-01.case_no}]
  enum: [{value: A1, label: one}, {value: B2}]
  customProperties: [{property: mask, value: id}]
"""
    )

    assert field == Field(
        "x",
        "证件号码",
        required=True,
        min_length=2,
        max_length=5,
        pattern=r"(?P<a>[A-Z])\d+",
        codes=("A1", "B2"),
        semantic="citizen-id",
        level="L4",
        mask="id",
        refers_to="IN-01.case_no",
        unique=True,
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("minimum: 0, maximum: 9.5", ("0", "9.5", False, False)),
        ("exclusiveMinimum: 0, exclusiveMaximum: 9", ("0", "9", True, True)),
        ("minimum: 0, exclusiveMinimum: true", ("0", None, True, False)),
        ("minimum: 0, exclusiveMinimum: false", ("0", None, False, False)),
    ],
)
def test_bounds_are_inclusive_or_exclusive(options: str, expected: tuple[object, ...]) -> None:
    field = field_of(f"- {{name: x, logicalType: number, logicalTypeOptions: {{{options}}}}}")

    assert (field.minimum, field.maximum, field.exclusive_minimum, field.exclusive_maximum) == expected


def test_date_formats_of_the_jdk_and_of_strptime_are_understood() -> None:
    field = field_of(
        """
- name: x
  logicalType: date
  logicalTypeOptions: {format: yyyy/MM/dd}
  customProperties: [{property: dateFormats, value: ["%d.%m.%Y", "yyyy年M月d日"]}]
"""
    )

    assert field.formats == ("%Y/%m/%d", "%d.%m.%Y", "%Y年%m月%d日")


@pytest.mark.parametrize(
    ("written", "semantic"),
    [
        ("semanticType: uscc", "uscc"),
        ("semanticType: huitong:uscc", "uscc"),
        ("logicalTypeOptions: {format: uscc}", "uscc"),
        ("semanticType: dimension, logicalTypeOptions: {format: uscc}", "uscc"),
        ("semanticType: column", ""),
        ("semanticType: https://schema.org/identifier", ""),
        ("logicalTypeOptions: {format: email}", ""),
    ],
)
def test_only_a_known_meaning_is_a_rule(written: str, semantic: str) -> None:
    assert field_of(f"- {{name: x, logicalType: string, {written}}}").semantic == semantic


def test_money_is_an_amount_unless_corrections_are_allowed() -> None:
    assert field_of("- {name: x, physicalType: Y}").semantic == "amount"
    corrected = field_of("- {name: x, physicalType: Y, logicalTypeOptions: {minimum: -100}}")
    assert corrected.semantic == ""


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("L3", "L3"),
        ("public", "L1"),
        ("internal", "L2"),
        ("confidential", "L3"),
        ("Restricted", "L4"),
        ("敏感", "L3"),
    ],
)
def test_common_words_of_classification_are_levels(written: str, level: str) -> None:
    assert field_of(f"- {{name: x, classification: {written}}}").level == level


def test_keys_and_partitions_have_their_order() -> None:
    contract = parse(
        """
id: t
schema:
  - name: t
    properties:
      - {name: a, primaryKey: true, primaryKeyPosition: 2}
      - {name: b, primaryKey: true, primaryKeyPosition: 1, partitioned: true, partitionKeyPosition: 2}
      - {name: c, partitioned: true, partitionKeyPosition: 1}
      - {name: d, primaryKey: true}
"""
    )

    assert [f.name for f in contract.keys] == ["b", "a", "d"]
    assert [f.name for f in contract.partitions] == ["c", "b"]
    assert {f.name for f in contract.fields if f.required} == {"a", "b", "d"}


def test_library_metrics_that_must_be_zero_become_rules_of_the_field() -> None:
    contract = contract_of(
        """
- name: must
  quality: [{type: library, metric: nullValues, mustBe: 0}]
- name: once
  quality: [{metric: duplicateValues, mustBe: 0, unit: rows}]
- name: coded
  quality: [{metric: invalidValues, mustBe: 0, arguments: {validValues: [a, 02]}}]
- name: formed
  quality: [{metric: invalidValues, mustBe: 0, arguments: {pattern: '[A-Z]+'}}]
- name: mostly
  quality:
    - {metric: nullValues, mustBeLessThan: 10, unit: percent}
    - {type: sql, query: "SELECT COUNT(*) FROM t", mustBeGreaterThan: 0}
    - {type: custom, engine: soda, implementation: "checks: []"}
    - {type: text, description: Looks nice.}
"""
    )
    by_name = {f.name: f for f in contract.fields}

    assert by_name["must"].required
    assert by_name["once"].unique
    assert by_name["coded"].codes == ("a", "02")
    assert by_name["formed"].pattern == "[A-Z]+"
    assert by_name["mostly"] == Field("mostly")
    assert contract.rules == ()


def test_cross_field_rules_have_both_languages_and_a_severity() -> None:
    contract = parse(
        """
id: t
schema:
  - name: t
    properties:
      - {name: id, primaryKey: true}
      - {name: a, logicalType: date}
      - {name: b, logicalType: date, quality: [{engine: huitong, type: custom, implementation: b is not null}]}
    quality:
      - id: in-order
        type: custom
        engine: huitong
        description: 止不得早于起 / The end is not before the start
        severity: warning
        implementation: {expression: A <= b}
"""
    )

    order, plain = contract.rules
    assert (order.id, order.zh, order.en) == ("in-order", "止不得早于起", "The end is not before the start")
    assert (order.severity, order.columns, order.expression) == ("warning", ("a", "b"), '"a" <= "b"')
    assert (plain.id, plain.severity, plain.expression) == ("rule-2", "error", 'NOT "b" IS NULL')


def test_multiples_are_a_rule_where_the_scale_does_not_say_it() -> None:
    five = contract_of("- {name: x, logicalType: integer, logicalTypeOptions: {multipleOf: 5}}")
    cents = contract_of("- {name: x, logicalType: number, logicalTypeOptions: {multipleOf: 0.01}}")

    assert [r.expression for r in five.rules] == ['TRY("x" % 5 = 0)']
    assert cents.rules == ()


def test_share_attributes_are_custom_properties() -> None:
    contract = parse(
        """
id: t
name: 案件
domain: court
team: {name: 深圳市中级人民法院}
slaProperties: [{property: retention, value: 3, unit: y}, {property: frequency, value: 每月}]
customProperties:
  - {property: providerUscc, value: 1144030000AA01019J}
  - {property: resourceCode, value: 34440301/00001}
  - {property: direction, value: in}
  - {property: shareType, value: 2 有条件共享}
  - {property: shareCondition, value: 一案一申请}
  - {property: shareMethod, value: interface push}
  - {property: open, value: 0}
  - {property: deliveryMode, value: increment}
  - {property: caseField, value: case_no}
  - {property: maxQuarantinedPercent, value: 50}
  - {property: maxDeletedPercent, value: 5.5}
  - {property: maxUpdatedPercent, value: 100}
  - {property: guardFloor, value: 0}
  - {property: somebodyElses, value: {a: b}}
schema: [{name: t, properties: [{name: case_no, primaryKey: true}]}]
"""
    )

    assert (contract.title, contract.provider_name) == ("案件", "深圳市中级人民法院")
    assert contract.provider == "1144030000AA01019J"
    assert contract.resource_code == "34440301/00001"
    assert (contract.direction, contract.share_type, contract.open) == ("in", "2", "0")
    assert (contract.share_condition, contract.share_method) == ("一案一申请", "interface push")
    assert (contract.frequency, contract.mode, contract.case_field) == ("monthly", "increment", "case_no")
    limits = contract.limits
    assert (limits.max_quarantined_percent, limits.max_deleted_percent) == (50, 5.5)
    assert (limits.max_updated_percent, limits.guard_floor) == (100, 0)


def test_a_contract_says_where_it_is_computed_and_nonsense_is_refused() -> None:
    """C-38: custom properties ``engine`` and ``athenaAboveRows``."""
    text = """
id: t
customProperties: [{property: engine, value: %s}, {property: athenaAboveRows, value: %s}]
schema: [{name: t, properties: [{name: case_no, primaryKey: true}]}]
"""
    contract = parse(text % ("Athena", 5_000_000))
    assert (contract.engine, contract.athena_above_rows) == ("athena", 5_000_000)
    assert Contract.from_record(contract.as_record()) == contract
    with pytest.raises(InvalidContract) as refused:
        parse(text % ("spark", "-1"))
    assert sorted(p.where["path"] for p in refused.value.problems) == [
        "customProperties.athenaAboveRows", "customProperties.engine",
    ]  # fmt: skip


def test_an_unfit_name_is_replaced_by_the_physical_one() -> None:
    field = field_of("- {name: Order Date, physicalName: order_date}")

    assert (field.name, field.title) == ("order_date", "Order Date")


def test_a_contract_survives_json_and_the_register() -> None:
    contract = parse(FOREIGN)

    assert Contract.from_json(contract.to_json()) == contract
    assert Contract.from_record(contract.as_record()) == contract
