"""On the deployed stack: a person signs in with two factors through the pool, a system signs its requests
(S-03, S-10, S-36)."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.support.town import Api

from huitong.cli.client import Client, Refused
from huitong.cli.connection import Connection
from huitong.identity.totp import code

pytestmark = pytest.mark.e2e
PASSWORD = "Quite-long-1-pass"


def test_a_person_signs_in_through_the_pool_and_is_out_at_once_when_disabled(
    stack: Any, api: Api, tmp_path: Path
) -> None:
    admin = Client(Connection(stack.api_url, stack.token))
    anybody = Client(Connection(stack.api_url, ""))
    login = f"person-{secrets.token_hex(4)}"
    made = admin.post("accounts", body={"login": login, "name": "某人", "roles": [{"role": "officer"}]})
    step = anybody.post("sign-in", body={"login": login, "password": made["password"]})
    assert step["next"] == "new_password"
    step = anybody.post("sign-in", "answer", body={"sign_in": step["sign_in"], "reply": PASSWORD})
    assert step["next"] == "setup"
    secret = step["secret"]
    now = datetime.now(UTC)
    done = anybody.post("sign-in", "answer", body={"sign_in": step["sign_in"], "reply": code(secret, now)})
    assert done["next"] == "done"
    me = Client(Connection(stack.api_url, done["token"]))
    assert me.get("me")["id"] == made["id"]
    step = anybody.post("sign-in", body={"login": login, "password": PASSWORD})
    assert (step["next"], "token" in step) == ("code", False)
    later = code(secret, now + timedelta(seconds=30))  # the one before has served
    again = anybody.post("sign-in", "answer", body={"sign_in": step["sign_in"], "reply": later})
    admin.post("accounts", made["id"], "disable", body={"reason": "离职"})
    for token in (done["token"], again["token"]):
        with pytest.raises(Refused) as refused:
            Client(Connection(stack.api_url, token)).get("batches")
        assert refused.value.problem["status"] in (401, 403)


@pytest.mark.parametrize("algorithm", ["HUITONG-HMAC-SM3", "HUITONG-HMAC-SHA256"])
def test_a_system_signs_its_requests_through_the_gateway(stack: Any, algorithm: str) -> None:
    admin = Client(Connection(stack.api_url, stack.token))
    unit = "1144030000AA01019J"
    admin.post("units", body={"code": unit, "name": "市中级人民法院"})
    made = admin.post("credentials", body={"name": "接口", "unit": unit, "roles": ["source"]})
    key = admin.post("credentials", made["id"], "key")["key"]
    signing = Client(Connection(stack.api_url, "", credential=made["id"], key=key, algorithm=algorithm))
    assert signing.get("me")["unit"] == unit
    assert signing.get("batches", **{"from": "2026-01-01", "limit": 5})["items"] is not None
    with pytest.raises(Refused):
        Client(Connection(stack.api_url, "", credential=made["id"], key="x", algorithm=algorithm)).get("me")
    short = admin.post("token", body={"id": made["id"], "secret": made["token"].split("_", 2)[2]})["token"]
    assert Client(Connection(stack.api_url, short)).get("me")["unit"] == unit
