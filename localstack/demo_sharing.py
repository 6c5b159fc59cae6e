"""One whole sharing: applied for, decided field by field, pushed masked, corrected, accounted for, ended."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TypeVar

import demo_data as made_up
from demo_data import AGENCY, FIRM, HOUSING, case_no, citizen_id
from demo_people import Cast, Person, stop
from receiver import Inbox

T = TypeVar("T")
#: Statutory duties, as they are registered.
CASE_WORK, ENFORCE = "case-work", "enforce-restrictions"
#: The person whose records are followed: number in the made-up data.
PERSON = 7
WRONG_DAY, RIGHT_DAY = "2025-03-01", "2025-04-01"
ASKED = ("case_no", "id_no", "person_name", "restrict_type", "start_date", "state", "obs_end", "updated_at")
GIVEN = tuple(name for name in ASKED if name != "obs_end")
PLAIN = ("restrict_type", "start_date")  # of level 3, given unmasked; names and numbers stay masked


def apply(cast: Cast) -> str:
    """Filed, reviewed inside the own unit, decided field by field by the owner, provided; the application."""
    asker, chief, owner = cast["housing-applicant"], cast["housing-approver"], cast["agency-approver"]
    users = ",".join(cast[name].id for name in ("housing", "housing-applicant"))
    ends = (date.today() + timedelta(days=200)).isoformat()
    filed = asker.huitong(
        "application", "file", "OUT-02", "--fields", ",".join(ASKED), "--unmasked", ",".join(PLAIN),
        "--purpose", "执行行为限制", "--matter", "购房资格审核", "--duty", ENFORCE, "--users", users,
        "--methods", "push,pull,sql", "--to", ends, "--reason", "依法执行限制",
    )  # fmt: skip
    step = ("application", "step", str(filed["id"]))
    asker.huitong(*step, "submit")
    alone = asker.refused(*step, "send")
    sent = chief.huitong(*step, "send")
    decision = {"approved": GIVEN, "unmasked": PLAIN, "refused": {"obs_end": "超出所需"}}
    owner.huitong(*step, "decide", "--given", json.dumps(decision, ensure_ascii=False))
    active = owner.huitong(*step, "provide")
    sheet = asker.huitong("application", "sheet", str(filed["id"]))
    cast.check(
        bool(alone) and active["state"] == "active" and bool(sheet),
        f"共享申请:单位内部由他人审核,数源单位逐项决定({len(GIVEN)} 项同意、1 项拒绝,答复期限 "
        f"{sent['clocks']['answer']['due']}),已提供并有实施单",
        "application: reviewed by another, decided field by field, provided, with its implementation sheet",
    )
    return str(filed["id"])


def subscribe(cast: Cast, options: tuple[str, ...], inbox: Inbox) -> str:
    """A push from a snapshot on, under the grant alone: its fields, its masks."""
    made = cast["housing"].huitong("subscribe", "OUT-02", *options, "--start", "snapshot")
    stream = inbox.stream(made["id"])
    _until(lambda: len(stream.rows) >= 30)
    rows = list(stream.rows.values())
    names, numbers = {row["person_name"] for row in rows}, {row["id_no"] for row in rows}
    plain = {citizen_id(n) for n in range(1, 31)}
    masked = all(name.startswith("甲*") for name in names) and not numbers & plain
    cast.check(
        masked and len(rows) == 30 and all(set(row) == set(GIVEN) for row in rows),
        f"住建局收到 {len(rows)} 行,仅获批字段,姓名证件已脱敏(如 {min(names)} {min(numbers)})",
        "the receiver has the granted fields only, names and numbers masked; signature and digest fit",
    )
    return str(made["id"])


def ask_in_a_case(cast: Cast) -> None:
    """An administrator's case officer asks about the debtor's cars: not without the case, then with it."""
    shown = _until(lambda: cast["lawyer"].huitong("case", "list")["items"])
    number, sql = case_no(PERSON), "SELECT plate_no, person_name, id_no FROM in_12"
    cast.check(
        number in {one["case_no"] for one in shown},
        f"法院发布后案件登记簿已有 {len(shown)} 件由该管理人办理",
        "what the court published filled the case register",
    )
    before = cast["lawyer"].refused("sql", sql, "--case", number, "--purpose", "核对财产")
    with tempfile.NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as persons:
        persons.write(f"id_no,relation,name\n{citizen_id(PERSON)},debtor,甲{PERSON:03}\n")
        persons.flush()
        asked = cast["lawyer"].huitong(
            "request", "file", "IN-12", "--fields", "plate_no,person_name,id_no", "--purpose", "核对财产申报",
            "--case", number, "--persons", persons.name,
        )  # fmt: skip
    cast["partner"].huitong("request", "step", asked["id"], "check")
    cast["police-approver"].huitong("request", "step", asked["id"], "approve", "--unmasked", "plate_no")
    without = cast["lawyer"].refused("sql", sql, "--purpose", "核对财产")
    rows = cast["lawyer"].huitong("sql", sql, "--case", number, "--purpose", "核对财产")["rows"]
    answer = json.dumps(rows, ensure_ascii=False)
    cast.check(
        bool(before and without) and [row["plate_no"] for row in rows] == [f"粤B{PERSON:05}"],
        f"查询核对:批准前、未指明案号时被拒({without});指明案号后只得本案 1 行 {answer}",
        "refused before approval and without the case; with it one row of 300",
    )


def compare(cast: Cast) -> None:
    """Comparison without release: claims in, agree, differ or unknown out."""
    number = case_no(PERSON)
    cast.first.huitong(
        "grant", "put", FIRM, "IN-04", "--basis", "深民函〔2026〕8号", "--case", number, "--methods",
        "comparison", "--purpose", "核对婚姻",
    )  # fmt: skip
    claims = (
        f"id_no,spouse_name,reg_date,divorce_date\n{citizen_id(PERSON)},丁{PERSON:03},2011-05-10,2020-01-01\n"
    )
    told = cast["lawyer"].huitong(
        "verify", "IN-04", "-", "--key", "id_no", "--case", number, "--purpose", "核对婚姻", stdin=claims
    )
    read = cast["lawyer"].refused("sql", "SELECT * FROM in_04", "--case", number, "--purpose", "核对婚姻")
    result = told["items"][0]
    cast.check(
        result == {"spouse_name": "agree", "reg_date": "differ", "divorce_date": "unknown"} and bool(read),
        f"数据不落地比对:{json.dumps(result)};读取数据则被拒",
        "comparison gives results and no value; reading is refused",
    )


def correct(cast: Cast, inbox: Inbox, subscription: str) -> None:
    """A wrong day was pushed: reported, corrected by an ordinary delivery, told, acknowledged, closed."""
    row, receiver = made_up.restrictions(range(PERSON, PERSON + 1))[0], cast["housing"]
    held = _row(inbox, subscription, row["case_no"])["start_date"]
    filed = receiver.huitong(
        "correction", "file", "OUT-02", "--key", f"case_no={row['case_no']}", "--key",
        f"restrict_type={row['restrict_type']}", "--fields", "start_date", "--wrong", "起始日早于受理裁定",
        "--duty", ENFORCE,
    )  # fmt: skip
    for step in (("accept",), ("examine", "--given", "finding=属实")):
        cast["agency"].huitong("correction", "step", filed["id"], *step)
    options = ("--mode", "increment", "--ticket", filed["id"])
    right = made_up.as_csv([row])
    cast.deliver("agency", "更正交付(附校核单号)", "OUT-02", "correction.csv", right, *options)
    arrived = _until(lambda: _row(inbox, subscription, row["case_no"])["start_date"] == RIGHT_DAY)
    told = _until(lambda: _told(receiver)) or stop("correction", "the recipient was not told")
    receiver.huitong("notice", "ack", told[0]["id"], "--remark", "本单位已更正")
    closed = _until(lambda: receiver.huitong("correction", "show", filed["id"])["state"] == "closed")
    report = receiver.huitong("correction", "report", filed["id"])
    cast.check(
        held == WRONG_DAY and arrived and len(told) == 1 and closed and report["result"] == "corrected",
        f"更正:错误值 {held} 已推送 → 校核单 → 更正 {RIGHT_DAY} 到达 → 通知并确认 → 办结报告",
        "a wrong value that was pushed is corrected, reaches who had it, is acknowledged and reported on",
    )


def end_the_case(cast: Cast) -> None:
    """The court closes the case: from its publication on nothing is asked in it any more."""
    row = made_up.cases(range(PERSON, PERSON + 1), stage="80")[0] | {
        "stage_time": "2026-01-04T10:00:00+08:00"
    }
    cast.deliver("court", "法院终结该案", "IN-01", "closed.csv", made_up.as_csv([row]), "--mode", "increment")
    number = case_no(PERSON)
    _until(lambda: cast["lawyer"].huitong("case", "show", number)["stage"] == "80")
    sql = ("sql", "SELECT plate_no FROM in_12", "--case", number, "--purpose", "核对财产")
    refused = cast["lawyer"].refused(*sql)
    cast.check(
        bool(refused), f"案件终结后查询被拒:{refused}", "after the end of the case its query is refused"
    )


def terminate(cast: Cast, application: str, subscription: str) -> None:
    """The sharing ends: later calls are refused, and on record."""
    given = json.dumps({"reason": "不再需要"}, ensure_ascii=False)
    cast["housing-approver"].huitong("application", "step", application, "give_up", "--given", given)
    refused = cast["housing"].refused("changes", "OUT-02", "--duty", ENFORCE)
    status = cast["housing"].huitong("subscription", "show", subscription)["status"]
    kept = cast["auditor"].huitong("audit", "list", "--unit", HOUSING, "--act", "refuse")["items"]
    cast.check(
        bool(refused) and status == "cancelled" and bool(kept),
        f"终止共享:订阅即时取消,后续调用被拒({refused})并留痕",
        "the sharing ends: subscription cancelled, later calls refused and on record",
    )


def evidence(cast: Cast) -> None:
    """Who received this person's record; the chain holds; one changed character is found, offline."""
    auditor = cast["auditor"]
    found = auditor.huitong("audit", "recipients", stdin=f"{citizen_id(PERSON)}\n")["items"]
    print("\n== 谁收到过此人的记录 who received this person's record ==")
    for one in found:
        told = (one["at"][:19], one["unit"], f"{one['path']:<10}", f"{one['resource']:<6}", one["grant"])
        print(" ", *told, ",".join(one["fields"]))
    ways = {(one["unit"], one["resource"], one["path"]) for one in found}
    wanted = {
        (HOUSING, "OUT-02", "push"), (AGENCY, "IN-01", "push"), (FIRM, "IN-12", "sql"),
        (FIRM, "IN-04", "comparison"),
    }  # fmt: skip
    cast.check(
        wanted <= ways,
        f"此人记录的使用共 {len(found)} 次:单位、字段、授权、时间俱在",
        f"{len(found)} uses of this person's records, with unit, fields, grant and time",
    )
    whole = auditor.huitong("audit", "verify")
    cast.check(
        not whole["findings"],
        f"留痕链核验:{whole['entries']} 条记录完整",
        f"the chain of {whole['entries']} records verifies",
    )
    with tempfile.TemporaryDirectory() as folder:
        auditor.huitong("audit", "export", folder)
        sound = auditor.huitong("audit", "verify", "--file", folder)["findings"]
        _tamper(Path(folder))
        broken = auditor.huitong("audit", "verify", "--file", folder, exit_code=1)["findings"]
    one = broken[0]
    cast.check(
        not sound and len(broken) == 1,
        f"导出副本改动一个字符即被发现:分片 {one['shard']} 第 {one['n']} 条 {one['zh']}",
        f"one character changed in an exported copy is found: {one['shard']}/{one['n']} {one['en']}",
    )


def _tamper(folder: Path) -> None:
    """Somebody else did it: the actor of one record, one character changed."""
    chain = max(folder.glob("chain-*.ndjson"), key=lambda path: path.stat().st_size)
    lines = chain.read_text(encoding="utf-8").splitlines(keepends=True)
    entry = json.loads(lines[len(lines) // 2])
    actor = entry["record"]["actor"]
    entry["record"]["actor"] = ("0" if actor[:1] != "0" else "1") + actor[1:]
    lines[len(lines) // 2] = json.dumps(entry, ensure_ascii=False) + "\n"
    chain.write_text("".join(lines), encoding="utf-8")


def _row(inbox: Inbox, subscription: str, number: str) -> dict[str, Any]:
    return next(r for r in inbox.stream(subscription).rows.values() if r["case_no"] == number)


def _told(who: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = who.huitong("notice", "list", "--unread")["items"]
    return [one for one in found if one["kind"] == "correction_notice.tell"]


def _until(look: Callable[[], T], seconds: float = 60) -> T:
    """What is looked for, once it is there; the last look when the time is over."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found or time.monotonic() > end:
            return found
        time.sleep(0.2)
