"""For random tables, histories, grants and queries: exactly what the grant gives, judged row by row in Python."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.query_world import OTHER, OWNER, World, other

from huitong.contracts.model import Contract, Field, Mask
from huitong.errors import HuitongError, NotPermitted
from huitong.quality.masking import mask_value
from huitong.query.values import json_value

FIELDS = ("k", "g", "n", "t", "s")
CONTRACT = Contract(
    id="IN-93",
    version=1,
    title="x",
    table="in_93",
    provider=OWNER,
    fields=(
        Field("k", key=1, field_id=7),
        Field("g", field_id=8),
        Field("n", type="integer", field_id=9),
        Field("t", level="L3", mask="name", field_id=10),
        Field("s", level="L4", mask="id", field_id=11),
    ),
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    editions: list[list[Row]]
    fields: tuple[str, ...]
    unmasked: tuple[str, ...]
    masks: dict[str, Mask]
    row_filter: str

    def passes(self, row: Row) -> bool:
        rules = {
            "": True,
            "\"g\" = 'a'": row["g"] == "a",
            '"n" >= 3': row["n"] is not None and row["n"] >= 3,
            '"g" <> \'a\' AND "s" IS NOT NULL': row["g"] is not None
            and row["g"] != "a"
            and row["s"] is not None,
            "\"t\" LIKE 'T1%'": row["t"] is not None and row["t"].startswith("T1"),
        }
        return rules[self.row_filter]

    def mask(self, name: str) -> Mask:
        field = CONTRACT.field_named(name)
        assert field is not None
        return self.masks.get(name) or ("" if name in self.unmasked else field.mask)

    def shown(self, row: Row) -> Row:
        out = {}
        for name in (f for f in FIELDS if f in self.fields):
            value, mask = row[name], self.mask(name)
            out[name] = mask_value(mask, None if value is None else str(value)) if mask else json_value(value)
        return out

    def changes(self) -> list[tuple[str, list[str], Row, Row | None]]:
        """Per edition: what changed in the asker's own picture of the table."""
        told = []
        before: dict[str, Row] = {}
        for edition in self.editions:
            after = {row["k"]: row for row in edition}
            for key in sorted(before.keys() | after.keys()):
                old, new = before.get(key), after.get(key)
                was, now = old is not None and self.passes(old), new is not None and self.passes(new)
                if was and now:
                    assert old is not None
                    assert new is not None
                    names = [f for f in FIELDS if f in self.fields and old[f] != new[f]]
                    if names:
                        told.append(("update", names, self.shown(new), self.shown(old)))
                elif now:
                    assert new is not None
                    told.append(("insert", [], self.shown(new), None))
                elif was:
                    assert old is not None
                    told.append(("delete", [], self.shown(old), self.shown(old)))
            before = after
        return told


def _value(prefix: str) -> st.SearchStrategy[str | None]:
    return st.one_of(st.none(), st.integers(0, 3).map(lambda n: f"{prefix}{n}-marker-{prefix}{n}"))


ROW = st.fixed_dictionaries(
    {
        "g": st.sampled_from(["a", "b", "c", None]),
        "n": st.one_of(st.none(), st.integers(0, 6)),
        "t": _value("T"),
        "s": _value("S"),
    }
)
EDITION = st.dictionaries(st.sampled_from(["k1", "k2", "k3", "k4", "k5"]), ROW, max_size=5).map(
    lambda rows: [{"k": key, **row} for key, row in sorted(rows.items())]
)
CASE = st.builds(
    Case,
    editions=st.lists(EDITION, min_size=1, max_size=3),
    fields=st.lists(st.sampled_from(FIELDS), min_size=1, unique=True).map(tuple),
    unmasked=st.lists(st.sampled_from(["t", "s"]), unique=True).map(tuple),
    masks=st.dictionaries(st.sampled_from(["g", "n", "s"]), st.sampled_from(["all", "name"]), max_size=1),
    row_filter=st.sampled_from(
        ["", "\"g\" = 'a'", '"n" >= 3', '"g" <> \'a\' AND "s" IS NOT NULL', "\"t\" LIKE 'T1%'"]
    ),
)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _world(root: Path, case: Case) -> World:
    world = World(Path(tempfile.mkdtemp(dir=root)), CONTRACT)
    for edition in case.editions:
        world.publish(CONTRACT, edition)
    world.grant(
        CONTRACT,
        OTHER,
        fields=case.fields,
        unmasked=case.unmasked,
        masks=case.masks,
        row_filter=case.row_filter,
    )
    return world


def _sorted(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=repr)


@FEW
@given(case=CASE)
def test_a_query_gives_exactly_the_granted_cells(root: Path, case: Case) -> None:
    """L-23, S-30 and the one grant on every path: the current rows, any earlier state, and the change log."""
    world = _world(root, case)
    names = ", ".join(f'"{f}"' for f in FIELDS if f in case.fields)
    for seq, edition in enumerate(case.editions, start=1):
        expected = [case.shown(row) for row in edition if case.passes(row)]
        found = world.ask(other(), f"SELECT {names} FROM in_93 FOR VERSION AS OF {seq}")
        assert _sorted(found) == _sorted(expected)
    log = world.ask(other(), 'SELECT * FROM "in_93$changes" ORDER BY _seq, _ordinal')
    told = [
        (row["_op"], row["_changed_columns"], {f: row[f] for f in FIELDS if f in row}, row["_before"])
        for row in log
    ]
    assert told == case.changes()


QUERY = st.one_of(
    st.sampled_from(
        [
            "SELECT * FROM in_93",
            "SELECT t1.*, t2.* FROM in_93 t1 CROSS JOIN in_93 t2",
            'SELECT c.*, r.* FROM "in_93$changes" c LEFT JOIN in_93 r ON true',
            "SELECT r FROM in_93 r",
            'SELECT _before FROM "in_93$changes"',
            "WITH w AS (SELECT * FROM in_93 UNION ALL SELECT * FROM in_93 FOR VERSION AS OF 1) SELECT DISTINCT * FROM w",
            "SELECT * FROM (SELECT *, row_number() OVER () AS r FROM in_93) WHERE r < 9",
        ]
    ),
    st.tuples(
        st.sampled_from(FIELDS),
        st.sampled_from(
            [
                "SELECT max({f}), min({f}), array_agg({f}) FROM in_93",
                "SELECT upper({f}) FROM in_93 FOR VERSION AS OF 1",
                "SELECT reverse(reverse({f})) FROM in_93",
                "SELECT coalesce({f}, k) FROM in_93 WHERE {f} LIKE '%marker%' OR true",
                "SELECT cast({f} AS integer) FROM in_93",
                "SELECT try(cast({f} AS date)), {f} || 'x' FROM in_93",
                "SELECT a.{f} FROM in_93 a JOIN in_93 b ON a.{f} = b.{f}",
                "SELECT lag({f}) OVER (ORDER BY {f}) FROM in_93",
                'SELECT _before.{f} FROM "in_93$changes"',
                "SELECT count(*) FROM in_93 WHERE {f} = 'S1-marker-S1' GROUP BY {f}",
                "SELECT (SELECT max({f}) FROM in_93) AS x",
                "SELECT json_format(cast(ARRAY[{f}] AS json)) FROM in_93",
            ]
        ),
    ).map(lambda pair: pair[1].format(f=pair[0])),
)


@FEW
@given(case=CASE, sql=QUERY)
def test_no_query_ever_tells_a_hidden_marker(root: Path, case: Case, sql: str) -> None:
    """Every cell holds a text of its own; one that the grant hides never turns up, in a result or in an error."""
    world = _world(root, case)
    rows = [row for edition in case.editions for row in edition]
    allowed = {
        str(v)
        for row in rows
        if case.passes(row)
        for n, v in row.items()
        if n in case.fields and not case.mask(n)
    }
    hidden = {str(row[n]) for row in rows for n in ("t", "s") if row[n] is not None} - allowed
    try:
        told = repr(world.ask(other(), sql))
    except HuitongError as error:
        told = repr(error.as_dict()).replace("S1-marker-S1", "" if "S1-marker-S1" in sql else "S1-marker-S1")
    for marker in hidden:
        assert marker not in told
        assert marker.upper() not in told


@FEW
@given(case=CASE)
def test_without_a_grant_in_force_there_is_nothing(root: Path, case: Case) -> None:
    world = _world(root, case)
    grant = replace(world.grants.get(OTHER, CONTRACT.id), ends="2020-01-01", starts="2019-01-01")
    world.grants.put(grant, CONTRACT, by="t")
    for sql in ("SELECT * FROM in_93", 'SELECT * FROM "in_93$changes"', 'SELECT * FROM "in_93$history"'):
        with pytest.raises(NotPermitted, match="No grant is in force"):
            world.ask(other(), sql)
