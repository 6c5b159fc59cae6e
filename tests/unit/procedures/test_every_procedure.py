"""All procedures of the product: listed, documented, and able to end."""

from __future__ import annotations

import importlib.util
from importlib import import_module
from pathlib import Path

import pytest

import huitong
from huitong.procedures.all import PROCEDURES, every
from huitong.procedures.model import Procedure

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = Path(huitong.__file__).parent


def test_every_procedure_is_listed() -> None:
    found = set()
    for path in PACKAGE.rglob("*.py"):
        if "Procedure(" in path.read_text("utf-8") and path.parent.name != "procedures":
            name = ".".join(("huitong", *path.relative_to(PACKAGE).with_suffix("").parts))
            found |= {id(v) for v in vars(import_module(name)).values() if isinstance(v, Procedure)}
    assert found == {id(p) for p in every().values()}
    assert len(every()) == len(PROCEDURES)


def test_the_pages_show_what_the_platform_does() -> None:
    """The diagrams are the data's."""
    spec = importlib.util.spec_from_file_location("write_diagrams", ROOT / "infra/write_diagrams.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    behind = [p.name for p, text in tool.pages().items() if not p.exists() or p.read_text("utf-8") != text]
    assert behind == [], "run: python infra/write_diagrams.py"


@pytest.mark.parametrize("procedure", every().values(), ids=list(every()))
def test_every_state_is_reached_and_leads_to_an_end(procedure: Procedure) -> None:
    """No record is stuck for ever; every clock that runs out belongs to somebody or does something."""
    reached, again = {procedure.opening.target}, True
    while again:
        more = {s.target for s in procedure.steps if s.target and reached & set(s.sources)} - reached
        reached, again = reached | more, bool(more)
    assert reached == {s.name for s in procedure.states}
    finals = {s.name for s in procedure.states if s.final}
    ending, again = finals or {procedure.opening.target}, True  # what never ends (an entry) can begin anew
    while again:
        more = {n for s in procedure.steps if s.target in ending for n in s.sources} - ending
        ending, again = ending | more, bool(more)
    assert {s.name for s in procedure.states} - ending == set()
    assert [t.name for t in procedure.terms if not t.of and not t.on_breach] == []
