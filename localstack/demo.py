"""`make demo`: deliveries, and one whole sharing, on a stack of its own; ends by itself.

Everybody has an own credential and works with the ``huitong`` command line or the HTTPS API of the deployed
template, as they would anywhere. Two receiving units listen on this machine. Ends with 0 only if all is as
it must be.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import demo_data as made_up
import demo_quality as quality
import demo_sharing as sharing
import demo_standing as standing
import stack
from demo_data import AGENCY, HOUSING
from demo_people import BEGAN, Cast, Person, brief, say, stop
from receiver import Inbox, Receiver, verified_by

ROOT = Path(__file__).resolve().parents[1]
SECRETS = {AGENCY: "whsec_" + "QUdFTkNZ" * 4, HOUSING: "whsec_" + "SE9VU0lO" * 4}
PLACES = {
    "原始文件 landing": "LandingBucket",
    "暂存与隔离 staging": "StagingBucket",
    "数据仓库 warehouse": "WarehouseBucket",
    "留痕 evidence": "EvidenceBucket",
}
RESOURCES = ("IN-01", "IN-04", "IN-12", "IN-15", "OUT-02")


def register(cast: Cast) -> None:
    """Units, people, contracts, statutory duties, and a right given directly, with its basis."""
    cast.enter()
    for id in RESOURCES:
        cast.first.huitong("contract", "put", str(ROOT / "schemas" / f"{id}.yaml"))
    for unit, code, zh, en in (
        (AGENCY, sharing.CASE_WORK, "个人破产案件办理", "Work on cases of personal bankruptcy"),
        (HOUSING, sharing.ENFORCE, "执行债务人行为限制", "Enforce restrictions of debtors"),
    ):
        basis = "深圳经济特区个人破产条例"
        cast.first.huitong("duty", "put", unit, code, zh, en, "--basis", basis)
    cast.first.huitong(
        "grant", "put", AGENCY, "IN-01", "--basis", "深破管函〔2026〕1号", "--unmasked", "debtor_name",
        "--purpose", "案件办理", "--duty", sharing.CASE_WORK,
    )  # fmt: skip
    say("已登记 8 个单位、17 个账号、5 项数据契约", "8 units, 17 credentials and 5 contracts registered")


def court_delivers(cast: Cast) -> None:
    """CSV in UTF-8: an edition, the next with changes and broken rows, the same file again."""
    first = made_up.cases(range(1, 41))
    cast.deliver("court", "法院首版(UTF-8 CSV)", "IN-01", "cases-1.csv", made_up.as_csv(first))
    second = [row for row in made_up.cases(range(1, 51)) if row["case_no"] != first[9]["case_no"]]
    for row in second[20:25]:
        row |= {"case_stage": "31", "stage_time": "2025-05-06T09:30:00+08:00"}
    second[30] |= {"debtor_id_no": "440304190002280013"}  # wrong check digit
    second[32] |= {"accept_date": "2023-02-29"}  # no such day
    second[34] |= {"procedure_type": "9"}  # not in the code set
    cast.deliver("court", "法院次版(3 行有误)", "IN-01", "cases-2.csv", made_up.as_csv(second))
    cast.deliver("court", "同一文件重复报送", "IN-01", "cases-2.csv", made_up.as_csv(second))


def others_deliver(cast: Cast) -> None:
    """GB18030 that nobody announces, a workbook with Chinese headings, and an edition that is held."""
    rows = made_up.vehicles(range(1, 301))
    cast.deliver(
        "police", "公安车辆(GB18030 CSV)", "IN-12", "vehicles-1.csv", made_up.as_csv(rows, "gb18030")
    )
    titles = made_up.titles_of("IN-15")
    lawyers = made_up.as_xlsx(made_up.lawyers(range(1, 401)), titles)
    cast.deliver("bar", "律协执业信息(XLSX)", "IN-15", "lawyers-1.xlsx", lawyers)
    cut = made_up.as_xlsx(made_up.lawyers(range(1, 41)), titles)
    held = cast.deliver("bar", "律协次版缺失九成 → 暂挂", "IN-15", "lawyers-2.xlsx", cut)
    if held["status"] == "held":
        ended = cast["officer"].huitong("batch", "reject", held["id"], "--reason", "文件导出不完整")
        cast.batches[-1] = (cast.batches[-1][0], ended)
        say(
            "平台管理岗驳回该版本,已发布数据不变",
            f"the desk rejects it: {ended['status']}; what is served stays",
        )
    marriages = made_up.as_csv(made_up.marriages(range(1, 31)))
    cast.deliver("civil", "民政婚姻登记(只供比对)", "IN-04", "marriages.csv", marriages)


def agency_calls(cast: Cast) -> None:
    """JSON rows by the API, one of them with a wrong day; then another is lifted."""
    rows = made_up.restrictions(range(1, 31))
    rows[sharing.PERSON - 1] |= {"start_date": sharing.WRONG_DAY, "obs_start": sharing.WRONG_DAY}
    for what, sent in (
        ("破产署限制(JSON 接口)", rows),
        ("解除一项限制(接口)", made_up.restrictions(range(3, 4), state="0")),
    ):
        began = time.perf_counter()
        body = {"rows": sent, "mode": "increment"}
        taken = cast["agency"].call("POST", "resources/OUT-02/records", body)
        batch = cast["agency"].huitong("batch", "show", published(cast["agency"], taken["upload_id"]))
        cast.batches.append((what, batch))
        seconds = time.perf_counter() - began
        say(f"{what}:{brief(batch)}", f"{len(sent)} rows by API, published after {seconds:.1f} s")


def published(who: Person, upload: str) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = who.call("GET", f"uploads/{upload}")
        if found["batches"] and found["status"] not in ("waiting", "received", "ingested", "validated"):
            return str(found["batches"][-1]["id"])
        time.sleep(0.1)
    stop("upload", f"{upload} did not end")


def receipts(cast: Cast, subscriptions: dict[str, tuple[str, str]]) -> dict[str, list[dict[str, Any]]]:
    """Until nothing is outstanding; the deliveries of each subscription."""
    end = time.monotonic() + 60
    while time.monotonic() < end and cast["auditor"].huitong("ledger")["pending"]:
        time.sleep(0.3)
    return {
        name: cast[who].huitong("subscription", "deliveries", id)["items"]
        for name, (who, id) in subscriptions.items()
    }


def ask(cast: Cast) -> None:
    """What the court asks about its own data. Who runs the platform reads none of it."""
    for zh, sql in (
        ("各阶段案件数", "SELECT case_stage, count(*) AS cases FROM in_01 GROUP BY case_stage ORDER BY 1"),
        ("IN-01 全部变更", 'SELECT _op, count(*) AS n FROM "in_01$changes" GROUP BY _op ORDER BY 1'),
        ("首版时的案件数", "SELECT count(*) AS cases FROM in_01 FOR VERSION AS OF 1"),
        (
            "隔离的原因",
            'SELECT rule, "column", count(*) AS n FROM "in_01$findings" GROUP BY 1, 2 ORDER BY 1, 2',
        ),
    ):
        say(zh, json.dumps(cast["court"].huitong("sql", sql)["rows"], ensure_ascii=False))
    refused = cast.first.refused("sql", "SELECT count(*) AS n FROM in_01")
    cast.check(
        bool(refused), f"系统管理员不读取业务数据:{refused}", "the administrator reads no business data"
    )


def summary(
    cast: Cast, deliveries: dict[str, list[dict[str, Any]]], inboxes: list[Inbox], on: stack.Stack
) -> None:
    print("\n== 批次 batches ==")
    for what, batch in cast.batches:
        print(f"  {batch['id'][:12]}  {batch['status']:<10} {what}:{brief(batch)}")
    print("\n== 推送与回执 deliveries and receipts ==")
    for name, found in deliveries.items():
        for one in found:
            receipt = json.dumps(one.get("receipt"), ensure_ascii=False)
            print(f"  {name} #{one['n']} {one['status']:<13} {one['count']:>4} events  receipt {receipt}")
    ledger = cast["auditor"].huitong("ledger")
    print("\n== 对账 ledger ==")
    counts = {k: v for k, v in ledger.items() if isinstance(v, int) and not isinstance(v, bool)}
    print("  " + " ".join(f"{k} {v}" for k, v in counts.items()))
    print("\n== 位置 where things are ==")
    for zh, output in PLACES.items():
        print(f"  {zh}: {on.outputs[output]}")
    print(f"  本地文件 files of this run: {on.folder}\n")
    acknowledged = all(one["status"] == "acknowledged" for found in deliveries.values() for one in found)
    refused = [reason for inbox in inboxes for reason in inbox.refused]
    cast.check(acknowledged and not refused, "推送全部有回执", f"every push has its receipt {refused or ''}")
    cast.check(bool(ledger["balanced"]), "账目平衡", "the ledger balances")


def play(cast: Cast, boxes: dict[str, Inbox], receivers: dict[str, Receiver], running: stack.Stack) -> None:
    register(cast)
    standing.complete(cast)
    to_agency = (
        "--endpoint",
        receivers[AGENCY].url,
        "--secret",
        SECRETS[AGENCY],
        "--duty",
        sharing.CASE_WORK,
    )
    to_housing = (
        "--endpoint",
        receivers[HOUSING].url,
        "--secret",
        SECRETS[HOUSING],
        "--duty",
        sharing.ENFORCE,
    )
    pushed = {"案件→破产署": ("agency", cast["agency"].huitong("subscribe", "IN-01", *to_agency)["id"])}
    court_delivers(cast)
    others_deliver(cast)
    agency_calls(cast)
    ask(cast)
    standing.catalogue(cast, ROOT / "schemas" / "catalog" / "entries.yaml")
    application = sharing.apply(cast)
    subscription = sharing.subscribe(cast, to_housing, boxes[HOUSING])
    pushed["限制→住建局(脱敏)"] = ("housing", subscription)
    sharing.ask_in_a_case(cast)
    sharing.compare(cast)
    sharing.correct(cast, boxes[HOUSING], subscription)
    sharing.end_the_case(cast)
    deliveries = receipts(cast, pushed)
    sharing.terminate(cast, application, subscription)
    sharing.evidence(cast)
    quality.show(cast)
    summary(cast, deliveries, list(boxes.values()), running)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="huitong-demo-") as scratch:
        say("启动本地栈", "starting the embedded stack")
        folder = ROOT / ".stack" / "demo"
        shutil.rmtree(folder, ignore_errors=True)
        running = stack.up(folder)
        try:
            say(f"已部署 template.yaml:{running.api_url}", "deployed")
            cast = Cast(Person("first administrator", "", "", running.profile), Path(scratch))
            boxes = {unit: Inbox(verified_by(secret)) for unit, secret in SECRETS.items()}
            with Receiver(boxes[AGENCY]) as agency, Receiver(boxes[HOUSING]) as housing:
                play(cast, boxes, {AGENCY: agency, HOUSING: housing}, running)
        finally:
            running.stop()
    seconds = time.perf_counter() - BEGAN
    say(
        f"完成,用时 {seconds:.0f} 秒" if not cast.missed else f"未达预期:{cast.missed}",
        f"done in {seconds:.0f} s" if not cast.missed else "NOT as expected",
    )
    sys.exit(1 if cast.missed else 0)


if __name__ == "__main__":
    main()
