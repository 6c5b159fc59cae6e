"""Numbers tried on one authorisation code at once, and what a stranger learns of resources (S-31, Q-04)."""

from __future__ import annotations

from typing import Any

import pytest
from test_open_access import HUSBAND, WIFE, code_for, couples, own, put  # noqa: F401 (fixtures)
from tests.support.api_world import Call, World

from huitong.errors import Conflict, NotPermitted


@pytest.mark.usefixtures("couples")
def test_a_right_number_among_many_at_once_is_no_hit(world: World, call: Call) -> None:
    """Each guess is counted before it is compared: a hundred at once are not a hundred for the price of one."""
    _, code = code_for(call)
    requests, register = world.subject_requests, world.register
    read, started = register.get, []

    def slow(pk: str, sk: str) -> Any:
        found = read(pk, sk)
        if pk.startswith("SUBJECT-CODE#") and not started:
            started.append(True)
            with pytest.raises(NotPermitted):
                requests.redeem(code, WIFE)  # another guess, between reading and comparing
        return found

    register.get = slow  # type: ignore[method-assign]
    try:
        with pytest.raises(Conflict):
            requests.redeem(code, HUSBAND)
    finally:
        register.get = read  # type: ignore[method-assign]
    assert own(call, code).status == 200, "one wrong number is survived"


def test_recipients_are_asked_of_unknown_and_of_hidden_resources_with_one_answer(
    call: Call,
) -> None:
    hidden = call(
        "POST", "/v1/evidence/recipients", as_="bank", body={"resource": "claims", "key": {"claim_no": "1"}}
    )
    absent = call(
        "POST", "/v1/evidence/recipients", as_="bank", body={"resource": "nothing", "key": {"claim_no": "1"}}
    )
    assert (hidden.status, hidden.code) == (absent.status, absent.code) == (404, "not-found")
    assert hidden.body["en"].replace("claims", "nothing") == absent.body["en"]
