"""Conflicts between units for one item, from the publication to the decision (L-06)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from huitong.audit.trace import Traces
from huitong.contracts.model import Contract
from huitong.errors import Conflict, NotPermitted
from huitong.identity.model import Principal
from huitong.local.messages import ManualClock
from huitong.local.platform import Platform, ports_in
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import Actor
from huitong.quality.rulebook.model import OfficeRule
from huitong.supervision.quality.comparing import Comparison
from huitong.supervision.quality.conflicts import Conflicts
from huitong.supervision.quality.overdue import Overdue
from huitong.tickets.marks import Marks
from huitong.warehouse.lakehouse import Lakehouse

COURT, BUREAU = "1144030000AA01019J", "1144030000AA01027D"
TEXT = """
apiVersion: v3.1.0
kind: DataContract
id: {id}
version: 1.0.0
status: active
name: {id}
schema:
  - name: {id}
    physicalName: {id}
    properties:
      - {{name: no, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true}}
      - {{name: phone, logicalType: string, classification: L3, customProperties: [{{property: mask, value: phone}}]}}
      - {{name: amount, logicalType: number, physicalType: "decimal(18,2)"}}
customProperties:
  - {{property: providerUscc, value: {unit}}}
  - {{property: maxUpdatedPercent, value: 100}}
"""
RULE = OfficeRule(
    "same-phone", "persons", "agreement", ("phone",),
    {"resource": "registry", "other_field": "phone", "keys": {"no": "no"}},
    severity="warning", state="enabled", version=1,
)  # fmt: skip


class Book:
    def __init__(self, *rules: OfficeRule) -> None:
        self.rules = list(rules)

    def all(self) -> list[OfficeRule]:
        return self.rules


class World:
    def __init__(self, root: Path, rule: OfficeRule = RULE) -> None:
        self.root, self.clock, ports = root, ManualClock(), ports_in(root)
        ports.clock = self.clock
        self.platform, self.register = Platform(ports), ports.register
        for id, unit in (("persons", COURT), ("registry", BUREAU)):
            self.platform.contracts.put(TEXT.format(id=id, unit=unit), by="t")
        lakehouse = Lakehouse(ports.catalog, "huitong", ports.warehouse)
        known = self.platform.contracts.find
        compare = Comparison(lakehouse, self.platform.publications, lambda: "a key", known)
        self.book, self.sources = Book(rule), {}
        self.conflicts = Conflicts(
            ports.register, Traces(ports.register, self.clock), Calendar(ports.register), self.clock,
            self.book, known, ports.staging, lambda: self.sources, lambda: compare,
        )  # fmt: skip
        self.marks = Marks(ports.register, self.clock)

    def deliver(self, resource: str, amount: str = "10.00", **phones: str) -> list[Any]:
        self.clock.advance(minutes=1)
        file = self.root / f"{resource}-{self.clock.now().timestamp()}.csv"
        rows = [f"{no},{phone},{amount}" for no, phone in phones.items()]
        file.write_text("\n".join(["no,phone,amount", *rows]) + "\n")
        self.platform.deliver(file, resource, COURT if resource == "persons" else BUREAU)
        return self.conflicts.look(resource)


def who(unit: str) -> Actor:
    return Actor(Principal(f"q-{unit[-4:]}", unit, frozenset({"quality"})), unit)


def test_a_difference_is_asked_of_the_other_collector_and_marked_until_both_agree(tmp_path: Path) -> None:
    """L-06: one record for a publication, values masked, the record marked; ended when the values agree."""
    w = World(tmp_path)
    assert w.deliver("persons", a="15400000001", b="15400000002", c="15400000003") == []
    (opened,) = w.deliver("registry", a="15400000001", b="15499999999", c="15488888888")
    assert (opened.parties["collector"], opened.content["count"]) == (BUREAU, 2)
    assert [d.own for d in w.conflicts.records(opened)] != []
    shown = {(d.own, d.theirs) for d in w.conflicts.records(opened)}
    assert shown == {("154****0002", "154****9999"), ("154****0003", "154****8888")}
    assert len(w.marks.open("persons")) == 2
    assert w.conflicts.look("registry") == w.conflicts.look("persons") == []
    with pytest.raises(NotPermitted):
        w.conflicts.take(opened.id, "mine", who(COURT), {"reason": "x"})
    seen = w.conflicts.get(opened.id).version
    decided = w.conflicts.take(opened.id, "theirs", who(BUREAU), {"reason": "登记过期"}, seen=seen)
    assert decided.parties["corrector"] == BUREAU  # whose clock it is
    with pytest.raises(Conflict):
        w.conflicts.take(opened.id, "both", who(BUREAU), {"reason": "x"}, seen=seen)
    assert len(w.marks.open("persons")) == 2
    w.deliver("registry", a="15400000001", b="15400000002", c="15400000003")
    assert w.conflicts.get(opened.id).state == "agreed"
    assert w.marks.open("persons") == []


def test_what_was_decided_to_stay_is_not_asked_again_but_a_new_value_is(tmp_path: Path) -> None:
    """L-06: the choice is recorded for these two values of this record."""
    w = World(tmp_path)
    w.deliver("persons", a="15400000001")
    (opened,) = w.deliver("registry", a="15400000009")
    w.conflicts.take(opened.id, "both", who(BUREAU), {"reason": "两个号码都在用"})
    assert w.marks.open("persons") == []
    assert w.deliver("registry", a="15400000009", b="15400000002") == []
    (again,) = w.deliver("persons", a="15400000008")
    assert again.id != opened.id


def test_the_authoritative_source_of_the_item_is_asked_where_the_catalogue_names_one(tmp_path: Path) -> None:
    """L-06, L-04: one number, one source."""
    w = World(tmp_path)
    w.sources = {"phone": "persons"}
    w.deliver("persons", a="15400000001")
    (opened,) = w.deliver("registry", a="15400000009")
    assert opened.parties["collector"] == COURT


@pytest.mark.parametrize(("theirs", "conflicts"), [("10.05", 0), ("9.95", 0), ("10.06", 1), ("9.94", 1)])
def test_a_difference_within_the_tolerance_is_none(tmp_path: Path, theirs: str, conflicts: int) -> None:
    """L-06: up to the tolerance, on either side, and not beyond."""
    parameters = {**RULE.parameters, "other_field": "amount", "tolerance": "0.05"}
    w = World(tmp_path, replace(RULE, fields=("amount",), parameters=parameters))
    w.deliver("persons", amount="10.00", a="1")
    assert len(w.deliver("registry", amount=theirs, a="2")) == conflicts


def test_who_is_late_with_a_conflict_is_who_is_to_correct(tmp_path: Path) -> None:
    """C-09, L-06: first the collector that has not decided, then the unit whose value is wrong."""
    w = World(tmp_path)
    w.deliver("persons", a="15400000001")
    (opened,) = w.deliver("registry", a="15400000009")
    listed = Overdue(
        lambda _: (), [w.conflicts.desk], lambda: (), Calendar(w.register), w.clock
    )  # nothing else is watched here
    assert listed.list() == []
    w.clock.advance(days=30)
    (waits,) = listed.list()
    assert (waits["unit"], waits["kind"], waits["days"] > 10) == (BUREAU, "conflict", True)
    w.conflicts.take(opened.id, "mine", who(BUREAU), {"reason": "已核对原件"})
    assert listed.list() == []
    w.clock.advance(days=30)
    (late,) = listed.list(COURT)
    assert (late["unit"], late["id"], late["zh"]) == (COURT, opened.id, "多元校核差异:更正期限")
    assert listed.list(BUREAU) == []


def test_a_rule_about_a_table_that_is_not_published_waits(tmp_path: Path) -> None:
    """L-06."""
    w = World(tmp_path)
    assert isinstance(w.platform.contracts.get("registry"), Contract)
    assert w.deliver("persons", a="15400000001") == []
