"""A subscriber's filter that fails on a row stops that subscriber, never the platform or the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.change_files import Warehouse
from tests.support.push_world import ALL, CONTRACT, RESOURCE, row, table

from huitong.delivery.model import Position
from huitong.delivery.source import WarehouseChanges
from huitong.errors import InvalidQuery
from huitong.sharing.access import Access


@pytest.mark.parametrize(
    "fails", ["1 // (LENGTH(\"city\") - 5) >= 0", "CAST(\"city\" AS INTEGER) > 0", "\"city\" || 1 > 2"]
)  # fmt: skip
@pytest.mark.parametrize("rows", [3, 30_000])
def test_it_is_refused_and_its_text_tells_no_value(tmp_path: Path, fails: str, rows: int) -> None:
    """S-16: whether DuckDB or Arrow's reader raises, and however late the row comes."""
    made = Warehouse(tmp_path)
    made.publish(table(*(row(str(n), city="SZ") for n in range(rows)), row("last", city="Marke")))
    source = WarehouseChanges(made.lakehouse, made.publications)  # type: ignore[arg-type]
    with pytest.raises(InvalidQuery) as refusal:
        list(source.changes(CONTRACT, Access(RESOURCE, ALL.fields, {}, fails), Position(1), 1))
    assert "Marke" not in str(refusal.value.as_dict())
