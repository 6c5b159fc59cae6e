"""Units and their codes (GB 32100-2015)."""

from __future__ import annotations

import pytest

from huitong.errors import BadRequest, NotFound
from huitong.identity.units import Units, is_credit_code
from huitong.local.register import MemoryRegister

COURT = "1144030000AA01019J"


@pytest.mark.parametrize("code", [COURT, "91440300708461136T", "1144030000AA01027D", "1144030000AA010358"])
def test_a_right_check_character_is_accepted(code: str) -> None:
    assert is_credit_code(code)


@pytest.mark.parametrize("place", range(18))
def test_every_single_wrong_character_is_found(place: int) -> None:
    other = "2" if COURT[place] != "2" else "3"
    assert not is_credit_code(COURT[:place] + other + COURT[place + 1 :])


@pytest.mark.parametrize("code", ["", COURT[:-1], COURT + "0", COURT.lower(), "I" * 18, "１" * 18])
def test_other_shapes_are_no_codes(code: str) -> None:
    assert not is_credit_code(code)


def test_a_unit_is_registered_once_and_its_name_can_change() -> None:
    units = Units(MemoryRegister())
    units.put(COURT, "法院")
    units.put(COURT, " 市中级人民法院 ", "王")
    assert [(u.name, u.contact) for u in units.list()] == [("市中级人民法院", "王")]
    assert units.get(COURT).name == "市中级人民法院"


def test_a_wrong_code_or_an_empty_name_is_refused() -> None:
    units = Units(MemoryRegister())
    with pytest.raises(BadRequest):
        units.put("1144030000AA01019K", "x")
    with pytest.raises(BadRequest):
        units.put(COURT, "  ")
    assert units.list() == []


def test_an_unknown_unit_is_not_found() -> None:
    with pytest.raises(NotFound):
        Units(MemoryRegister()).get(COURT)
