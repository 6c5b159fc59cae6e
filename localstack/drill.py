"""``make drill``: a deployment is lost and restored in another place; ends with 0 only if all is as before.

Two stacks of different names (so their buckets are called differently) on two emulators: the first is filled,
backed up to an encrypted folder and stopped; the second is deployed empty and restored. Compared are digests
of every table now and as of its first publication, of the register, the evidence and the objects; then the
chains of evidence are verified, a delivery is compared with what was restored, and times are told (S-25).
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import stack as stacks
from emulators import StackError

UNIT = "1144030000AA01019J"
#: Recovery time and recovery point that are aimed at, in seconds.
GOALS = {"time": 4 * 3600, "point": 15 * 60}
CONTRACT = """
apiVersion: v3.2.0
kind: DataContract
id: {id}
version: 1.0.0
status: active
name: 恢复演练
schema:
  - name: {table}
    properties:
      - {{name: id, logicalType: string, primaryKey: true, primaryKeyPosition: 1, required: true}}
      - name: name
        logicalType: string
        classification: L3
        customProperties: [{{property: mask, value: name}}]
      - {{name: amount, logicalType: number, physicalType: "decimal(12,2)"}}
"""


class DrillFailed(Exception):
    """What is not as it was; the message says what."""


@dataclass
class Report:
    seconds: dict[str, float] = field(default_factory=dict)
    told: dict[str, Any] = field(default_factory=dict)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.seconds[name] = round(time.monotonic() - began, 1)
        sys.stderr.write(f"  {name}: {self.seconds[name]} s\n")

    @property
    def recovery(self) -> float:
        """From the loss to a working service: deployment, restore, comparison."""
        return round(sum(self.seconds[name] for name in ("deploy", "restore", "compare", "verify")), 1)


@dataclass(frozen=True)
class Api:
    url: str
    token: str

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{self.url}{path}", data, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            raise DrillFailed(f"{method} {path}: {error.code} {error.read()[:300]!r}") from error

    def deliver(self, resource: str, content: bytes, edition: str) -> dict[str, Any]:
        """A file; its batch when it moves no more."""
        asked = {"resource": resource, "unit": UNIT, "filename": "delivery.csv", "edition": edition}
        ticket = self("POST", "/v1/uploads", asked)
        put = urllib.request.Request(ticket["url"], content, ticket["headers"], method="PUT")
        urllib.request.urlopen(put, timeout=60).close()
        end = time.monotonic() + 120
        while time.monotonic() < end:
            found = self("GET", f"/v1/uploads/{ticket['upload_id']}")
            if found["status"] in ("published", "held", "rejected", "failed"):
                batch: dict[str, Any] = found["batches"][-1]
                return batch
            time.sleep(0.1)
        raise DrillFailed(f"a delivery of {resource} did not end")


def lines(rows: int, edition: int) -> bytes:
    """Each edition changes every tenth row, drops one and adds one."""
    numbers = range(edition, rows + edition)
    text = "".join(f"{n:08},王小{n},{n % 97 + (edition if n % 10 == 0 else 0)}.50\n" for n in numbers)
    return f"id,name,amount\n{text}".encode()


def drill(folder: Path, *, resources: int = 2, rows: int = 1_000, editions: int = 3) -> Report:
    """The whole drill; what it took. Raises DrillFailed, StackError."""
    report = Report()
    key = folder / "backup.key"
    with report.timed("fill"):
        first = stacks.up(folder / "first", name="huitong-first")
        owner = _filled(first, resources, rows, editions)
    try:
        _huitong("backup", "key", str(key))
        named = ("--key-file", str(key), "--stack", "huitong-first", "--endpoint", first.endpoint)
        with report.timed("export"):
            report.told["backup"] = _huitong("backup", "export", str(folder / "backup"), *named, "--json")
        before = _digests(first)
    finally:
        first.stop()
    _unreadable(folder / "backup")
    trusted = ",".join(report.told["backup"]["signers"])
    with report.timed("deploy"):
        second = stacks.up(folder / "second", name="huitong-second", parameters={"FormerSigners": trusted})
    try:
        named = ("--key-file", str(key), "--stack", "huitong-second", "--endpoint", second.endpoint)
        with report.timed("restore"):
            report.told["restored"] = _huitong("backup", "restore", str(folder / "backup"), *named, "--json")
        with report.timed("compare"):
            report.told["compared"] = _compared(before, _digests(second))
        with report.timed("verify"):
            _verified(Api(second.api_url, first.token), Api(second.api_url, owner), resources, rows, editions)
            _taken_over(second, folder / "admin.json", first.token)
    finally:
        second.stop()
    report.told["goals"] = GOALS
    return report


def _filled(stack: stacks.Stack, resources: int, rows: int, editions: int) -> str:
    """Units, contracts, deliveries, a subscription with its secret; the token of the source unit."""
    admin = Api(stack.api_url, stack.token)
    admin("POST", "/v1/units", {"code": UNIT, "name": "市中级人民法院"})
    body = {"name": "court", "roles": ["source", "consumer"], "unit": UNIT}
    court = Api(stack.api_url, admin("POST", "/v1/credentials", body)["token"])
    for number in range(resources):
        id = f"drill-{number}"
        document = CONTRACT.format(id=id, table=id.replace("-", "_"))
        admin("POST", "/v1/contracts", {"document": document, "provider": UNIT})
        for edition in range(1, editions + 1):
            batch = court.deliver(id, lines(rows, edition), str(edition))
            if batch["status"] != "published":
                raise DrillFailed(f"edition {edition} of {id} is {batch['status']}")
    subscription = {"resource": "drill-0", "endpoint": "https://receiver.invalid/in", "unit": UNIT}
    made = court("POST", "/v1/subscriptions", subscription)
    court("POST", f"/v1/subscriptions/{made['id']}/pause")
    return court.token


def _digests(stack: stacks.Stack) -> dict[str, Any]:
    """Of a deployment in which nothing moves meanwhile."""
    from huitong.aws.backup.compare import digests
    from huitong.aws.backup.site import Site

    site = Site.at(stack.name, endpoint=stack.endpoint)
    with site.standing_still():
        return dict(digests(site))


def _compared(here: dict[str, Any], there: dict[str, Any]) -> dict[str, int]:
    from huitong.operating.backup.digests import differences

    found = differences(here, there)
    if found:
        raise DrillFailed("not restored as it was: " + json.dumps([one.as_dict() for one in found][:10]))
    return {name: digest.rows for name, digest in here.items()}


def _unreadable(folder: Path) -> None:
    """Nothing of the backup is there to be read without its key."""
    for path in folder.rglob("*.enc"):
        content = path.read_bytes()
        if any(plain in content for plain in ("王小".encode(), b"landing_key", b"PAR1", b"whsec_")):
            raise DrillFailed(f"{path.name} can be read without the key")


def _verified(admin: Api, court: Api, resources: int, rows: int, editions: int) -> None:
    """People's credentials work, chains fit, rows are served, and the next edition is compared with them."""
    for shard in range(16):
        found = admin("GET", f"/v1/evidence/verification?shard={shard}&limit=5000")
        if found["finding"]:
            raise DrillFailed(f"chain {shard}: {found['finding']}")
    for number in range(resources):
        if not admin("GET", f"/v1/ledger?resource=drill-{number}")["balanced"]:
            raise DrillFailed(f"the ledger of drill-{number} does not balance")
        answer = court("POST", "/v1/queries", {"sql": f"SELECT count(*) AS n FROM drill_{number}"})
        if answer["rows"] != [{"n": rows}]:
            raise DrillFailed(f"drill-{number} has {answer['rows']}")
    batch = court.deliver("drill-0", lines(rows, editions + 1), str(editions + 1))
    changed = tuple(batch[name] for name in ("status", "inserted", "deleted"))
    if changed != ("published", 1, 1) or batch["unchanged"] + batch["updated"] != rows - 1:
        raise DrillFailed(f"the next edition after the restore: {batch}")


def _taken_over(stack: stacks.Stack, profile: Path, former: str) -> None:
    """Whoever restored becomes the first administrator, and the former token ends."""
    here = ("--stack", stack.name, "--endpoint", stack.endpoint, "--api-url", stack.api_url)
    _huitong("bootstrap", str(profile), *here)
    told = json.loads(profile.read_text())
    if Api(told["api_url"], told["token"])("GET", "/v1/me")["acts_for"] != ["*"]:
        raise DrillFailed("the new first administrator is none")
    try:
        Api(stack.api_url, former)("GET", "/v1/me")
    except DrillFailed:
        return
    raise DrillFailed("the former administrator's token still works")


def _huitong(*words: str) -> dict[str, Any]:
    command = [str(Path(sys.executable).with_name("huitong")), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise DrillFailed(f"huitong {' '.join(words[:2])}: {done.stdout[-1500:]}{done.stderr[-1500:]}")
    return dict(json.loads(done.stdout)) if "--json" in words else {}


def main() -> int:
    parser = argparse.ArgumentParser(description="Restore drill on two local stacks")
    parser.add_argument("--resources", type=int, default=3)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--editions", type=int, default=4)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="huitong-drill-"))
    try:
        report = drill(folder, resources=asked.resources, rows=asked.rows, editions=asked.editions)
    except (DrillFailed, StackError) as error:
        sys.stderr.write(f"✗ {error}\n  kept for you to look at: {folder}\n")
        return 1
    shutil.rmtree(folder)
    counts = report.told["backup"]["counts"]
    print(f"✓ 恢复后逐项相同 restored, equal in {len(report.told['compared'])} digests: {counts}")
    print(f"  恢复用时 recovery {report.recovery} s (goal {GOALS['time']} s)")
    point = f"{report.seconds['export']} s, the time of a backup"
    print(f"  恢复点 recovery point {point} (goal {GOALS['point']} s)")
    print(f"  {report.seconds}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
