"""Comparison by somebody who wants a value that it must not have (S-38)."""

from __future__ import annotations

from typing import Any

import pytest
from case_town import DEBTOR, FIRM, RUN, Publish, made_town, marriage  # noqa: F401 (a fixture)
from tests.support.api_world import Call, Said, World
from tests.support.grounds import DUTY
from tests.support.standing import settled

from huitong.sharing.grants import Grant

_WIDE = str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")


def spelled(number: str, n: int) -> str:
    """The same number in another spelling: digits whose bit is set are full-width."""
    return "".join(c.translate(_WIDE) if n >> at & 1 else c for at, c in enumerate(number))


@pytest.fixture
def tried(town: Publish, world: World, call: Call) -> Any:
    town("IN-04", *(marriage(n) for n in range(3)))
    settled(world, (FIRM,), "IN-04", ("comparison",))
    grant = Grant(FIRM, "IN-04", duty=DUTY, methods=("comparison",))
    world.grants.put(grant, world.contracts.get("IN-04"), by="test")

    def made(*items: dict[str, Any]) -> Said:
        return call("POST", RUN, as_="lawyer", duty=DUTY, path={"code": "IN-04"}, body={"items": list(items)})

    return made


def test_one_person_in_many_spellings_is_one_person(tried: Any) -> None:
    """Neither the smallest number of persons nor the budget of a person counts spellings."""
    few = tried(
        *({"key": {"id_no": spelled(DEBTOR, n)}, "claimed": {"marital_code": "20"}} for n in range(12))
    )
    assert (few.status, few.body["where"]["limit"]) == (422, "fewest"), few.body


def test_values_are_not_tried_out_on_spellings_of_one_person(tried: Any) -> None:
    others = [
        {"key": {"id_no": f"44030119800101{n:04}"}, "claimed": {"marital_code": "20"}} for n in range(9)
    ]
    guesses = [
        {"key": {"id_no": spelled(DEBTOR, n)}, "claimed": {"reg_date": f"2010-05-{n + 1:02}"}}
        for n in range(10)
    ]
    said = tried(*others, *guesses)
    assert (said.status, said.code) == (422, "enumeration"), said.body
    assert tried(*others, {"key": {"id_no": spelled(DEBTOR, 5)}, "claimed": {"reg_date": "2010-05-10"}}).body[
        "items"
    ][-1] == {"reg_date": "agree"}, "a spelling is no mistake"
