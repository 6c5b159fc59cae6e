"""Before anything is shared: units are registered, agreed, tested together; the catalogue is published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from demo_data import AGENCY, CIVIL, FIRM, HOUSING, POLICE
from demo_people import Cast

DUTIES = ("leader", "sharing", "technical", "resources")
DIGEST = "5f" * 32  # of the documents that were signed
REVIEWED = ("--given", "accuracy=true", "--given", "completeness=true", "--given", "compliance=true")


def complete(cast: Cast) -> None:
    """The housing bureau and the agency by command; the other pairs the same way, by HTTP."""
    housing, desk = cast["housing-approver"], cast["officer"]
    lacking = housing.huitong(
        "gate", "check", "OUT-02", "--unit", HOUSING, "--interface", "push", exit_code=1
    )
    lacks = len(lacking["problems"])
    cast.check(
        lacks > 3,
        f"住建局开通推送尚缺 {lacks} 项:" + ";".join(p["zh"] for p in lacking["problems"][:2]) + "…",
        f"{lacks} things lack before anything is pushed to the housing bureau",
    )
    officers = [part for duty in DUTIES for part in ("--officer", f"{duty}=李四/处长")]
    housing.huitong("unit", "register", HOUSING, "--address", "深圳市福田区", *officers)
    terms = ("--set", f"counterpart={AGENCY}", "--set", "resources=OUT-02")
    agreed = housing.huitong("agreement", "draft", *_agreement("security", HOUSING, AGENCY))
    for side in (housing, desk):
        signed = ("--signatory", "张三", "--post", "局长", "--digest", DIGEST)
        side.huitong("agreement", "sign", agreed["id"], *signed)
    for noun, verb, content in (
        ("share-list", "propose", ()),
        ("docking", "propose", ("method=API", "security_terms=TLS, SM4", "contacts=王五")),
        ("joint-test", "record", _test("OUT-02", "push")),
        ("joint-test", "record", _test("OUT-02", "pull")),
    ):
        sets = [part for one in content for part in ("--set", one)]
        named = ("--set", f"counterpart={AGENCY}") if noun == "joint-test" else terms
        made = housing.huitong(noun, verb, *named, *sets)
        desk.huitong(noun, "step", made["id"], "confirm")
    for provider, resource, ways in ((POLICE, "IN-12", ()), (CIVIL, "IN-04", ("comparison",))):
        _by_http(cast, provider, resource, ways)
    still = housing.huitong("gate", "check", "OUT-02", "--unit", HOUSING, "--interface", "push")
    cast.check(
        still["open"],
        "协议已签署,联调双方确认,开通条件齐备",
        "signed, docked, tested together: the gates are open",
    )


def catalogue(cast: Cast, seed: Path) -> None:
    """An entry of four hands: drafted, reviewed, agreed, consented; published in a numbered edition."""
    made = cast["editor"].huitong("catalog", "seed", str(seed))
    for who, step in (
        ("editor", ("submit",)),
        ("reviewer", ("review", *REVIEWED)),
        ("agency-approver", ("agree",)),
        ("data-approver", ("consent",)),
        ("reviewer", ("publish",)),
    ):
        record = cast[who].huitong("catalog", "step", "OUT-02", *step)
    edition = cast["reviewer"].huitong("catalog", "edition", "publish", "--note", "首版")
    found = cast["housing-applicant"].huitong("catalog", "search", "行为限制")["items"]
    cast.check(
        record["state"] == "published" and [one["resource"] for one in found] == ["OUT-02"],
        f"目录:{len(made['made'])} 条草稿,OUT-02 经编制、审核、同意后发布,版本 {edition['id']}",
        "catalogue: OUT-02 drafted, reviewed by another, consented, published; the housing bureau finds it",
    )


def _agreement(kind: str, first: str, second: str) -> list[str]:
    content = {
        "kind": kind, "first": first, "second": second, "starts": _day(-30), "ends": _day(700),
        "document": "A-1", "digest": DIGEST,
    }  # fmt: skip
    return [part for name, value in content.items() for part in ("--set", f"{name}={value}")]


def _test(resource: str, interface: str) -> Sequence[str]:
    return (
        f"resource={resource}", f"interface={interface}", "interface_version=1", "result=passed",
        f"tested_on={_day(-1)}", "our_testers=甲", "their_testers=乙", "document=T-1", f"digest={DIGEST}",
    )  # fmt: skip


def _by_http(cast: Cast, provider: str, resource: str, ways: Sequence[str]) -> None:
    """What the law firm needs of another unit's resource; the first administrator acts for each side."""
    first = cast.first
    officers = {duty: {"name": "李四", "post": "处长"} for duty in DUTIES}
    for unit in (FIRM, provider):
        first.call("PUT", f"units/{unit}/standing", {"officers": officers}, unit)
    for kind, other, resources in (("sharing", AGENCY, [resource]), ("security", FIRM, [])):
        body: dict[str, Any] = {
            "kind": kind, "first": provider, "second": other, "resources": resources, "starts": _day(-30),
            "ends": _day(700), "document": "A-1", "digest": DIGEST,
        }  # fmt: skip
        made = first.call("POST", "agreements", body, provider)
        for step, side in (("sign_first", provider), ("countersign_second", other)):
            given = {"signatory": "张三", "post": "局长", "signed_on": _day(-1), "digest": DIGEST}
            first.call("POST", f"agreements/{made['id']}/steps", {"step": step, "given": given}, side)
    if not ways:
        return
    test = dict(part.split("=", 1) for part in _test(resource, ways[0]))
    test |= {"our_testers": ["甲"], "their_testers": ["乙"]}  # type: ignore[dict-item]
    docking = {"resources": [resource], "method": "API", "security_terms": "TLS, SM4", "contacts": ["王五"]}
    for path, content in (
        ("share-lists", {"resources": [resource]}),
        ("dockings", docking),
        ("joint-tests", test),
    ):
        made = first.call("POST", path, {"counterpart": AGENCY, **content}, FIRM)
        first.call("POST", f"{path}/{made['id']}/steps", {"step": "confirm"}, AGENCY)


def _day(away: int) -> str:
    return (date.today() + timedelta(days=away)).isoformat()
