"""A small town with a case: contracts of the court, civil affairs and estates, their people, publications."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.support.api_world import COURT, Call, World
from tests.support.court import CASE_NO, citizen, credit_code
from tests.support.standing import settled

from huitong.identity.model import OPERATOR
from huitong.sharing.grants import Grant

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"
CIVIL, ESTATES = "1144030000AA01027D", "1144030000AA010433"
FIRM = credit_code("31440000MD0000001")
DEBTOR, SPOUSE, OTHER = citizen(1), citizen(2), citizen(3)
Publish = Callable[..., None]


@pytest.fixture(name="town")
def made_town(world: World, platform: Any, tmp_path: Path) -> Publish:
    """The contracts, the people, and ``publish(resource, rows)``: a delivery that goes all the way."""
    providers = {"IN-01": COURT, "IN-04": CIVIL, "IN-07": ESTATES}
    for code in (CIVIL, ESTATES, FIRM, OPERATOR):
        world.units.put(code, code)
    for resource, provider in providers.items():
        world.contracts.put((SCHEMAS / f"{resource}.yaml").read_text(), by="test", provider=provider)
    people = {
        "desk": (OPERATOR, ["officer"]),
        "desk2": (OPERATOR, ["officer"]),
        "lawyer": (FIRM, ["case_officer"]),
        "partner": (FIRM, ["approver"]),
        "clerk": (ESTATES, ["approver"]),
        "registrar": (CIVIL, ["source"]),
        "stranger": (CIVIL, ["case_officer"]),
    }
    for name, (unit, roles) in people.items():
        world.tokens[name] = world.credentials.issue(name, unit, roles, by="test")[1]

    def publish(resource: str, *rows: dict[str, str]) -> None:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
        file = tmp_path / f"{resource}-{len(list(tmp_path.glob('*.csv')))}.csv"
        file.write_text(text.getvalue(), encoding="utf-8")
        world.clock.moment = world.clock.moment.replace(second=world.clock.moment.second + 1)
        batch = platform.deliver(file, resource, providers[resource])
        assert batch.status == "published", batch
        world.case_feed.run(resource)
        world.case_endings.run()

    return publish


def case_row(stage: str, n: int = 0, debtor: str = DEBTOR) -> dict[str, str]:
    return {
        "case_no": CASE_NO,
        "procedure_type": "01",
        "apply_date": "2021-03-10",
        "debtor_name": "张某某",
        "debtor_id_no": debtor,
        "administrator_uscc": FIRM,
        "case_stage": stage,
        "stage_time": f"2021-04-{n + 1:02}T08:00:00+08:00",
    }


def estate(n: int, owner: str, name: str, transferred: str = "") -> dict[str, str]:
    return {
        "unit_no": f"440304001001GB00001F{n:08}",
        "cert_no": f"粤(2020)深圳市不动产权第{n:07}号",
        "id_no": owner,
        "person_name": name,
        "location": f"深圳市福田区某路{n}号",
        "transfer_date": transferred,
    }


ESTATES_OF = (
    estate(1, DEBTOR, "张某某"),
    estate(2, SPOUSE, "李某某"),
    estate(3, OTHER, "王某某"),
    estate(4, DEBTOR, "张某某", "2018-01-05"),  # long before the application
)
ASKED: dict[str, Any] = {
    "resource": "IN-07",
    "fields": ["cert_no", "id_no", "location", "transfer_date"],
    "purpose": "核对财产申报",
    "case_no": CASE_NO,
    "persons": [{"id_no": DEBTOR, "relation": "debtor", "name": "张某某"}],
}


NAMES = ("陈锁匙", "赵铃铛", "孙罗盘")
PARTNERS = ("钱风筝", "周烛台", "吴砚台")
RUN = "/v1/resources/{code}/verifications"


def marriage(n: int) -> dict[str, str]:
    return {
        "id_no": (DEBTOR, SPOUSE, OTHER)[n],
        "person_name": NAMES[n],
        "marital_code": "20",
        "spouse_name": PARTNERS[n],
        "spouse_id_no": citizen(50 + n),
        "reg_date": f"2010-05-1{n}",
    }


@pytest.fixture(name="compared")
def made_comparison(town: Publish, world: World, call: Call) -> Callable[..., Any]:
    town("IN-01", case_row("21"))
    town("IN-04", *(marriage(n) for n in range(3)))
    grant = Grant(FIRM, "IN-04", id="g4", case_no=CASE_NO, methods=("comparison",), purpose="核对婚姻")
    world.grants.put(grant, world.contracts.get("IN-04"), by="test")
    settled(world, (FIRM,), "IN-04", ("comparison",))

    def run(*items: Any, as_: str = "lawyer", **more: Any) -> Any:
        body = {"items": list(items), "case_no": CASE_NO, "purpose": "核对婚姻", **more}
        return call("POST", RUN, as_=as_, path={"code": "IN-04"}, body=body)

    return run


def claim(number: str = DEBTOR, **claimed: Any) -> dict[str, Any]:
    return {"key": {"id_no": number}, "claimed": claimed}
