"""`make demo`: the main job on a stack of its own, from registration to receipts; ends by itself.

Everything is done as a user would: with the ``huitong`` command line, against
the HTTPS API of the deployed template. Two receiving units listen on this machine.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import demo_data as made_up
import stack
from demo_data import AGENCY, BAR, COURT, HOUSING, POLICE
from receiver import Inbox, Receiver, verified_by

ROOT = Path(__file__).resolve().parents[1]
HUITONG = Path(sys.executable).with_name("huitong")
SECRETS = {AGENCY: "whsec_" + "QUdFTkNZ" * 4, HOUSING: "whsec_" + "SE9VU0lO" * 4}
UNITS = {
    COURT: "深圳市中级人民法院", POLICE: "深圳市公安局", BAR: "深圳市律师协会",
    AGENCY: "深圳市破产事务管理署", HOUSING: "深圳市住房和建设局",
}  # fmt: skip
PLACES = {
    "原始文件 landing": "LandingBucket",
    "暂存与隔离 staging": "StagingBucket",
    "数据仓库 warehouse": "WarehouseBucket",
}
RESOURCES = ("IN-01", "IN-12", "IN-15", "OUT-02")


def say(zh: str, en: str) -> None:
    print(f"[{time.perf_counter() - BEGAN:5.1f} s] {zh} / {en}", flush=True)


BEGAN = time.perf_counter()


class Demo:
    def __init__(self, profile: Path, folder: Path) -> None:
        self.folder = folder
        self.profile = profile
        self.environment = {**os.environ, "HUITONG_PROFILE": str(profile)}
        self.batches: list[tuple[str, dict[str, Any]]] = []

    def huitong(self, *words: str) -> dict[str, Any]:
        """One command; its JSON. A refusal ends the demo, a rejected or held batch does not."""
        done = subprocess.run(
            [str(HUITONG), *words, "--json"],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        try:
            answer: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            sys.exit(f"huitong {' '.join(words)}\n{done.stdout}\n{done.stderr}")
        if done.returncode and "received" not in answer:
            sys.exit(f"huitong {' '.join(words)}\n{json.dumps(answer, ensure_ascii=False, indent=1)}")
        return answer

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One request as a unit's own system would make it."""
        known = json.loads(self.profile.read_text())
        request = urllib.request.Request(
            f"{known['api_url']}/v1/{path}",
            data=json.dumps(body).encode() if body is not None else None,
            headers={"authorization": f"Bearer {known['token']}", "content-type": "application/json"},
            method=method,
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            told: dict[str, Any] = json.load(answer)
            return told

    def deliver(self, what: str, resource: str, name: str, content: bytes, *options: str) -> dict[str, Any]:
        file = self.folder / name
        file.write_bytes(content)
        batch = self.huitong("upload", str(file), "--resource", resource, "--wait", *options)
        self.batches.append((what, batch))
        say(f"{what}:{brief(batch)}", f"{resource} {name} → {batch['status']}")
        return batch


def brief(batch: dict[str, Any]) -> str:
    names = (
        "received",
        "accepted",
        "quarantined",
        "duplicate",
        "inserted",
        "updated",
        "deleted",
        "unchanged",
    )
    return " ".join(f"{name} {batch[name]}" for name in names if batch[name])


def register(demo: Demo, agency: Receiver, housing: Receiver) -> dict[str, str]:
    """Units, contracts, an import profile, grants and subscriptions; subscription ids by what they are."""
    for code, name in UNITS.items():
        demo.huitong("unit", "put", code, name)
    for id in RESOURCES:
        demo.huitong("contract", "put", str(ROOT / "schemas" / f"{id}.yaml"))
    say("已登记 5 个单位、4 项数据契约", "5 units and 4 contracts registered")
    demo.huitong(
        "grant", "put", AGENCY, "IN-01", "--unmasked", "debtor_name,debtor_id_no", "--purpose", "案件办理"
    )
    demo.huitong(
        "grant", "put", HOUSING, "OUT-02", "--fields", "case_no,person_name,restrict_type,state,updated_at"
    )
    to_agency = ("--endpoint", agency.url, "--secret", SECRETS[AGENCY], "--unit", AGENCY)
    to_housing = ("--endpoint", housing.url, "--secret", SECRETS[HOUSING], "--unit", HOUSING)
    return {
        "案件→破产署": demo.huitong("subscribe", "IN-01", *to_agency)["id"],
        "限制→住建局(姓名脱敏)": demo.huitong("subscribe", "OUT-02", *to_housing)["id"],
    }


def court_delivers(demo: Demo) -> None:
    """CSV in UTF-8: an edition, the next with changes and broken rows, the same file again."""
    first = made_up.cases(range(1, 201))
    demo.deliver("法院首版(UTF-8 CSV)", "IN-01", "cases-1.csv", made_up.as_csv(first))
    second = [row for row in made_up.cases(range(1, 221)) if row["case_no"] not in {first[7]["case_no"]}]
    for row in second[20:35]:
        row |= {"case_stage": "31", "stage_time": "2025-05-06T09:30:00+08:00"}
    second[50] |= {"debtor_id_no": "440304190002280013"}  # wrong check digit
    second[60] |= {"accept_date": "2023-02-29"}  # no such day
    second[70] |= {"procedure_type": "9"}  # not in the code set
    demo.deliver("法院次版(3 行有误)", "IN-01", "cases-2.csv", made_up.as_csv(second))
    demo.deliver("同一文件重复报送", "IN-01", "cases-2.csv", made_up.as_csv(second))


def police_delivers(demo: Demo) -> None:
    """CSV in GB18030: nobody says so, the platform finds out."""
    rows = made_up.vehicles(range(1, 301))
    demo.deliver("公安车辆(GB18030 CSV)", "IN-12", "vehicles-1.csv", made_up.as_csv(rows, "gb18030"))
    rows[5] |= {"seizure_flag": "1"}
    demo.deliver("公安车辆次版", "IN-12", "vehicles-2.csv", made_up.as_csv(rows[:-2], "gb18030"))


def bar_delivers(demo: Demo) -> None:
    """XLSX with a title above Chinese headings; an edition with most rows missing is held, then rejected."""
    titles = made_up.titles_of("IN-15")
    demo.deliver(
        "律协执业信息(XLSX)",
        "IN-15",
        "lawyers-1.xlsx",
        made_up.as_xlsx(made_up.lawyers(range(1, 401)), titles),
    )
    cut = made_up.as_xlsx(made_up.lawyers(range(1, 41)), titles)
    held = demo.deliver("律协次版缺失九成 → 暂挂", "IN-15", "lawyers-2.xlsx", cut)
    if held["status"] == "held":
        ended = demo.huitong("batch", "reject", held["id"], "--reason", "文件导出不完整")
        demo.batches[-1] = (demo.batches[-1][0], ended)
        say(
            "质量官驳回该版本,已发布数据不变",
            f"the officer rejects it: {ended['status']}; what is served stays",
        )


def agency_calls(demo: Demo) -> None:
    """JSON rows by the API; then one of them is lifted, which must travel at once."""
    for what, rows in (
        ("破产署限制(JSON 接口)", made_up.restrictions(range(1, 31))),
        ("解除一项限制(接口)", made_up.restrictions(range(3, 4), state="0")),
    ):
        began = time.perf_counter()
        taken = demo.call("POST", "resources/OUT-02/records", {"rows": rows, "mode": "increment"})
        batch = demo.huitong("batch", "show", wait_for_batch(demo, taken["upload_id"]))
        demo.batches.append((what, batch))
        say(
            f"{what}:{brief(batch)}",
            f"{len(rows)} rows by API, published after {time.perf_counter() - began:.1f} s",
        )


def wait_for_batch(demo: Demo, upload: str) -> str:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = demo.call("GET", f"uploads/{upload}")
        if found["batches"] and found["status"] not in ("waiting", "received", "ingested", "validated"):
            return str(found["batches"][-1]["id"])
        time.sleep(0.1)
    sys.exit(f"upload {upload} did not end")


def wait_for_receipts(demo: Demo, subscriptions: dict[str, str]) -> dict[str, dict[str, Any]]:
    """Until nothing is outstanding; the deliveries of each subscription."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        ledger = demo.huitong("ledger")
        if not ledger["pending"]:
            break
        time.sleep(0.3)
    return {name: demo.huitong("subscription", "deliveries", id) for name, id in subscriptions.items()}


def ask(demo: Demo) -> None:
    """What an analyst would ask."""
    for zh, sql in (
        ("各阶段案件数", "SELECT case_stage, count(*) AS cases FROM in_01 GROUP BY case_stage ORDER BY 1"),
        ("IN-01 全部变更", 'SELECT _op, count(*) AS n FROM "in_01$changes" GROUP BY _op ORDER BY 1'),
        ("首版时的案件数", "SELECT count(*) AS cases FROM in_01 FOR VERSION AS OF 1"),
        (
            "隔离的原因",
            'SELECT rule, "column", count(*) AS n FROM "in_01$findings" GROUP BY 1, 2 ORDER BY 1, 2',
        ),
    ):
        rows = demo.huitong("sql", sql)["rows"]
        say(zh, json.dumps(rows, ensure_ascii=False))


def summary(demo: Demo, deliveries: dict[str, dict[str, Any]], inboxes: list[Inbox], on: stack.Stack) -> bool:
    print("\n== 批次 batches ==")
    for what, batch in demo.batches:
        print(f"  {batch['id'][:12]}  {batch['status']:<10} {what}:{brief(batch)}")
    print("\n== 推送与回执 deliveries and receipts ==")
    for name, found in deliveries.items():
        for one in found["items"]:
            receipt = json.dumps(one.get("receipt"), ensure_ascii=False)
            print(f"  {name} #{one['n']} {one['status']:<13} {one['count']:>4} events  receipt {receipt}")
    refused = [reason for inbox in inboxes for reason in inbox.refused]
    print(f"  接收端拒收 refused by the receivers: {len(refused)} {refused or ''}")
    ledger = demo.huitong("ledger")
    print("\n== 对账 ledger ==")
    print(
        "  "
        + " ".join(f"{k} {v}" for k, v in ledger.items() if isinstance(v, int) and not isinstance(v, bool))
    )
    print(f"  平衡 balanced: {ledger['balanced']}")
    print("\n== 位置 where things are ==")
    for zh, output in PLACES.items():
        print(f"  {zh}: {on.outputs[output]}")
    print(f"  本地文件 files of this run: {on.folder}")
    acknowledged = all(
        one["status"] == "acknowledged" for found in deliveries.values() for one in found["items"]
    )
    return bool(ledger["balanced"]) and acknowledged and not refused


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="huitong-demo-") as scratch:
        say("启动本地栈", "starting the embedded stack")
        folder = ROOT / ".stack" / "demo"
        shutil.rmtree(folder, ignore_errors=True)
        running = stack.up(folder)
        try:
            say(f"已部署 template.yaml:{running.api_url}", "deployed")
            demo = Demo(running.profile, Path(scratch))
            boxes = [Inbox(verified_by(SECRETS[AGENCY])), Inbox(verified_by(SECRETS[HOUSING]))]
            with Receiver(boxes[0]) as agency, Receiver(boxes[1]) as housing:
                subscriptions = register(demo, agency, housing)
                court_delivers(demo)
                police_delivers(demo)
                bar_delivers(demo)
                agency_calls(demo)
                deliveries = wait_for_receipts(demo, subscriptions)
                ask(demo)
                well = summary(demo, deliveries, boxes, running)
        finally:
            running.stop()
    say("完成" if well else "未达预期", "done" if well else "NOT as expected")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()
