"""The register of contracts: versions, what may change between them, and who wins a race (Q-18, Q-20)."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from huitong.contracts import registry
from huitong.contracts.model import Contract
from huitong.contracts.registry import Contracts
from huitong.errors import Conflict, InvalidContract, NotFound
from huitong.local.objects import DiskObjects
from huitong.local.register import MemoryRegister
from huitong.ports import Item
from huitong.warehouse.columns import FIRST_FIELD_ID

UNIT = "1144030000AA01019J"
OTHER = "1144030000AA01027D"
BASE = "{name: id, primaryKey: true}, {name: name}"


class FixedClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 31, 8, tzinfo=UTC)


class Overtaken(MemoryRegister):
    """Before its first write, somebody else registers the given document."""

    def __init__(self, documents: DiskObjects, rival: str) -> None:
        super().__init__()
        self._documents = documents
        self._rival = rival

    def write(
        self,
        creates: Sequence[Item] = (),
        replaces: Sequence[Item] = (),
        deletes: Sequence[tuple[str, str]] = (),
    ) -> None:
        rival, self._rival = self._rival, ""
        if rival:
            Contracts(self, self._documents, FixedClock()).put(rival, by="rival")
        super().write(creates, replaces, deletes)


@pytest.fixture
def documents(tmp_path: Path) -> DiskObjects:
    return DiskObjects(tmp_path)


@pytest.fixture
def contracts(documents: DiskObjects) -> Contracts:
    return Contracts(MemoryRegister(), documents, FixedClock())


def document(properties: str = BASE, *, id: str = "things", provider: str = "", name: str = "things") -> str:
    custom = f"customProperties: [{{property: providerUscc, value: {provider}}}]\n" if provider else ""
    return f"id: {id}\n{custom}schema: [{{name: {name}, properties: [{properties}]}}]\n"


def ids(contract: Contract) -> dict[str, int]:
    return {f.name: f.field_id for f in contract.fields}


def rules_of(refused: pytest.ExceptionInfo[InvalidContract]) -> list[str]:
    return [p.rule for p in refused.value.problems]


def test_the_first_registration_is_version_one_with_table_and_field_ids(contracts: Contracts) -> None:
    contract = contracts.put(document(id="IN-01"), by="editor", provider=UNIT)

    assert (contract.id, contract.version, contract.table) == ("IN-01", 1, "in_01")
    assert ids(contract) == {"id": FIRST_FIELD_ID, "name": FIRST_FIELD_ID + 1}
    assert contract.provider == UNIT
    assert contracts.get("IN-01") == contract
    assert contracts.document(contract) == document(id="IN-01")


def test_the_same_document_again_is_the_same_version(contracts: Contracts) -> None:
    first = contracts.put(document(), by="editor", provider=UNIT)

    assert contracts.put(document(), by="somebody", provider=UNIT) == first
    assert [c.version for c in contracts.versions("things")] == [1]


def test_a_changed_document_is_the_next_version_and_the_old_one_stays(contracts: Contracts) -> None:
    first = contracts.put(document(), by="editor", provider=UNIT)
    second = contracts.put(document(f"{BASE}, {{name: added, logicalType: date}}"), by="editor")

    assert (second.version, second.provider) == (2, UNIT)
    assert contracts.get("things") == second
    assert contracts.get("things", 1) == first
    assert contracts.document(first) == document()
    assert contracts.versions("things") == [first, second]


def test_an_older_document_again_is_a_new_version(contracts: Contracts) -> None:
    contracts.put(document(), by="editor")
    contracts.put(document(f"{BASE}, {{name: added}}"), by="editor")

    assert contracts.put(document(), by="editor").version == 3


def test_field_ids_stay_and_are_never_used_again(contracts: Contracts) -> None:
    first = contracts.put(document(f"{BASE}, {{name: gone, logicalType: integer}}"), by="editor")
    second = contracts.put(document(f"{{name: new}}, {BASE}"), by="editor")
    third = contracts.put(document(f"{BASE}, {{name: newer}}, {{name: gone, logicalType: integer}}"), by="e")

    assert ids(first)["gone"] == FIRST_FIELD_ID + 2
    assert ids(second) == {"new": FIRST_FIELD_ID + 3, "id": FIRST_FIELD_ID, "name": FIRST_FIELD_ID + 1}
    assert ids(third) == {
        "id": FIRST_FIELD_ID,
        "name": FIRST_FIELD_ID + 1,
        "newer": FIRST_FIELD_ID + 4,
        "gone": FIRST_FIELD_ID + 2,
    }


def test_a_dropped_field_comes_back_only_with_its_type(contracts: Contracts) -> None:
    contracts.put(document(f"{BASE}, {{name: gone, logicalType: integer}}"), by="editor")
    contracts.put(document(), by="editor")

    with pytest.raises(InvalidContract) as refused:
        contracts.put(document(f"{BASE}, {{name: gone}}"), by="editor")

    assert rules_of(refused) == ["evolution.type"]


def test_all_incompatible_changes_are_told_at_once(contracts: Contracts) -> None:
    contracts.put(
        document(f"{BASE}, {{name: sum, physicalType: 'decimal(18,2)'}}, {{name: kind, partitioned: true}}"),
        by="editor",
    )

    with pytest.raises(InvalidContract) as refused:
        contracts.put(
            document("{name: ID, primaryKey: true}, {name: name, primaryKey: true}, "
                     "{name: sum, physicalType: 'decimal(18,4)'}, {name: kind}"),
            by="editor",
        )  # fmt: skip

    assert rules_of(refused) == ["evolution.name", "evolution.type", "evolution.key", "evolution.partition"]
    assert contracts.get("things").version == 1


def test_constraints_may_change_freely(contracts: Contracts) -> None:
    contracts.put(document("{name: id, primaryKey: true}, {name: name, required: true}"), by="editor")

    second = contracts.put(
        document(
            "{name: id, primaryKey: true}, {name: name, businessName: 名称, enum: [a], classification: L3}"
        ),
        by="editor",
    )

    assert second.version == 2


def test_another_units_resource_cannot_be_taken_over(contracts: Contracts) -> None:
    contracts.put(document(), by="editor", provider=UNIT)

    for theirs, provider in ((document(provider=OTHER), ""), (document(f"{BASE}, {{name: x}}"), OTHER)):
        with pytest.raises(Conflict):
            contracts.put(theirs, by="other", provider=provider)
    assert contracts.get("things").version == 1


def test_the_documents_provider_counts_before_the_registering_unit(contracts: Contracts) -> None:
    assert contracts.put(document(provider=OTHER), by="admin", provider=UNIT).provider == OTHER


def test_two_resources_cannot_have_one_table(contracts: Contracts) -> None:
    contracts.put(document(id="a-b"), by="editor")

    with pytest.raises(Conflict):
        contracts.put(document(id="a.b"), by="editor")

    assert contracts.find("a.b") is None
    assert [c.id for c in contracts.all()] == ["a-b"]


def test_a_table_never_begins_with_a_digit(contracts: Contracts) -> None:
    assert contracts.put(document(id="2024-taxes"), by="editor").table == "t_2024_taxes"


@pytest.mark.parametrize("name", ["IN-01", "in-01", "in_01", "Cases", "cases"])
def test_a_resource_is_found_by_id_table_and_schema_name(contracts: Contracts, name: str) -> None:
    contracts.put(document(id="IN-01", name="Cases"), by="editor")

    found = contracts.find(name)

    assert found is not None
    assert found.id == "IN-01"


def test_who_was_first_keeps_a_name(contracts: Contracts) -> None:
    contracts.put(document(id="first", name="cases"), by="editor")
    contracts.put(document(id="second", name="cases"), by="editor")

    assert contracts.get("cases").id == "first"
    assert contracts.get("second").id == "second"


def test_an_unknown_resource_or_version_is_not_found(contracts: Contracts) -> None:
    contracts.put(document(), by="editor")

    assert contracts.find("nothing") is None
    assert contracts.find("") is None
    assert contracts.find("things", 2) is None
    with pytest.raises(NotFound):
        contracts.get("nothing")


def test_all_gives_the_latest_versions_by_id(contracts: Contracts) -> None:
    for id in ("b", "a"):
        contracts.put(document(id=id, name=id), by="editor")
    contracts.put(document(f"{BASE}, {{name: x}}", id="a", name="a"), by="editor")

    assert [(c.id, c.version) for c in contracts.all()] == [("a", 2), ("b", 1)]


def test_a_refused_document_leaves_nothing(contracts: Contracts, documents: DiskObjects) -> None:
    with pytest.raises(InvalidContract):
        contracts.put("id: t\nschema: [{name: t, properties: [{name: a}]}]", by="editor")

    assert contracts.all() == []
    assert list(documents.list("contracts/")) == []


def test_of_two_registrations_at_once_one_wins_and_the_other_is_told(documents: DiskObjects) -> None:
    ours, theirs = document(f"{BASE}, {{name: ours}}"), document(f"{BASE}, {{name: theirs}}")
    contracts = Contracts(Overtaken(documents, rival=theirs), documents, FixedClock())

    with pytest.raises(Conflict):
        contracts.put(ours, by="us")

    winner = contracts.get("things")
    assert (winner.version, contracts.document(winner)) == (1, theirs)
    assert contracts.put(ours, by="us").version == 2


def test_two_registrations_of_one_document_at_once_are_one_version(documents: DiskObjects) -> None:
    contracts = Contracts(Overtaken(documents, rival=document()), documents, FixedClock())

    assert contracts.put(document(), by="us") == contracts.get("things", 1)
    assert [c.version for c in contracts.versions("things")] == [1]


def test_reading_a_contract_imports_neither_yaml_nor_pydantic_nor_sqlglot() -> None:
    script = (
        "import sys; from huitong.contracts import registry, frequency, model;"
        "heavy = {'yaml', 'pydantic', 'sqlglot', 'duckdb', 'pyarrow', 'open_data_contract_standard'};"
        "print(sorted(heavy & set(sys.modules)), end='')"
    )
    path = str(Path(registry.__file__).parents[2])

    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": path}, capture_output=True, text=True, check=False
    )

    assert (done.stdout, done.stderr) == ("[]", "")


def test_a_contract_of_two_thousand_fields_fits_a_register_entry(contracts: Contracts) -> None:
    fields = ", ".join(f"{{name: f{n}, businessName: 字段{n}, logicalType: string}}" for n in range(1999))

    contract = contracts.put(document(f"{{name: id, primaryKey: true}}, {fields}"), by="editor")

    assert len(contracts.get("things").fields) == len(contract.fields) == 2000


def test_a_contract_too_large_for_the_register_is_refused_before_it_is_stored(contracts: Contracts) -> None:
    codes = ", ".join(f"code-{n:06}-{'x' * 20}" for n in range(15_000))

    with pytest.raises(InvalidContract) as refused:
        contracts.put(document(f"{BASE}, {{name: c, enum: [{codes}]}}"), by="editor")

    assert rules_of(refused) == ["contract.too-large"]
    assert contracts.find("things") is None
