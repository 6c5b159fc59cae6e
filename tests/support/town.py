"""A small town on a running stack: its units, their people, and what they do with files and rows."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from tests.support.standing_http import complete_over_http

#: The statutory duty under which the agency and the housing bureau use other units' personal data.
DUTY: Final = "case-work"
BASIS: Final = "深破管函〔2026〕1号"


@dataclass(frozen=True)
class Api:
    """HTTP as any client speaks it."""

    url: str
    token: str = ""

    def as_nobody(self) -> Api:
        return Api(self.url)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> tuple[int, Any]:
        """Status and decoded JSON (or text)."""
        sent = {"Content-Type": "application/json", **{k.replace("_", "-"): v for k, v in headers.items()}}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as error:
            return error.code, _decoded(error.read())

    def put_file(self, path: Path | bytes, resource: str, unit: str, filename: str = "", **more: Any) -> str:
        """Deliver a file through a presigned address; the upload's id."""
        name = filename or (path.name if isinstance(path, Path) else "delivery.csv")
        status, ticket = self.call(
            "POST", "/v1/uploads", {"resource": resource, "unit": unit, "filename": name, **more}
        )
        assert status == 201, ticket
        content = path.read_bytes() if isinstance(path, Path) else path
        put = urllib.request.Request(ticket["url"], content, ticket.get("headers") or {}, method="PUT")
        with urllib.request.urlopen(put, timeout=60) as answer:
            assert answer.status == 200
        return str(ticket.get("upload_id") or ticket["id"])


class CommandLine:
    """``huitong`` as a person or a script calls it, under one credential."""

    def __init__(self, profile: Path) -> None:
        self.profile = profile

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("huitong")), "--profile-file", str(self.profile), *words],
            capture_output=True,
            text=True,
            check=False,
        )

    def __call__(self, *words: str, status: int = 0) -> dict[str, Any]:
        done = self.run(*words, "--json")
        assert done.returncode == status, f"{words}: {done.stdout}{done.stderr}"
        told: dict[str, Any] = json.loads(done.stdout)
        return told


#: What became of a delivery, once nothing moves any more.
ENDED = ("published", "held", "rejected", "failed", "duplicate", "superseded")


class Town:
    """Units, people with credentials, and what they do. Contracts are small and each test has its own."""

    COURT, POLICE, AGENCY, HOUSING = (
        "1144030000AA01019J", "1144030000AA01086G", "1144030000AA01123N", "1144030000AA01078M"
    )  # fmt: skip
    FIRM = "31440000MD0000219N"  # administrator of the cases of localstack/demo_data.py
    PEOPLE: ClassVar = {
        "court": (COURT, "source"), "court-officer": (COURT, "approver"), "police": (POLICE, "source"),
        "officer": ("", "officer"), "agency": (AGENCY, "consumer"), "agency-source": (AGENCY, "source consumer"),
        "housing": (HOUSING, "consumer"), "housing-applicant": (HOUSING, "applicant"),
        "housing-approver": (HOUSING, "approver"), "court-approver": (COURT, "approver"),
        "police-approver": (POLICE, "approver"), "lawyer": (FIRM, "case_officer"), "partner": (FIRM, "approver"),
        "auditor": ("", "auditor"),
    }  # fmt: skip

    def __init__(self, stack: Any, folder: Path, eventually: Callable[..., Any]) -> None:
        self.stack = stack
        self.admin = Api(stack.api_url, stack.token)
        self.eventually = eventually
        self._folder = folder
        self._apis: dict[str, Api] = {}
        for code in (self.COURT, self.POLICE, self.AGENCY, self.HOUSING):
            assert self.admin.call("POST", "/v1/units", {"code": code, "name": f"单位{code[-4:]}"})[0] == 201
        duty = {"zh": "案件办理", "en": "Work on cases", "basis": "深圳经济特区个人破产条例"}
        for code in (self.AGENCY, self.HOUSING):
            self.done("PUT", f"/v1/units/{code}/duties/{DUTY}", duty)

    def done(self, method: str, path: str, body: Any = None, unit: str = "") -> Any:
        """A request of the administrator, for a unit, that must succeed; its answer."""
        status, told = self.admin.call(method, path, body, **({"Huitong-Unit": unit} if unit else {}))
        assert status in (200, 201), (path, told)
        return told

    def share(self, resource: str, unit: str, *interfaces: str, provider: str = COURT) -> None:
        """All that the gates ask for before the unit may have the resource by these interfaces."""

        def call(method: str, path: str, body: Any, acting: str) -> Any:
            return self.done(method, path, body, acting)

        complete_over_http(call, unit, provider, resource, interfaces)

    def grant(self, unit: str, resource: str, **members: Any) -> None:
        """A direct grant under the duty."""
        self.done("PUT", f"/v1/grants/{unit}/{resource}", {"basis": BASIS, "duty": DUTY, **members})

    def api(self, who: str) -> Api:
        """HTTP under somebody's credential, issued at first use."""
        if who not in self._apis:
            unit, roles = self.PEOPLE[who]
            body = {"name": who, "roles": roles.split(), "unit": unit}
            status, told = self.admin.call("POST", "/v1/credentials", body)
            assert status == 201, told
            self._apis[who] = Api(self.stack.api_url, told["token"])
        return self._apis[who]

    def huitong(self, who: str = "") -> CommandLine:
        if not who:
            return CommandLine(self.stack.profile)
        profile = self._folder / f"{who}.json"
        known = {"api_url": self.stack.api_url, "token": self.api(who).token, "duty": DUTY}
        profile.write_text(json.dumps(known))
        profile.chmod(0o600)
        return CommandLine(profile)

    def contract(self, id: str, provider: str = COURT) -> str:
        """Register a resource: id (key), area, name (L3), id_no (L4), amount."""
        document = CONTRACT.format(id=id, table=id.replace("-", "_"))
        status, told = self.admin.call("POST", "/v1/contracts", {"document": document, "provider": provider})
        assert status == 201, told
        return id

    def deliver(
        self, content: bytes, resource: str, who: str = "court", *, filename: str = "", **more: Any
    ) -> dict[str, Any]:
        """A file through the API; its batch, once it moves no more."""
        upload = self.api(who).put_file(content, resource, self.PEOPLE[who][0], filename, **more)
        return self.ended(upload)

    def ended(self, upload: str) -> dict[str, Any]:
        found = self.eventually(
            lambda: self.admin.call("GET", f"/v1/uploads/{upload}")[1], lambda u: u["status"] in ENDED
        )
        batch: dict[str, Any] = found["batches"][-1]
        return batch

    def land(self, key: str, content: bytes) -> str:
        """An object straight into the landing bucket; its version."""
        put = self.stack.client("s3").put_object(
            Bucket=self.stack.outputs["LandingBucket"], Key=key, Body=content
        )
        return str(put.get("VersionId", ""))

    def batches(self, who: str = "", **query: str) -> list[dict[str, Any]]:
        api = self.api(who) if who else self.admin
        status, told = api.call("GET", f"/v1/batches?{urlencode(query)}")
        assert status == 200, told
        items: list[dict[str, Any]] = told["items"]
        return items

    def sql(self, sql: str, who: str = "court") -> list[dict[str, Any]]:
        """Rows of a query. The administrator reads none: the owner asks, or somebody under the duty."""
        status, told = self.api(who).call("POST", "/v1/queries", {"sql": sql}, Huitong_Duty=DUTY)
        assert status == 200, told
        rows: list[dict[str, Any]] = told["rows"]
        return rows

    def ledger(self, resource: str) -> dict[str, Any]:
        status, told = self.admin.call("GET", f"/v1/ledger?resource={resource}")
        assert status == 200, told
        found: dict[str, Any] = told
        return found


CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: {id}
version: 1.0.0
status: active
name: 全流程
schema:
  - name: {table}
    properties:
      - {{name: id, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true}}
      - {{name: area, logicalType: string}}
      - name: name
        logicalType: string
        classification: L3
        customProperties: [{{property: mask, value: name}}]
      - name: id_no
        logicalType: string
        classification: L4
        customProperties: [{{property: mask, value: id}}]
      - {{name: amount, logicalType: number, physicalType: "decimal(12,2)"}}
"""


def lines(numbers: Iterable[int], *, area: str = "福田", amount: str = "1.50") -> bytes:
    """Rows of Town.contract as a CSV file."""
    rows = [f"{n:04},{area},王小{n:04},44030019900101{n:04},{amount}" for n in numbers]
    return ("id,area,name,id_no,amount\n" + "\n".join(rows) + "\n").encode()


def _decoded(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content.decode(errors="replace")
