"""``huitong doctor``: what is wrong with a deployment, and what to do about it."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final
from urllib.parse import urlsplit

import typer

from huitong.cli.options import Json, profile_path
from huitong.cli.showing import note, say, show_json
from huitong.ports import timestamp

if TYPE_CHECKING:
    from huitong.cli.client import Client
    from huitong.operating.doctor.facts import ApiFacts, Facts, Seen

_MARKS: Final = {"ok": "✓", "unknown": "·", "warning": "!", "error": "✗"}
_CHAINS: Final = 16
_RECENT: Final = 1_000  # entries of each chain, up to its end


def register(app: typer.Typer) -> None:
    app.command("doctor")(doctor)


def doctor(
    stack: Annotated[
        str, typer.Option("--stack", help="CloudFormation 栈名 / name of the stack")
    ] = "huitong",
    region: Annotated[str, typer.Option("--region", help="AWS 区域 / region")] = "",
    endpoint: Annotated[
        str, typer.Option("--endpoint", help="模拟器地址 / an emulator's address; the profile's by default")
    ] = "",
    api_only: Annotated[
        bool, typer.Option("--api-only", help="只问 API / ask the API alone, not AWS")
    ] = False,
    as_json: Json = False,
) -> None:
    """体检 / What is wrong with a deployment. Exit 0: nothing; 1: warnings; 2: something is broken.

    Asks the API as the profile's credential, and AWS with the rights that the AWS tools find; only reads.
    """
    from huitong.operating.doctor.findings import exit_status
    from huitong.operating.doctor.table import examine

    findings = examine(_facts(stack, region, endpoint or _endpoint(), api_only))
    if as_json:
        show_json({"exit": exit_status(findings), "findings": [one.as_dict() for one in findings]})
    else:
        for one in findings:
            about = f" [{one.about}]" if one.about else ""
            say(f"{_MARKS[one.severity]} {one.check}{about}  {one.zh} / {one.en}")
            if one.severity in ("warning", "error"):
                note(f"    → {one.do_zh} / {one.do_en}")
    raise SystemExit(exit_status(findings))


def _endpoint() -> str:
    """The emulator that the profile of a local stack names; empty for AWS."""
    path = profile_path()
    try:
        return str(json.loads(Path(path).read_text(encoding="utf-8")).get("endpoint", "")) if path else ""
    except (OSError, ValueError):
        return ""


def _facts(stack: str, region: str, endpoint: str, api_only: bool) -> Facts:
    from huitong.operating.doctor.facts import Facts, Unseen

    api = _api()
    at = timestamp(datetime.now(UTC))
    if api_only:
        no = Unseen("未询问 AWS(--api-only)", "AWS was not asked (--api-only)")
        return Facts(bool(endpoint), at, api, no, no, no, no, no, no, no, no, no, no, no, no)
    from huitong.aws.deployment import Deployment

    found = Deployment.at(stack, endpoint=endpoint, region=region)
    return Facts(
        emulator=bool(endpoint),
        at=at,
        api=api,
        stack=found.stack(),
        functions=found.functions(),
        queues=found.queues(),
        mappings=found.mappings(),
        schedules=found.schedules(),
        buckets=found.buckets(),
        keys=found.keys(),
        tables=found.tables(),
        alarms=found.alarms(),
        machines=found.machines(),
        glue_database=found.glue_database(),
        workgroup=found.workgroup(stack),
    )


def _api() -> ApiFacts:
    import urllib3

    from huitong.cli.options import client
    from huitong.errors import BadRequest
    from huitong.operating.doctor.facts import ApiFacts

    try:
        caller = client()
    except BadRequest as error:
        return ApiFacts(error.en, 0)
    url = caller.connection.api_url
    pool = urllib3.PoolManager(timeout=urllib3.Timeout(connect=3, read=30), retries=False)
    began = time.time()
    try:
        answer = pool.request("GET", f"{url}/v1/health")
    except urllib3.exceptions.HTTPError:
        return ApiFacts(url, 0)
    skew = _skew(str(answer.headers.get("date", "")), began, time.time())
    if answer.status != 200:
        return ApiFacts(url, answer.status, skew_seconds=skew)
    return ApiFacts(
        url=url,
        status=200,
        version=str(answer.json().get("version", "")),
        skew_seconds=skew,
        certificate_ends=_certificate(url),
        who=_asked(lambda: dict(caller.get("me"))),
        page=_asked(lambda: dict(caller.get("status"))),
        balanced=_asked(lambda: bool(caller.get("ledger")["balanced"])),
        broken_chains=_asked(lambda: _broken(caller)),
        late=_asked(lambda: tuple(_late(one) for one in caller.get("overdue")["items"])),
        keys=_asked(lambda: _keys(caller)),
        credentials=_asked(lambda: _credentials(caller)),
    )


def _asked(ask: Callable[[], Any]) -> Seen[Any]:
    from huitong.cli.client import Refused
    from huitong.operating.doctor.facts import Unseen

    try:
        return ask()
    except Refused as refused:
        code = str(refused.problem.get("code", refused.problem.get("status", "")))
        return Unseen(f"API 答复 {code}", f"the API answered {code}")


def _skew(date: str, began: float, ended: float) -> float | None:
    """The server's clock against ours: what neither the whole seconds of a Date nor the way explain."""
    if not date:
        return None
    there = parsedate_to_datetime(date).timestamp()
    return min(there + 1 - began, 0.0) if there + 1 < began else max(there - ended, 0.0)


def _certificate(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        return ""
    context = ssl.create_default_context()
    try:
        with (
            socket.create_connection((parts.hostname, parts.port or 443), timeout=5) as plain,
            context.wrap_socket(plain, server_hostname=parts.hostname) as secured,
        ):
            told: Mapping[str, Any] = secured.getpeercert() or {}
    except OSError:
        return ""  # the health check has answered over it: what is wrong with it was told there
    ends = str(told.get("notAfter", ""))
    return timestamp(datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)) if ends else ""


def _broken(api: Client) -> tuple[int, ...]:
    """Chains whose last entries do not fit, or not to the signed head."""
    since = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    heads = api.items("evidence", "heads", limit=2_000, **{"from": since})
    places = json.loads(heads[-1]["text"])["places"] if heads else []
    ends = {int(place["shard"]): int(place["n"]) for place in places}
    broken = []
    for shard in range(_CHAINS):
        after = max(0, ends.get(shard, 0) - _RECENT)
        page = api.get("evidence", "verification", shard=shard, after=str(after), limit=2 * _RECENT)
        if page.get("finding"):
            broken.append(shard)
    return tuple(broken)


def _late(item: Mapping[str, Any]) -> str:
    return " ".join(str(item[name]) for name in ("kind", "unit", "resource") if item.get(name))


def _keys(api: Client) -> dict[str, str]:
    """Keys that have versions, with the time of the last one."""
    items = api.get("platform-keys")["items"]
    return {
        one["name"]: one["versions"][-1]["made_at"] for one in items if one["rotates"] and one["versions"]
    }


def _credentials(api: Client) -> dict[str, str]:
    return {
        str(one["name"]): str(one.get("created", ""))
        for one in api.get("credentials")["items"]
        if not one.get("disabled")
    }
