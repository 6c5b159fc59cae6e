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
from tests.support.grounds import DUTY, Bound
from tests.support.query_world import FOR_DUTY, OTHER, OWNER, World, other

from huitong.audit.subjects import blind, subject_text
from huitong.contracts.model import Contract, Field, Mask
from huitong.errors import HuitongError, NotPermitted
from huitong.quality.masking import mask_value
from huitong.query.run import DuckDbEngine, Queries
from huitong.query.values import json_value
from huitong.sharing.access import Use
from huitong.sharing.decide import plain_case_no

FIELDS = ("k", "g", "n", "t", "s", "c")
KEY = "subjects"
CASE_NO = "(2026)粤0391破1号"
LEVELS = {"k": "L2", "g": "L2", "n": "L2", "t": "L3", "s": "L4", "c": "L2"}
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
        Field("s", level="L4", mask="id", field_id=11, semantic="citizen-id"),
        Field("c", field_id=12),
    ),
    case_field="c",
)
Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    editions: list[list[Row]]
    fields: tuple[str, ...]
    unmasked: tuple[str, ...]
    masks: dict[str, Mask]
    row_filter: str
    seconded: bool  # by another person: else L4 stays masked
    clearance: str
    persons: tuple[str, ...] | None  # of the case to which the grant is bound; None = to a duty

    def passes(self, row: Row) -> bool:
        if (
            self.persons is not None
            and plain_case_no(row["c"] or "") != CASE_NO
            and row["s"] not in self.persons
        ):
            return False
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
        field, other = CONTRACT.field_named(name), self.masks.get(name, "")
        assert field is not None
        if field.level == "L4" and not self.seconded:
            return other if other == "all" else field.mask
        return other or ("" if name in self.unmasked else field.mask)

    @property
    def visible(self) -> tuple[str, ...]:
        """Granted, and masked or within the clearance."""
        limit = self.clearance or "L4"
        return tuple(f for f in FIELDS if f in self.fields and (self.mask(f) or LEVELS[f] <= limit))

    @property
    def use(self) -> Use:
        return FOR_DUTY if self.persons is None else Use("sql", case_no=CASE_NO)

    def shown(self, row: Row) -> Row:
        out = {}
        for name in self.visible:
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
                    names = [f for f in self.visible if old[f] != new[f]]
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


PERSONS = [f"S{n}-marker-S{n}" for n in range(4)]
ROW = st.fixed_dictionaries(
    {
        "g": st.sampled_from(["a", "b", "c", None]),
        "n": st.one_of(st.none(), st.integers(0, 6)),
        "t": _value("T"),
        "s": _value("S"),
        "c": st.sampled_from([CASE_NO, "（2026）粤0391破1号", "(2026)粤0391破2号", None]),
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
    seconded=st.booleans(),
    clearance=st.sampled_from(["", "", "L2", "L3", "L4"]),
    persons=st.one_of(st.none(), st.lists(st.sampled_from(PERSONS), unique=True).map(tuple)),
)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module")
def root() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _world(root: Path, case: Case) -> World:
    world = World(Path(tempfile.mkdtemp(dir=root)), CONTRACT)
    engine = DuckDbEngine(world, world.staging, lambda: KEY)
    world.queries = Queries(world.register, world.staging, world.resolver, engine, world.clock)
    bound = {"duty": DUTY} if case.persons is None else {"case_no": CASE_NO}
    blinded = frozenset(blind(KEY, "subject", subject_text(p)) for p in case.persons or ())
    world.grounds.cases[CASE_NO] = Bound(CASE_NO, blinded)
    for edition in case.editions:
        world.publish(CONTRACT, edition)
    world.grant(
        CONTRACT,
        OTHER,
        fields=case.fields,
        unmasked=case.unmasked,
        masks=case.masks,
        row_filter=case.row_filter,
        seconded_by="second" if case.seconded else "",
        clearance=case.clearance,
        **bound,
    )
    return world


def _sorted(rows: list[Any]) -> list[Any]:
    return sorted(rows, key=repr)


@FEW
@given(case=CASE)
def test_a_query_gives_exactly_the_granted_cells(root: Path, case: Case) -> None:
    """L-23, S-30 and the one grant on every path: the current rows, any earlier state, and the change log."""
    world = _world(root, case)
    if not case.visible:
        with pytest.raises(NotPermitted, match="clearance"):
            world.ask(other(), "SELECT 1 FROM in_93", use=case.use)
        return
    names = ", ".join(f'"{f}"' for f in case.visible)
    for seq, edition in enumerate(case.editions, start=1):
        expected = [case.shown(row) for row in edition if case.passes(row)]
        found = world.ask(other(), f"SELECT {names} FROM in_93 FOR VERSION AS OF {seq}", use=case.use)
        assert _sorted(found) == _sorted(expected)
    log = world.ask(other(), 'SELECT * FROM "in_93$changes" ORDER BY _seq, _ordinal', use=case.use)
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
        if n in case.visible and not case.mask(n)
    }
    hidden = {str(row[n]) for row in rows for n in ("t", "s") if row[n] is not None} - allowed
    try:
        told = repr(world.ask(other(), sql, use=case.use))
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
            world.ask(other(), sql, use=case.use)


PEOPLE = st.lists(
    st.fixed_dictionaries(
        {
            "g": st.sampled_from(["a", "b", None]),
            "n": st.one_of(st.none(), st.integers(0, 9)),
            "t": st.just("T"),
            "s": st.sampled_from([f"p{n}" for n in range(9)]),
            "c": st.none(),
        }
    ),
    max_size=30,
)
WHERE = st.sampled_from(
    ["", "n >= 3", "g = 'a'", "n < 8 AND g IS NOT NULL", "n BETWEEN 2 AND 5", "g LIKE 'b%'"]
)


def _fits(where: str, row: Row) -> bool:
    n, g = row["n"], row["g"]
    return {
        "": True,
        "n >= 3": n is not None and n >= 3,
        "g = 'a'": g == "a",
        "n < 8 AND g IS NOT NULL": n is not None and n < 8 and g is not None,
        "n BETWEEN 2 AND 5": n is not None and 2 <= n <= 5,
        "g LIKE 'b%'": g is not None and g.startswith("b"),
    }[where]


@FEW
@given(rows=PEOPLE, where=WHERE, smallest=st.sampled_from([2, 5]), grouped=st.booleans())
def test_statistics_are_of_enough_persons_and_right(
    root: Path, rows: list[Row], where: str, smallest: int, grouped: bool
) -> None:
    """S-34: each figure rests on so many different persons that have a value, and is the figure of all of them."""
    world = World(Path(tempfile.mkdtemp(dir=root)), CONTRACT)
    table = [{"k": f"k{n}", **row} for n, row in enumerate(rows)]
    world.publish(CONTRACT, table)
    engine = DuckDbEngine(world, world.staging, lambda: KEY)
    world.queries = Queries(
        world.register, world.staging, world.resolver, engine, world.clock, smallest_group=smallest
    )
    world.grant(CONTRACT, statistics=True)
    shown = "g, count(*) AS rows, sum(n) AS total, count(DISTINCT t) AS names"
    sql = f"SELECT {shown if grouped else shown[3:]} FROM in_93 {'WHERE ' + where if where else ''}"
    found = world.ask(other(), sql + (" GROUP BY g" if grouped else ""))
    groups: dict[Any, list[Row]] = {}
    for row in (r for r in table if _fits(where, r)):
        groups.setdefault(row["g"] if grouped else None, []).append(row)
    expected = []
    for key, members in groups.items():
        if len({r["s"] for r in members}) >= smallest:
            known = [r for r in members if r["n"] is not None]
            enough = len({r["s"] for r in known}) >= smallest
            figures = {
                "rows": len(members),
                "total": sum(r["n"] for r in known) if enough else None,
                "names": 1,
            }
            expected.append({"g": key, **figures} if grouped else figures)
    assert _sorted(found) == _sorted(expected)
