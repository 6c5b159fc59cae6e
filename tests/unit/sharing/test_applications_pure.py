"""Routing, decisions and sheets of applications, without a register."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.application_world import ASKED, CONTRACT, OWNER, PEOPLE, RECEIVER, ApplicationWorld

from huitong.contracts.model import Field
from huitong.identity.model import OPERATOR
from huitong.sharing.asking import complete
from huitong.sharing.circle import Circle, class_of
from huitong.sharing.deciding import Decision, compiled, needs_second
from huitong.sharing.implementation_sheets import printable


@pytest.mark.parametrize(
    ("unit", "level"),
    [
        (RECEIVER, None),  # 4403: this city
        ("91440300708461136T", None),
        ("11440100007500000L", "city"),  # 4401: another city of the province
        ("11440000006939748W", "province"),  # 4400: the province itself
        ("11110000000013127D", "nation"),
        ("", "nation"),
        ("not-a-code", "nation"),
    ],
)
def test_a_unit_is_routed_by_the_area_in_its_code(unit: str, level: str | None) -> None:
    """L-27, L-28"""
    found = Circle().route(unit)
    assert (found.level if found else None) == level


def test_the_class_is_that_of_the_rule() -> None:
    """L-27: S4 art. 23"""
    assert class_of(OWNER, OPERATOR) == "external_exchange"
    assert class_of(OPERATOR, RECEIVER) == "external_provision"
    assert class_of(OWNER, RECEIVER) == "internal_sharing"


@pytest.mark.parametrize(
    ("unmasked", "masks", "two"),
    [
        ((), {}, False),
        (("name",), {}, False),  # L3: one decides
        (("id_no",), {}, True),
        ((), {"id_no": "phone"}, True),  # another mask shows other characters
        ((), {"id_no": "id"}, False),  # its own
        ((), {"id_no": "all"}, False),  # more than its own
    ],
)
def test_l4_leaves_its_own_mask_by_two_persons_only(
    unmasked: tuple[str, ...], masks: dict[str, str], two: bool
) -> None:
    """S-30"""
    decision = Decision(("name", "id_no"), masks=masks, unmasked=unmasked)  # type: ignore[arg-type]
    assert needs_second(decision, CONTRACT) is two


@pytest.mark.parametrize(
    ("fields", "methods"), [([], ["read"]), (["uscc"], []), (["uscc", "amount"], ["read"])]
)
def test_a_grant_is_never_compiled_from_nothing_or_from_more(fields: list[str], methods: list[str]) -> None:
    """L-25: to a grant no fields and no methods mean all of them."""
    asked = {**complete(ASKED), "methods": methods}
    with pytest.raises(ValueError, match="no fields or methods"):
        compiled(asked, Decision(tuple(fields)), unit=RECEIVER, resource="IN-06", id="a", application="a",
                 today="2026-01-05")  # fmt: skip


def test_a_printed_sheet_holds_no_markup_of_others() -> None:
    """L-26, S-17: titles and reasons are people's texts."""
    evil = "<script>alert('x')</script>"
    contract = replace(CONTRACT, title=evil, fields=(*CONTRACT.fields, Field("extra", evil, level="L2")))
    world = ApplicationWorld(contract)
    asked = {**ASKED, "fields": ["extra"], "unmasked": [], "purpose": evil, "matter": evil, "users": [evil]}
    id = world.applications.file(PEOPLE["ann"], asked).id
    for who, step in (("ann", "submit"), ("bob", "send")):
        world.applications.take(PEOPLE[who], id, step)
    world.applications.take(PEOPLE["cai"], id, "decide", {"approved": ["extra"]})
    page = printable(world.applications.sheets.latest(id))
    assert "&lt;script&gt;" in page
    assert "<script" not in page


def test_each_approval_has_its_own_sheet() -> None:
    """L-26: restricted resources a separate one each time."""
    world = ApplicationWorld()
    numbers = []
    for _ in range(2):
        id = world.applications.file(PEOPLE["ann"], {**ASKED, "unmasked": []}).id
        for who, step in (("ann", "submit"), ("bob", "send")):
            world.applications.take(PEOPLE[who], id, step)
        world.applications.take(PEOPLE["cai"], id, "decide", {"approved": ASKED["fields"]})
        (sheet,) = world.applications.sheets.of(id)
        numbers.append(sheet["number"])
    assert len(set(numbers)) == 2
    assert sheet["storage"][1].endswith("push")  # a copy stands at the user unit
    assert [f["mask"] for f in sheet["fields"]] == ["none", "name", "id"]
