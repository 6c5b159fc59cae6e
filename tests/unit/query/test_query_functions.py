"""The table of functions in docs/query.md is true and complete."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pyarrow as pa
import pytest
from sqlglot import exp

from huitong.query.engine import run
from huitong.query.functions import FUNCTIONS, NAMED, STRUCTURE
from huitong.query.limits import Limits
from huitong.query.parse import check
from huitong.query.values import json_rows

DOCS = Path(__file__).resolve().parents[3] / "docs" / "query.md"
_OVER = "(VALUES (1, 'a'), (2, 'b'), (3, 'c')) AS t (x, s)"


def _documented() -> list[tuple[str, str, str]]:
    found, section = [], ""
    for line in DOCS.read_text().split("## 函数")[1].splitlines():
        if line.startswith("### "):
            section = line[4:].split(" ")[0]
        elif row := re.fullmatch(r"\| `(.*)` \| `(.*)` \|", line):
            found.append((section, row[1].replace("\\|", "|"), row[2]))
    return found


def _query(section: str, expression: str) -> str:
    sql = f"SELECT {expression}"
    if section in ("Aggregates", "Windows"):
        sql += f" FROM {_OVER}"
    if section == "Windows":
        sql += " ORDER BY x LIMIT 1"
    return sql + (" GROUP BY x LIMIT 1" if expression.startswith("grouping") else "")


SECTIONS = list(dict.fromkeys(section for section, _, _ in _documented()))


@pytest.mark.parametrize("section", SECTIONS)
def test_every_function_gives_what_the_documentation_says(section: str, tmp_path: Path) -> None:
    rows = [(e, json.loads(r)) for s, e, r in _documented() if s == section]
    apart = [row for row in rows if row[0].startswith("grouping")]
    together = [row for row in rows if row not in apart]
    wrong = []
    for group in [together, *([row] for row in apart)]:
        sql = _query(section, ", ".join(f"{e} AS r{n}" for n, (e, _) in enumerate(group)))
        target = tmp_path / "result.arrow"
        run(check(sql), [], Limits(), target)
        with pa.memory_map(str(target)) as source:
            found = json_rows(pa.ipc.open_file(source).read_all())[0]
        wrong += [(e, want, found[f"r{n}"]) for n, (e, want) in enumerate(group) if found[f"r{n}"] != want]
    assert len(rows) > 10
    assert wrong == []


def test_every_allowed_function_is_documented_with_an_example() -> None:
    classes: set[str] = set()
    names: set[str] = set()
    for section, expression, _ in _documented():
        for node in check(_query(section, expression)).tree.walk():
            if isinstance(node, exp.Anonymous):
                names.add(node.name.lower())
            elif isinstance(node, exp.Func):
                classes.add(type(node).__name__)
    assert FUNCTIONS - STRUCTURE - classes == set()
    assert names == NAMED
