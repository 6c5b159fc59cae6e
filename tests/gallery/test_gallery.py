"""Real-world bad files: each with what must be found in it, and nothing else accepted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gallery.bad_files import GALLERY, REJECTED, TOTAL, Bad, book, text
from tests.gallery.gallery_world import HEADER, Gallery, row


@pytest.fixture(scope="module")
def gallery() -> Iterator[Gallery]:
    with TemporaryDirectory() as folder:
        yield Gallery(Path(folder))


@pytest.mark.parametrize("name", sorted(GALLERY))
def test_a_bad_file_is_told_of_and_only_its_good_rows_are_published(gallery: Gallery, name: str) -> None:
    """Q-20, Q-21: what, where, by which rule; nothing is lost and nothing wrong is taken for a value."""
    bad: Bad = GALLERY[name]
    found = gallery.deliver(bad.data, name)
    words = "".join(found.words.values()) + str(found.batch.refusal)
    assert found.refused == bad.refused
    assert [word for word in bad.says if word not in words] == []
    if bad.refused:
        assert found.batch.status == "rejected"
        return
    assert sorted(found.rows) == sorted([f"C{int(n):03}" for n in bad.keys] + list(bad.odd_keys))
    assert sorted(found.found, key=str) == sorted(bad.expected, key=str)
    for key, cells in bad.values.items():
        assert {name: found.rows[key][name] for name in cells} == cells


def test_every_finding_says_what_to_do_in_both_languages(gallery: Gallery) -> None:
    """Q-21: a clerk without help can mend the file."""
    said: dict[str, str] = {}
    for name, bad in GALLERY.items():
        if not bad.refused:
            said |= gallery.deliver(bad.data + b"", "again-" + name).words
    for rule, words in said.items():
        zh, en = words.split(" / ", 1)
        assert sum("\u4e00" <= c <= "\u9fff" for c in zh) > 5, rule
        assert len(en.split()) > 4, rule


NOISE: dict[str, list[Any]] = {
    "total": TOTAL,
    "header": HEADER,
    "note": ["说明：以上为初步数据", *[None] * 7],
    "blank": [None] * 8,
    "foreign": [*[None] * 8],
}


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[tuple[str, list[Any]]], bool, bool]:
    """Good rows with all sorts of other rows between them; as workbook or CSV, with a column of the sender's own."""
    lines: list[tuple[str, list[Any]]] = []
    for n in range(1, draw(st.integers(1, 6)) + 1):
        for kind in draw(st.lists(st.sampled_from(sorted(NOISE)), max_size=2)):
            lines.append((kind, NOISE[kind]))
        lines.append(
            ("row", row(n, creditor=draw(st.sampled_from(["甲某", "会计师事务所", "注某", "合计"]))))
        )
    lines += [(kind, NOISE[kind]) for kind in draw(st.lists(st.sampled_from(sorted(NOISE)), max_size=2))]
    return lines, draw(st.booleans()), draw(st.booleans())


@given(tables())
@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
def test_no_row_is_lost_and_none_is_invented_whatever_stands_between_them(
    table: tuple[list[tuple[str, list[Any]]], bool, bool],
) -> None:
    """Q-20: every row with content is published as it is, or in quarantine under the rule that says what it is."""
    lines, as_book, extra = table
    own = [["内部", *["7" if kind == "foreign" else None for kind, _ in lines]]][0] if extra else []
    rows = [HEADER, *(cells for _, cells in lines)]
    if extra:
        rows = [[*cells, own[i]] for i, cells in enumerate(rows)]
    data = book(*rows) if as_book else text(*rows)
    expected = {
        (number, f"row.{kind}")
        for number, (kind, _) in enumerate(lines, start=2)
        if kind in ("total", "header", "note")
    }
    if extra:
        expected |= {
            (n, "row.unknown-fields") for n, (kind, _) in enumerate(lines, start=2) if kind == "foreign"
        }
    first = next(i for i, (kind, _) in enumerate(lines) if kind not in ("header",))
    with TemporaryDirectory() as folder:
        found = Gallery(Path(folder)).deliver(data, "t.xlsx" if as_book else "t.csv")
    if as_book:  # a header that stands twice at the top is one header of two rows
        expected = {(n, rule) for n, rule in expected if not (rule == "row.header" and n - 2 < first)}
    assert {key: r["creditor"] for key, r in found.rows.items()} == {
        cells[0]: cells[1] for kind, cells in lines if kind == "row"
    }
    assert {(n, rule) for n, _, rule in found.found if n is not None} == expected
    assert REJECTED not in found.found
