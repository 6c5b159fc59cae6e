"""The catalogue's transactions on DynamoDB: publication is one write, also with many users to tell (Q-43, L-10)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.catalog_world import EDITOR, REVIEWER, CatalogWorld

from huitong.aws.dynamodb import DynamoRegister
from huitong.catalog.search import Filters
from huitong.errors import Conflict


def test_entries_are_published_numbered_found_and_withdrawn(
    tmp_path: Path, dynamodb: Any, table: str
) -> None:
    register: Any = DynamoRegister(dynamodb, table)
    world = CatalogWorld(tmp_path, register=register).with_contracts("IN-01", "IN-15")
    world.users["IN-01"] = {f"9144{n:014}" for n in range(60)}
    world.published(["IN-01", "IN-15"])
    assert world.catalog.tick() == 30  # those beyond the transaction
    edition = world.catalog.editions.publish(REVIEWER)
    assert (edition.id, edition.entries) == ("2026.1", 2)
    assert [d["resource"] for _, d in world.another().search.find("承办法官", Filters(), lambda _: True)] == [
        "IN-01"
    ]
    world.catalog.entries.take("IN-15", "revise", EDITOR, {"reason": "改名"})
    seen = world.catalog.entries.get("IN-15").version
    world.catalog.entries.edit("IN-15", {"title": "甲"}, EDITOR, seen=seen)
    with pytest.raises(Conflict):
        world.another().entries.edit("IN-15", {"title": "乙"}, EDITOR, seen=seen)
    world.forward("IN-15")
    change = world.catalog.editions.difference("2026.1", "current").changed["IN-15"]
    assert {c.path[0] for c in change} == {"title", "edition"}
    world.catalog.entries.take("IN-01", "withdraw", REVIEWER, {"reason": "停止"})
    assert world.catalog.entry("IN-01") is None
    assert set(world.catalog.entries.sources.all().values()) == {"IN-15"}
