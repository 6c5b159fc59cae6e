"""After a rich day of work the values of persons are where rows are kept, in sealed texts, and nowhere else (S-16).

One scenario over HTTP: deliveries with bad rows, a request that names a person, queries and comparisons in a
case, a correction, an objection, a returned file, questions of strangers. Then everything that is kept or was
said is searched: the register, evidence, events, queues, log lines, answers to those who may not have it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pyarrow.parquet as parquet
import pytest
from case_town import (  # noqa: F401 (fixtures)
    ASKED,
    DEBTOR,
    ESTATES_OF,
    NAMES,
    OTHER,
    PARTNERS,
    SPOUSE,
    Publish,
    case_row,
    claim,
    made_comparison,
    made_town,
)
from tests.support.api_world import BANK, COURT, Call, World
from tests.support.court import CASE_NO, citizen
from tests.support.grounds import DUTY
from tests.support.tickets import ticket_reading

from huitong.sharing.grants import Grant

NUMBER, PHONE, BAD_PHONE = "440300199001011234", "13798765432", "1379876543二"
#: Of persons: numbers, names, a certificate, telephones, a value that did not pass a check.
MARKERS = (
    DEBTOR, SPOUSE, OTHER, citizen(50), citizen(51), NUMBER, *NAMES, *PARTNERS, "张某某", "李某某", PHONE,
    BAD_PHONE, "粤(2020)深圳市不动产权第0000001号",
)  # fmt: skip
STEP = "/v1/requests/{id}/steps"
TEXT = f"claim_no,debtor_id,amount\n001,{NUMBER},10.50\n002,{PHONE},{BAD_PHONE}\n"
TEXT += "".join(f"{n:03},{NUMBER},1.00\n" for n in range(100, 160))  # so many that evidence is an object


def found(text: str) -> list[str]:
    """Markers in a text, however JSON or a URL writes them."""
    written = {m: (m, json.dumps(m)[1:-1], quote(m)) for m in MARKERS}
    return [m for m, forms in written.items() if any(form in text for form in forms)]


def test_the_search_finds_what_is_there() -> None:
    """Or the test below would prove nothing."""
    text = f'{{"a": "{DEBTOR}", "b": {json.dumps(NAMES[0])}, "c": "{quote(PARTNERS[0])}"}}'
    assert found(text) == [DEBTOR, NAMES[0], PARTNERS[0]]


def _text(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False)


def _without_sealed(value: Any) -> Any:
    """Without texts that only the key service opens; these tests seal with a fake that anybody can open."""
    if isinstance(value, Mapping):
        return {name: _without_sealed(one) for name, one in value.items() if name != "sealed"}
    return [_without_sealed(one) for one in value] if isinstance(value, list | tuple) else value


@pytest.fixture
def refused(
    capsys: pytest.CaptureFixture[str],  # before all that writes log lines
    town: Publish,
    compared: Any,
    world: World,
    platform: Any,
    call: Call,
) -> list[Any]:
    """The day's work; answers given to those who may not have the values."""
    ticket_reading(world, platform.ports)
    town("IN-07", *ESTATES_OF)
    made = call("POST", "/v1/requests", as_="lawyer", body=ASKED)
    assert made.status == 201, made.body
    path = {"id": made.body["id"]}
    assert call("POST", STEP, as_="partner", path=path, body={"step": "check"}).status == 200
    approve = {"step": "approve", "given": {"unmasked": ["cert_no", "id_no"]}}
    assert call("POST", STEP, as_="clerk", path=path, body=approve).status == 200
    sql = f"SELECT cert_no, id_no FROM in_07 WHERE id_no = '{DEBTOR}'"
    asked = {"sql": sql, "case_no": CASE_NO, "purpose": "核对"}
    assert call("POST", "/v1/queries", as_="lawyer", body=asked).status == 200
    agreed = compared(claim(spouse_name=PARTNERS[0], spouse_id_no=citizen(51)))
    assert agreed.status == 200, agreed.body
    refused = [made, agreed, compared(claim(OTHER, spouse_name=PARTNERS[2]))]
    refused += [call("POST", "/v1/queries", as_=who, body=asked) for who in ("stranger", "bank", "auditor")]
    broken = {**asked, "sql": f"SELECT nothing({DEBTOR}) FROM in_07 WHERE '{NAMES[0]}' = 1"}
    refused.append(call("POST", "/v1/queries", as_="lawyer", body=broken))
    refused += _claims(world, platform, call)
    for who in ("stranger", "bank", "auditor", "desk"):
        refused.append(call("GET", "/v1/requests/{id}/persons", as_=who, path=path))
        refused += [call("GET", each, as_=who) for each in ("/v1/requests", "/v1/cases", "/v1/notices")]
    for tick in (world.ticket_clocks.tick, world.quality_issues.tick):
        tick()
    return refused


def _claims(world: World, platform: Any, call: Call) -> list[Any]:
    """A delivery with a bad row, its returned file, a correction and an objection."""
    world.grants.put(Grant(BANK, "claims", duty=DUTY), world.contracts.get("claims"), by="test")
    world.clock.advance(minutes=1)
    upload, _ = world.uploads.open(COURT, "claims", "claims.csv", by="court")
    world.landing.put(world.uploads.get(upload).key, TEXT.encode())
    batch = platform.ingest(world.uploads.get(upload).key)
    platform.validate(batch.id)
    platform.compare("claims")
    world.following.run("claims")
    world.give_back.make(world.batches.get(batch.id).batch, whole=True)
    code, path = {"code": "claims"}, {"id": batch.id}
    sql = {"sql": f"SELECT * FROM {world.contracts.get('claims').table}"}
    assert call("POST", "/v1/queries", as_="bank", body=sql, duty=DUTY).body["total_rows"] == 61
    body = {
        "key": {"claim_no": "001"},
        "fields": ["amount"],
        "wrong": f"{NUMBER}的金额少计",
        "found_on": "2026-01-05",
    }
    said = []
    for kind in ("corrections", "objections"):
        made = call("POST", f"/v1/resources/{{code}}/{kind}", as_="bank", path=code, body=body, duty=DUTY)
        assert made.status in (201, 409), made.body
        said += [made] if made.status != 201 else []
        if made.status == 201:
            said += [
                call("GET", "/v1/corrections/{id}", as_=who, path={"id": made.body["id"]})
                for who in ("stranger", "lawyer")
            ]
    for who in ("stranger", "bank", "auditor", "officer"):
        said += [
            call("GET", each, as_=who, path=path)
            for each in ("/v1/batches/{id}/returned", "/v1/batches/{id}/findings", "/v1/batches/{id}",
                         "/v1/batches/{id}/quarantine")
        ]  # fmt: skip
        said.append(call("GET", "/v1/resources/{code}/snapshot", as_=who, path=code))
    records = {"rows": [{"claim_no": "009", "debtor_id": NUMBER, "amount": NAMES[0], PHONE: PHONE}]}
    said.append(call("POST", "/v1/resources/{code}/records", as_="bank", path=code, body=records))
    return said


def test_values_of_persons_are_kept_and_said_nowhere_but_where_rows_are(
    refused: list[Any], world: World, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """S-13, S-16, L-34, Q-58."""
    items = list(world.register._items.values())
    kinds = {i.pk.partition("#")[0] for i in items}
    assert {"REQUEST", "CORRECTION", "OBJECTION", "BATCH", "NOTICE", "CASE"} <= {k.upper() for k in kinds}
    assert sum("sealed" in json.dumps(i.body, default=str) for i in items) >= 3  # persons and two doubts
    kept = {
        f"{i.pk}/{i.sk}": found(_text([i.pk, i.sk, i.index1, i.index2, _without_sealed(i.body)]))
        for i in items
    }
    assert {key: markers for key, markers in kept.items() if markers} == {}
    evidence = [p for p in tmp_path.rglob("*") if p.is_file() and "evidence" in p.parts]
    assert evidence
    for file in evidence:
        table = parquet.read_table(file) if file.suffix == ".parquet" else None
        assert table is None or table.num_rows
        assert found(_text(table.to_pylist()) if table else file.read_text(errors="replace")) == [], file
    told = [world.events, world.alerts, *world.queues.values()]
    assert found(repr([vars(one) for one in told])) == []
    written = "".join(capsys.readouterr())
    assert written.count('"operation"') > 30
    assert found(written) == []
    answers = [_text(said.body) for said in refused]
    assert [(a[:200], m) for a in answers if (m := found(a))] == []
