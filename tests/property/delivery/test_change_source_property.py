"""What SQL makes of the change log is what the oracle says the asker must see."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.change_files import Warehouse
from tests.support.push_strategies import accesses, states
from tests.support.push_world import CONTRACT, History

from huitong.delivery.events import EventMaker
from huitong.delivery.model import Position
from huitong.delivery.source import WarehouseChanges
from huitong.sharing.access import Access


@settings(max_examples=25, deadline=None)
@given(
    history=st.lists(states, min_size=1, max_size=4),
    access=accesses,
    after=st.tuples(st.integers(1, 3), st.integers(0, 4)),
    limit=st.integers(0, 5),
)
def test_changes_and_snapshots_from_files_equal_the_oracle(
    history: list[dict[str, dict[str, Any]]], access: Access, after: tuple[int, int], limit: int
) -> None:
    """One grant, every path: the same events as the plain-Python oracle, ids and all (Q-33)."""
    with TemporaryDirectory() as folder:
        warehouse, oracle = Warehouse(Path(folder)), History()
        for state in history:
            warehouse.publish(state)
            oracle.publish(state)
        lakehouse: Any = warehouse.lakehouse
        source = WarehouseChanges(lakehouse, warehouse.publications)
        upto, at = len(history), Position(min(after[0], len(history)), after[1])
        maker = EventMaker(CONTRACT, access)
        made = source.changes(CONTRACT, access, at, upto, limit=limit)
        meant = oracle.changes(CONTRACT, access, at, upto, limit=limit)
        assert list(maker.changes(made)) == list(maker.changes(meant))
        shown = [e.event["data"]["row"] for e in maker.snapshot(source.snapshot(CONTRACT, access, upto))]
        due = [e.event["data"]["row"] for e in maker.snapshot(oracle.snapshot(CONTRACT, access, upto))]
        assert shown == due
