"""Contracts, units, credentials, grants and profiles by API (Q-14, Q-20)."""

from __future__ import annotations

from tests.support.api_world import BANK, BUREAU, CONTRACT, COURT, Call, World

from huitong.web.checking import check
from huitong.web.schemas import SCHEMAS


def test_a_contract_is_registered_versioned_and_read_back_as_written(call: Call) -> None:
    """Q-20."""
    first = call("POST", "/v1/contracts", as_="admin", body={"document": CONTRACT, "provider": COURT})
    assert (first.status, first.body["version"]) == (201, 1), first.body
    assert check(first.body, SCHEMAS["Contract"]) == []
    longer = CONTRACT + "      - name: note\n        logicalType: string\n"
    second = call("POST", "/v1/contracts", as_="admin", body={"document": longer})
    assert second.body["version"] == 2
    path = {"code": "claims", "version": "1"}
    old = call("GET", "/v1/contracts/{code}/versions/{version}", as_="court", path=path)
    assert old.body["document"] == CONTRACT
    assert (
        call("GET", "/v1/contracts/{code}", as_="court", path={"code": "claims"}).body["document"] == longer
    )


def test_a_wrong_contract_is_refused_with_all_its_faults(call: Call) -> None:
    """Q-20."""
    broken = CONTRACT.replace("decimal(18,2)", "decimal(99,2)").replace(
        "- name: debtor_id", "- name: claim_no"
    )
    said = call("POST", "/v1/contracts", as_="admin", body={"document": broken})
    assert (said.status, said.code) == (422, "invalid-contract")
    assert len(said.body["problems"]) >= 2
    assert all(p["zh"] and p["en"] for p in said.body["problems"])


def test_a_resource_goes_by_the_name_of_its_table_too(call: Call, world: World) -> None:
    table = world.contracts.get("claims").table
    for name in ("claims", table):
        said = call("GET", "/v1/resources/{code}", as_="court", path={"code": name})
        assert said.body["id"] == "claims", name
        assert check(said.body, SCHEMAS["Resource"]) == []


def test_the_owner_sees_plain_columns_and_staff_masked_ones(call: Call) -> None:
    def masked(as_: str) -> dict[str, bool]:
        said = call("GET", "/v1/resources/{code}", as_=as_, path={"code": "claims"})
        return {column["name"]: column["masked"] for column in said.body["columns"]}

    assert masked("court") == {"claim_no": False, "debtor_id": False, "amount": False}
    assert masked("admin") == {"claim_no": False, "debtor_id": True, "amount": False}


def test_a_grant_makes_a_resource_appear_and_its_end_makes_it_go(call: Call) -> None:
    path = {"unit": BANK, "code": "claims"}
    assert call("GET", "/v1/resources", as_="bank").body["items"] == []
    made = call(
        "PUT",
        "/v1/grants/{unit}/{code}",
        as_="admin",
        path=path,
        body={"basis": "B-1", "fields": ["claim_no", "amount"]},
    )
    assert made.status == 200, made.body
    assert check(made.body, SCHEMAS["Grant"]) == []
    seen = call("GET", "/v1/resources", as_="bank").body["items"]
    assert [c["name"] for c in seen[0]["columns"]] == ["claim_no", "amount"]
    assert call("DELETE", "/v1/grants/{unit}/{code}", as_="admin", path=path).body["revoked"] is True
    assert call("GET", "/v1/resources", as_="bank").body["items"] == []


def test_a_grant_filter_is_checked_by_parsing(call: Call) -> None:
    path = {"unit": BANK, "code": "claims"}
    good = call(
        "PUT",
        "/v1/grants/{unit}/{code}",
        as_="admin",
        path=path,
        body={"basis": "B-1", "row_filter": "amount > 10"},
    )
    assert good.status == 200, good.body
    for wrong in ("amount > (SELECT 1)", "read_csv('/etc/passwd')", "nothing = 1", "1; DROP TABLE x"):
        said = call(
            "PUT",
            "/v1/grants/{unit}/{code}",
            as_="admin",
            path=path,
            body={"basis": "B-1", "row_filter": wrong},
        )
        assert (said.status, said.code) == (400, "invalid-query"), wrong
    kept = call("GET", "/v1/grants/{unit}/{code}", as_="bank", path=path).body
    assert kept["row_filter"] == good.body["row_filter"]


def test_a_grant_to_an_unknown_unit_is_refused(call: Call) -> None:
    path = {"unit": "1144030000AA010358", "code": "claims"}
    assert call("PUT", "/v1/grants/{unit}/{code}", as_="admin", path=path, body={"basis": "B"}).status == 404


def test_an_issued_token_works_at_once_and_is_shown_only_once(call: Call, world: World) -> None:
    """S-01."""
    body = {"name": "接口", "unit": BUREAU, "roles": ["source"]}
    issued = call("POST", "/v1/credentials", as_="admin", body=body)
    assert issued.status == 201
    assert check(issued.body, SCHEMAS["IssuedCredential"]) == []
    world.tokens["fresh"] = issued.body["token"]
    assert call("GET", "/v1/me", as_="fresh").body["unit"] == BUREAU
    listed = call("GET", "/v1/credentials", as_="admin", query={"unit": BUREAU}).body["items"]
    assert issued.body["id"] in [c["id"] for c in listed]
    assert all("token" not in c and "sha256" not in c for c in listed)


def test_a_credential_of_an_unknown_unit_is_refused(call: Call) -> None:
    body = {"name": "x", "unit": "1144030000AA010358", "roles": ["source"]}
    assert call("POST", "/v1/credentials", as_="admin", body=body).status == 404


def test_a_unit_is_registered_by_its_code_with_check_digit(call: Call) -> None:
    good = call("POST", "/v1/units", as_="admin", body={"code": "1144030000AA010358", "name": "市财政局"})
    assert good.status == 201
    assert (
        call("GET", "/v1/units/{unit}", as_="bank", path={"unit": "1144030000AA010358"}).body["name"]
        == "市财政局"
    )
    wrong = call("POST", "/v1/units", as_="admin", body={"code": "1144030000AA010359", "name": "市财政局"})
    assert (wrong.status, wrong.code) == (400, "bad-request")


def test_an_import_profile_is_saved_listed_and_checked_against_the_contract(call: Call) -> None:
    """Q-14."""
    path = {"unit": COURT, "code": "claims", "name": "default"}
    body = {"columns": {"申报编号": "claim_no"}, "encoding": "gb18030"}
    saved = call("PUT", "/v1/profiles/{unit}/{code}/{name}", as_="court", path=path, body=body)
    assert saved.status == 200, saved.body
    again = call("GET", "/v1/profiles/{unit}/{code}/{name}", as_="court", path=path).body
    assert (again["columns"], again["encoding"]) == ({"申报编号": "claim_no"}, "gb18030")
    listed = call("GET", "/v1/profiles", as_="court", query={"resource": "claims"}).body["items"]
    assert [p["name"] for p in listed] == ["default"]
    wrong = {"columns": {"x": "no_such_field"}, "sheets": "1"}
    said = call("PUT", "/v1/profiles/{unit}/{code}/{name}", as_="court", path=path, body=wrong)
    assert said.status == 400
    assert said.body["problems"]


def test_a_profile_for_another_units_resource_is_refused(call: Call) -> None:
    path = {"unit": BUREAU, "code": "claims", "name": "default"}
    assert (
        call("PUT", "/v1/profiles/{unit}/{code}/{name}", as_="bureau", path=path, body={"basis": "B"}).status
        == 404
    )
    assert call("PUT", "/v1/profiles/{unit}/{code}/{name}", as_="admin", path=path, body={}).status == 403


def test_a_saved_profile_can_be_put_back_as_it_was_read(call: Call) -> None:
    path = {"unit": COURT, "code": "claims", "name": "default"}
    body = {"columns": {"申报编号": "claim_no"}, "header_row": 3}
    route = "/v1/profiles/{unit}/{code}/{name}"
    call("PUT", route, as_="court", path=path, body=body)
    read = call("GET", route, as_="court", path=path).body
    said = call("PUT", route, as_="court", path=path, body=read)
    assert said.status == 200, said.body
    assert said.body["header_row"] == 3
