"""The contracts in schemas/: the catalogue's 20 resources and the division tables."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from open_data_contract_standard.model import OpenDataContractStandard

from huitong.contracts.frequency import FREQUENCIES
from huitong.contracts.model import KNOWN_SEMANTICS, Contract, Field
from huitong.contracts.odcs import parse

ROOT = Path(__file__).resolve().parents[3]
SCHEMAS = sorted((ROOT / "schemas").glob("*.yaml"))
CATALOGUE = ROOT / "../shared/spec/catalog.json"
DIVISIONS = ROOT / "../shared/data/divisions"
TYPES = {
    "C": "string", "M": "string", "Y": "decimal", "N": "decimal", "I": "integer", "D": "date", "T": "timestamp",
    "L": "boolean",
}  # fmt: skip
FREQUENCY = {
    "实时": "realtime", "每日": "daily", "每周": "weekly", "每月": "monthly", "每季度": "quarterly",
}  # fmt: skip
COLUMN = {
    "string": "VARCHAR", "integer": "BIGINT", "double": "DOUBLE", "boolean": "BOOLEAN", "date": "DATE",
    "timestamp": "TIMESTAMPTZ",
}  # fmt: skip


def contract(name: str) -> Contract:
    return parse((ROOT / "schemas" / f"{name}.yaml").read_bytes())


@pytest.fixture(scope="module")
def catalogue() -> dict[str, dict[str, Any]]:
    if not CATALOGUE.exists():
        pytest.skip("the catalogue's specification (../shared/spec/catalog.json) is not here")
    return {entry["id"]: entry for entry in json.loads(CATALOGUE.read_text())}


def test_there_is_a_contract_for_each_resource() -> None:
    names = [path.stem for path in SCHEMAS]

    assert names == [
        *(f"IN-{n:02}" for n in range(1, 16)),
        *(f"OUT-{n:02}" for n in range(1, 6)),
        "divisions-areas",
        "divisions-streets",
    ]


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda p: p.stem)
def test_a_schema_is_a_contract_and_nothing_in_it_is_lost(path: Path) -> None:
    """Q-20: id as its file's name, every rule and meaning understood."""
    parsed = parse(path.read_bytes())
    standard = OpenDataContractStandard(**yaml.safe_load(path.read_text()))
    assert standard.schema_ is not None
    schema = standard.schema_[0]
    properties = {p.name: p for p in schema.properties or []}

    assert parsed.id == path.stem
    assert parsed.title == standard.name
    assert parsed.frequency in FREQUENCIES
    assert len(parsed.rules) == len(schema.quality or [])
    assert all(r.zh != r.en for r in parsed.rules)
    assert [f.name for f in parsed.fields] == list(properties)
    for field in parsed.fields:
        meaning = (properties[field.name].logicalTypeOptions or {}).get("format", "")
        assert meaning == "" or (meaning in KNOWN_SEMANTICS and field.semantic == meaning)
        assert field.level
        assert field.title
        assert field.letter


@pytest.mark.parametrize("path", SCHEMAS, ids=lambda p: p.stem)
def test_the_rules_of_a_schema_run_in_duckdb(path: Path) -> None:
    parsed = parse(path.read_bytes())
    columns = ", ".join(
        f'"{f.name}" {COLUMN.get(f.type) or f"DECIMAL({f.precision},{f.scale})"}' for f in parsed.fields
    )

    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t ({columns})")
        for rule in parsed.rules:
            connection.execute(f"SELECT count(*) FROM t WHERE NOT ({rule.expression})")
        for field in parsed.fields:
            connection.execute("SELECT regexp_full_match('', ?)", [field.pattern])


@pytest.mark.parametrize("id", [p.stem for p in SCHEMAS if p.stem[:2] in ("IN", "OU")])
def test_a_catalogue_contract_equals_the_catalogue(id: str, catalogue: dict[str, dict[str, Any]]) -> None:
    entry, ours = catalogue[id], contract(id)

    assert ours.title == entry["name"]
    assert (ours.provider, ours.provider_name) == (entry["provider_code"], entry["provider"])
    assert (ours.resource_code, ours.direction) == (entry["resource_code"], entry["direction"])
    assert ours.share_type == entry["share_type"][0]
    assert entry["share_condition"] in ours.share_condition
    assert entry["share_method"] in ours.share_method
    assert ours.open == entry["open"]
    assert ours.frequency == FREQUENCY[entry["update_cycle"]]
    assert [f.name for f in ours.keys] == entry["primary_key"]
    given = {row[1]: row for row in entry["fields"]}
    assert [f.name for f in ours.fields if f.name != "id_type"] == list(given)
    for field in ours.fields:
        if field.name != "id_type":
            assert_equal_item(field, given[field.name])


def assert_equal_item(field: Field, item: list[Any]) -> None:
    title, _, letter, length, mark, level, rule = item
    assert (field.title, field.letter, field.level, field.type) == (title, letter, level, TYPES[letter])
    if letter in "CM":
        assert field.max_length == length
    if letter == "N":
        assert field.precision == length
    if letter == "Y":
        assert (field.precision, field.scale, field.semantic) == (18, 2, "amount")
    if mark == "FK":
        assert field.refers_to == "IN-01.case_no"
    for number, semantic in (
        ("2.1,", "citizen-id"),
        ("2.2", "uscc"),
        ("2.3", "division"),
        ("2.6", "case-number"),
    ):
        if rule.startswith(number):
            assert field.semantic == semantic
    if "mask " in rule:
        assert field.mask == rule.split("mask ")[1].split(",")[0]


def test_every_resource_with_an_identity_number_says_which_document_it_is_of() -> None:
    for path in SCHEMAS:
        parsed = parse(path.read_bytes())
        kind = parsed.field_named("id_type")
        if any(f.name in ("id_no", "debtor_id_no") for f in parsed.fields):
            assert kind is not None
            assert (kind.letter, kind.max_length, kind.level, kind.required) == ("C", 3, "L2", False)
            assert "111" in kind.codes
        else:
            assert kind is None


def test_the_stages_are_those_of_the_procedure() -> None:
    stage = contract("IN-01").field_named("case_stage")

    assert stage is not None
    assert " ".join(stage.codes) == "10 20 21 22 30 31 32 40 41 42 43 50 51 52 60 61 70 80 90"


def test_a_case_names_the_rows_that_belong_to_it() -> None:
    """Q-01."""
    with_case = {p.stem for p in SCHEMAS if contract(p.stem).case_field == "case_no"}

    assert with_case == {"IN-01", "IN-02", "IN-14", "OUT-01", "OUT-02", "OUT-03", "OUT-05"}


def test_every_frequency_of_the_standard_is_in_use() -> None:
    """Q-46."""
    used = {parse(path.read_bytes()).frequency for path in SCHEMAS}

    assert used == {"realtime", "daily", "weekly", "monthly", "quarterly", "yearly"}


def check(rule_id: str, resource: str, row: str) -> bool | None:
    rule = next(r for r in contract(resource).rules if r.id == rule_id)
    with duckdb.connect() as connection:
        answer = connection.execute(f"SELECT {rule.expression} FROM (SELECT {row})").fetchone()
    assert answer is not None
    return None if answer[0] is None else bool(answer[0])


@pytest.mark.parametrize(
    ("resource", "rule", "row", "expected"),
    [
        ("IN-01", "accepted-after-application", "DATE '2021-03-02' accept_date, DATE '2021-03-01' apply_date", True),
        ("IN-01", "accepted-after-application", "DATE '2021-02-28' accept_date, DATE '2021-03-01' apply_date", False),
        ("IN-01", "accepted-after-application", "NULL::DATE accept_date, DATE '2021-03-01' apply_date", None),
        ("IN-01", "accepted-in-stage", "DATE '2021-03-01' accept_date, '20' case_stage", False),
        ("IN-01", "accepted-in-stage", "DATE '2021-03-01' accept_date, '30' case_stage", True),
        ("IN-11", "birth-of-number",
         "'440304190002280012' id_no, NULL::VARCHAR id_type, DATE '1900-02-28' birth_date", True),
        ("IN-11", "birth-of-number", "'440304190002280012' id_no, '111' id_type, DATE '1900-03-01' birth_date", False),
        ("IN-11", "birth-of-number", "'440304190002280012' id_no, '414' id_type, DATE '1900-03-01' birth_date", True),
        ("IN-11", "sex-of-number", "'440304190002280012' id_no, NULL::VARCHAR id_type, '1' sex", True),
        ("IN-11", "sex-of-number", "'440304190002280012' id_no, NULL::VARCHAR id_type, '2' sex", False),
        ("IN-11", "sex-of-number", "'440304190002280012' id_no, NULL::VARCHAR id_type, '9' sex", True),
        ("IN-13", "tax-within-income", "10.00 tax_paid, 9.99 income", False),
        ("IN-15", "law-firm", "'31440000MD00TT021Q' firm_uscc", True),
        ("IN-15", "law-firm", "'91440300MA00XX0154' firm_uscc", False),
        ("OUT-02", "observation-length", "DATE '2026-01-01' obs_end, DATE '2021-01-01' obs_start", True),
        ("OUT-02", "observation-length", "DATE '2026-01-02' obs_end, DATE '2021-01-01' obs_start", False),
        ("OUT-04", "person-of-guidance", "'x' id_no, '2' rec_type", False),
        ("OUT-04", "administrator-of-performance", "NULL::VARCHAR administrator_uscc, '1' rec_type", True),
    ],
)  # fmt: skip
def test_a_rule_of_the_catalogue_tells_right_from_wrong(
    resource: str, rule: str, row: str, expected: bool | None
) -> None:
    assert check(rule, resource, row) is expected


@pytest.mark.parametrize("table", ["areas", "streets"])
def test_the_division_contracts_have_the_columns_of_the_real_files(table: str) -> None:
    ours = contract(f"divisions-{table}")
    files = sorted(DIVISIONS.glob(f"{table}-*.csv"))
    if not files:
        pytest.skip("the real division tables (../shared/data/divisions) are not here")
    pattern = next(f.pattern for f in ours.fields if f.name == "code")

    for path in files:
        with path.open(encoding="utf-8", newline="") as stream:
            rows = csv.reader(stream)
            assert next(rows) == [f.name for f in ours.fields]
        with duckdb.connect() as connection:
            data = f"read_csv('{path}', all_varchar = true)"
            broken = connection.execute(
                f"SELECT count(*) FROM {data} WHERE NOT regexp_full_match(code, ?) OR NOT ("
                + " AND ".join(r.expression for r in ours.rules) + ")", [pattern],
            ).fetchone()  # fmt: skip
        assert broken == (0,)
    assert {f.type for f in ours.fields} == {"string"}
    assert {f.level for f in ours.fields} == {"L1"}
    assert [f.name for f in ours.keys] == ["code"]
