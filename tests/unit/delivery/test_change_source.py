"""Change rows out of Parquet files: exactly what the asker may see, from exactly the files that matter."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.change_files import Warehouse
from tests.support.push_world import ALL, CONTRACT, RESOURCE, SHENZHEN, masked, row, table

from huitong.delivery.events import EventMaker
from huitong.delivery.model import Position
from huitong.delivery.source import WarehouseChanges
from huitong.errors import InvalidQuery, NotFound
from huitong.sharing.access import Access


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    made = Warehouse(tmp_path)
    made.publish(table(row("1"), row("2", city="GZ"), row("3")))
    made.publish(table(row("1", city="GZ"), row("2", amount="7.25"), row("4")))
    return made


def source_of(warehouse: Warehouse, blind_key: str = "") -> WarehouseChanges:
    lakehouse: Any = warehouse.lakehouse
    return WarehouseChanges(lakehouse, warehouse.publications, blind_key=blind_key)


def changes(warehouse: Warehouse, access: Access, after: Position, upto: int, **more: Any) -> list[Any]:
    blind = more.pop("blind_key", "")
    found = source_of(warehouse, blind).changes(CONTRACT, access, after, upto, **more)
    return [placed.event for placed in EventMaker(CONTRACT, access).changes(found)]


def test_only_files_of_the_publications_asked_for_are_read(warehouse: Warehouse) -> None:
    opened: list[str] = []
    real = warehouse.lakehouse.local.open
    warehouse.lakehouse.local.open = lambda refs: (opened.extend(r.key for r in refs), real(refs))[1]  # type: ignore[assignment,method-assign]
    events = changes(warehouse, ALL, Position(2), 2)
    assert opened == ["log/2.parquet"]
    assert [e["id"] for e in events] == [f"{RESOURCE}:2:{n}" for n in (1, 2, 3, 4)]


def test_reading_continues_inside_a_publication(warehouse: Warehouse) -> None:
    events = changes(warehouse, ALL, Position(1, 2), 2, limit=3)
    assert [e["id"] for e in events] == [f"{RESOURCE}:{p}" for p in ("1:3", "2:1", "2:2")]


def test_a_filter_turns_changes_into_what_they_are_for_its_subscriber(warehouse: Warehouse) -> None:
    access = Access(RESOURCE, ALL.fields, {}, SHENZHEN)
    told = [(e["subject"], e["data"]["op"]) for e in changes(warehouse, access, Position(2), 2)]
    assert told == [("1", "delete"), ("2", "insert"), ("3", "delete"), ("4", "insert")]


def test_a_masked_key_is_followed_by_a_digest_that_only_the_platform_can_make(warehouse: Warehouse) -> None:
    access = Access(RESOURCE, ("id", "city"), {"id": "id"})
    first = changes(warehouse, access, Position(1), 1, blind_key="one")
    second = changes(warehouse, access, Position(2), 2, blind_key="one")
    other = changes(warehouse, access, Position(1), 1, blind_key="two")
    assert len({e["subject"] for e in first}) == 3
    assert first[0]["subject"] == second[0]["subject"] != other[0]["subject"]
    assert first[0]["subject"].startswith("~")


def test_a_key_not_granted_is_never_shown(warehouse: Warehouse) -> None:
    events = changes(warehouse, Access(RESOURCE, ("city",)), Position(1), 1)
    assert [e["subject"] for e in events] == [f"{RESOURCE}:1:{n}" for n in (1, 2, 3)]
    assert events[0]["data"]["row"] == {"city": "SZ"}


def test_a_snapshot_is_that_of_its_publication_in_pages_of_a_fixed_order(warehouse: Warehouse) -> None:
    access = masked(ALL)
    pages = []
    for after in (0, 2):
        found = source_of(warehouse).snapshot(CONTRACT, access, 1, after=after, limit=2)
        pages += [placed.event for placed in EventMaker(CONTRACT, access).snapshot(found)]
    assert [e["id"] for e in pages] == [f"{RESOURCE}:1:s{n}" for n in (1, 2, 3)]
    assert [e["subject"] for e in pages] == ["1", "2", "3"]
    assert {e["data"]["row"]["name"] for e in pages} == {"张*"}


def test_a_snapshot_of_hidden_keys_has_the_digests_of_the_changes(warehouse: Warehouse) -> None:
    access = Access(RESOURCE, ("city",))
    found = source_of(warehouse, "one").snapshot(CONTRACT, access, 1)
    subjects = [placed.event["subject"] for placed in EventMaker(CONTRACT, access).snapshot(found)]
    assert subjects == [e["subject"] for e in changes(warehouse, access, Position(1), 1, blind_key="one")]


def test_a_filter_that_no_longer_fits_is_refused_without_telling_values(warehouse: Warehouse) -> None:
    with pytest.raises(InvalidQuery) as refused:
        changes(warehouse, Access(RESOURCE, ("id",), {}, 'CAST("name" AS INTEGER) = 1'), Position(1), 1)
    assert "张三" not in str(refused.value.as_dict())


def test_a_filter_reaches_no_file(warehouse: Warehouse, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    filter = f"(SELECT count(*) FROM read_csv('{secret}')) > 0"
    with pytest.raises(InvalidQuery):
        changes(warehouse, Access(RESOURCE, ("id",), {}, filter), Position(1), 1)


def test_an_unknown_publication_is_not_found(warehouse: Warehouse) -> None:
    with pytest.raises(NotFound):
        changes(warehouse, ALL, Position(1), 9)
