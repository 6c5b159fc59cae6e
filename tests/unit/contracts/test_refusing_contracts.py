"""Wrong contracts: every fault at once, each with its place, in Chinese and English (Q-20)."""

from __future__ import annotations

import pytest

from huitong.contracts.odcs import parse
from huitong.errors import InvalidContract, Problem

KEY = "{name: id, primaryKey: true}"


def problems_of(document: str | bytes) -> tuple[Problem, ...]:
    with pytest.raises(InvalidContract) as refused:
        parse(document)
    return refused.value.problems


def problems_of_property(prop: str, *, quality: str = "") -> tuple[Problem, ...]:
    checks = f", quality: [{quality}]" if quality else ""
    return problems_of(f"id: t\nschema: [{{name: t, properties: [{KEY}, {prop}]{checks}}}]")


def test_all_problems_are_told_at_once_with_their_paths() -> None:
    found = problems_of(
        """
apiVersion: v2.2.2
kind: Table
nonsense: 1
id: t
schema:
  - name: t
    properties:
      - {name: _a, logicalType: strng}
      - {name: b, required: perhaps}
      - {name: B, classification: odd, semanticType: huitong:odd, logicalTypeOptions: {pattern: '(?=x)'}}
      - {name: c, logicalType: integer, logicalTypeOptions: {minimum: 5, maximum: 1}, enum: [x, 1, 1]}
    quality:
      - {type: custom, engine: huitong, implementation: nobody > 1}
      - {type: custom, engine: huitong, implementation: "c = (select 1)"}
slaProperties: [{property: frequency, value: sometimes}]
customProperties:
  - {property: maxDeletedPercent, value: 101}
  - {property: shareType, value: 4}
  - {property: caseField, value: nobody}
"""
    )

    assert [(p.rule, p.where["path"]) for p in found] == [
        ("contract.api-version", "apiVersion"),
        ("contract.kind", "kind"),
        ("shape", "schema[0].properties[1].required"),
        ("shape", "nonsense"),
        ("name.unfit", "schema[0].properties[0].name"),
        ("type.unknown", "schema[0].properties[0].logicalType"),
        ("pattern.unfit", "schema[0].properties[2].logicalTypeOptions.pattern"),
        ("semantic.unknown", "schema[0].properties[2].semanticType"),
        ("classification.unknown", "schema[0].properties[2].classification"),
        ("name.repeated", "schema[0].properties[2].name"),
        ("bounds.order", "schema[0].properties[3].logicalTypeOptions"),
        ("enum.value", "schema[0].properties[3].enum[0]"),
        ("enum.repeated", "schema[0].properties[3].enum[2]"),
        ("key.missing", "schema[0].properties"),
        ("rule.expression", "schema[0].quality[0].implementation"),
        ("rule.expression", "schema[0].quality[1].implementation"),
        ("custom.value", "customProperties.shareType"),
        ("frequency.unknown", "slaProperties[0]"),
        ("custom.value", "customProperties.caseField"),
        ("limit.range", "customProperties.maxDeletedPercent"),
    ]
    assert all(p.zh and p.en for p in found)


@pytest.mark.parametrize(
    ("prop", "rule"),
    [
        ("{name: 1a}", "name.unfit"),
        ("{name: a b}", "name.unfit"),
        ("{name: 'a\"b'}", "name.unfit"),
        (f"{{name: {'a' * 129}}}", "name.unfit"),
        ("{name: ''}", "name.missing"),
        ("{logicalType: string}", "name.missing"),
        ("{name: ID}", "name.repeated"),
        ("{name: a, logicalType: object, properties: [{name: b}]}", "type.nested"),
        ("{name: a, physicalType: intger}", "type.unknown"),
        ("{name: a, physicalType: 'decimal(50,2)'}", "type.unknown"),
        ("{name: a, physicalType: 'decimal(4,6)'}", "type.unknown"),
        ("{name: a, logicalTypeOptions: {pattern: '['}}", "pattern.unfit"),
        ("{name: a, logicalType: integer, logicalTypeOptions: {pattern: x}}", "option.unfit"),
        ("{name: a, logicalType: string, logicalTypeOptions: {minimum: 1}}", "option.unfit"),
        ("{name: a, logicalTypeOptions: {minLength: 3, maxLength: 2}}", "bounds.order"),
        ("{name: a, logicalTypeOptions: {maxLength: many}}", "option.number"),
        ("{name: a, logicalTypeOptions: {maxLength: -1}}", "option.number"),
        ("{name: a, logicalType: integer, logicalTypeOptions: {minimum: 1.5}}", "bounds.value"),
        ("{name: a, logicalType: number, logicalTypeOptions: {maximum: NaN}}", "bounds.value"),
        ("{name: a, logicalType: date, logicalTypeOptions: {minimum: 2023-02-29}}", "bounds.value"),
        ("{name: a, logicalType: date, logicalTypeOptions: {format: QQQ}}", "format.unknown"),
        ("{name: a, logicalType: integer, logicalTypeOptions: {multipleOf: 0}}", "option.number"),
        ("{name: a, logicalType: boolean, enum: [maybe]}", "enum.value"),
        ("{name: a, logicalType: integer, semanticType: citizen-id}", "semantic.type"),
        ("{name: a, customProperties: [{property: mask, value: half}]}", "mask.unknown"),
        ("{name: a, primaryKey: true, physicalType: double}", "key.type"),
        ("{name: a, partitioned: true, physicalType: double}", "key.type"),
        ("{name: a, required: 3}", "shape"),
    ],
)
def test_a_wrong_property_is_refused(prop: str, rule: str) -> None:
    assert [p.rule for p in problems_of_property(prop)] == [rule]


def test_the_same_place_in_the_key_cannot_be_taken_twice() -> None:
    found = problems_of(
        "id: t\nschema: [{name: t, properties: [{name: a, primaryKey: true, primaryKeyPosition: 1},"
        " {name: b, primaryKey: true, primaryKeyPosition: 1}]}]"
    )

    assert [p.rule for p in found] == ["key.position"]


def test_one_contract_holds_one_schema_object() -> None:
    two = "id: t\nschema: [{name: a, properties: [{name: x, primaryKey: true}]}, {name: b}]"

    assert [p.rule for p in problems_of(two)] == ["contract.schema"]
    assert [p.rule for p in problems_of("id: t")] == ["contract.schema"]


def test_a_rule_id_is_given_once() -> None:
    rule = "{id: r, type: custom, engine: huitong, implementation: id = '1'}"

    found = problems_of(f"id: t\nschema: [{{name: t, properties: [{KEY}], quality: [{rule}, {rule}]}}]")

    assert [p.rule for p in found] == ["rule.repeated"]


def test_a_rule_without_expression_is_refused() -> None:
    found = problems_of_property("{name: a}", quality="{type: custom, engine: huitong}")

    assert [p.rule for p in found] == ["rule.empty"]


def bomb() -> str:
    levels = ["l0: &l0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10)]
    return "\n".join(levels)


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        ("", "contract.not-a-mapping"),
        ("just text", "contract.not-a-mapping"),
        ("- a\n- b", "contract.not-a-mapping"),
        ("a: [1, 2", "contract.yaml"),
        ("a: b: c", "contract.yaml"),
        ("a: 1\n---\nb: 2", "contract.yaml"),
        ("a: !!python/object/apply:os.system ['true']", "contract.yaml"),
        ("a: \x00", "contract.yaml"),
        ("a: \ud800", "contract.yaml"),
        ("? [a, b]\n: c", "contract.yaml"),
        (b"a: \xff\xfe\x80", "contract.encoding"),
        ("#" * (1024 * 1024 + 1), "contract.too-large"),
        (bomb(), "contract.aliases"),
        ("a: " + "[" * 60 + "]" * 60, "contract.depth"),
        ("a: " + "[" * 100_000, "contract.depth"),
        (
            "id: t\nid: u\nschema: [{name: t, properties: [{name: a, primaryKey: true}]}]",
            "contract.repeated-key",
        ),
    ],
)
def test_hostile_or_broken_text_is_a_clear_refusal(document: str | bytes, rule: str) -> None:
    found = problems_of(document)

    assert found[0].rule == rule
    assert found[0].zh


def test_two_thousand_fields_are_taken_and_one_more_is_not() -> None:
    def of(count: int) -> str:
        fields = "\n".join(f"      - {{name: f{n}, logicalType: string}}" for n in range(1, count))
        return f"id: t\nschema:\n  - name: t\n    properties:\n      - {KEY}\n{fields}\n"

    assert len(parse(of(2000)).fields) == 2000
    assert [p.rule for p in problems_of(of(2001))] == ["contract.properties"]


def test_a_few_aliases_are_allowed() -> None:
    document = (
        "id: t\nschema: [{name: t, properties: [{name: a, primaryKey: true, enum: &codes [{value: x}]},"
        " {name: b, enum: *codes}]}]"
    )

    assert [f.codes for f in parse(document).fields] == [("x",), ("x",)]
