"""The checks of ``huitong doctor``: each a small pure decision over facts, with what to do (Q-05, L-54).

On an emulator some of what is wrong is the emulator's: it does not keep what the template says
(:data:`NOT_OF_EMULATORS`). There such a finding becomes "not checkable here"; a good answer stays one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from huitong import __version__
from huitong.operating.doctor.facts import Facts, Unseen
from huitong.operating.doctor.findings import Advice, Finding, Wrong, told, unseen

Decision = Callable[[Any, Facts], Iterator[Wrong]]
_OUTPUTS: Final = (
    "ApiId", "RegisterTable", "EvidenceTable", "LandingBucket", "StagingBucket", "WarehouseBucket",
    "EvidenceBucket", "EventBus", "DataKey",
)  # fmt: skip
_SKEW: Final = 5.0
_FIRST_DAY: Final = timedelta(hours=27)
_SOON: Final = timedelta(days=30)
_KEY_AGE: Final = timedelta(days=365)
_CREDENTIAL_AGE: Final = timedelta(days=365)
#: Runtimes that AWS still mends; older ones get no security updates.
_RUNTIMES: Final = ("python3.12", "python3.13", "python3.14")
#: What emulators do not keep although the template says so.
NOT_OF_EMULATORS: Final = frozenset(
    {"bucket.encryption", "bucket.tls", "bucket.closed", "key.rotation", "table.recovery", "function.runtime",
     "queue.encryption", "alarm.actions", "athena.workgroup"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Check:
    """``facts`` picks what it is about, ``decide`` yields what is wrong with it."""

    id: str
    facts: Callable[[Facts], Any]
    decide: Decision
    fine: tuple[str, str]
    advice: Advice

    def run(self, facts: Facts) -> Iterator[Finding]:
        picked = self.facts(facts)
        if isinstance(picked, Unseen):
            yield unseen(self.id, picked)
            return
        for finding in told(self.id, self.decide(picked, facts), self.advice, self.fine):
            if facts.emulator and finding.severity != "ok" and self.id in NOT_OF_EMULATORS:
                yield unseen(self.id, Unseen("模拟器不保存此项", "the emulator does not keep this"))
                return
            yield finding


def reached(api: Any, _facts: Facts) -> Iterator[Wrong]:
    if api.status != 200:
        said = f"HTTP {api.status}" if api.status else "没有回答 no answer"
        yield Wrong(f"API 不可用:{said}", f"The API does not work: {said}", api.url)


def skewed(api: Any, _facts: Facts) -> Iterator[Wrong]:
    if api.skew_seconds is not None and abs(api.skew_seconds) > _SKEW:
        seconds = round(api.skew_seconds, 1)
        yield Wrong(f"时钟相差 {seconds} 秒", f"The clocks differ by {seconds} seconds")


def known(who: Mapping[str, Any], _facts: Facts) -> Iterator[Wrong]:
    if not who.get("roles"):
        yield Wrong("凭证没有有效的角色", "The credential has no role in force", str(who.get("id", "")))


def same_version(api: Any, _facts: Facts) -> Iterator[Wrong]:
    if api.version and api.version != __version__:
        yield Wrong(
            f"部署的版本是 {api.version},命令行是 {__version__}",
            f"The deployment has version {api.version}, this command line {__version__}",
            severity="warning",
        )


def certificate(api: Any, facts: Facts) -> Iterator[Wrong]:
    ends = datetime.fromisoformat(api.certificate_ends)
    left = ends - now(facts)
    if left <= timedelta(0):
        yield Wrong(f"证书已于 {ends:%F} 到期", f"The certificate ended on {ends:%F}", api.url)
    elif left < _SOON:
        zh, en = f"证书将于 {ends:%F} 到期", f"The certificate ends on {ends:%F}"
        yield Wrong(zh, en, api.url, "warning")


def stack(stack: Any, _facts: Facts) -> Iterator[Wrong]:
    if stack.status not in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"):
        yield Wrong(f"栈处于 {stack.status}", f"The stack is {stack.status}", stack.name)
    for id in stack.incomplete:
        yield Wrong(f"资源 {id} 未完成", f"Resource {id} is not complete", id)


def outputs(stack: Any, _facts: Facts) -> Iterator[Wrong]:
    for name in _OUTPUTS:
        if not stack.outputs.get(name):
            yield Wrong(f"栈没有输出 {name}", f"The stack has no output {name}", name)


def changes(stack: Any, _facts: Facts) -> Iterator[Wrong]:
    for name in stack.waiting_changes:
        yield Wrong(f"变更 {name} 尚未执行", f"Change set {name} was not executed", name, "warning")


def functions(functions: Any, _facts: Facts) -> Iterator[Wrong]:
    if not functions:
        yield Wrong("没有函数", "There are no functions")
    for one in functions:
        if one.state not in ("Active", "Inactive") or one.updated not in ("Successful", ""):
            said = f"{one.state}/{one.updated}"
            yield Wrong(f"函数处于 {said}", f"The function is {said}", one.name)


def runtimes(functions: Any, _facts: Facts) -> Iterator[Wrong]:
    for one in functions:
        if one.runtime not in _RUNTIMES:
            yield Wrong(
                f"运行时 {one.runtime} 过旧", f"Runtime {one.runtime} is too old", one.name, "warning"
            )


def redrives(queues: Any, _facts: Facts) -> Iterator[Wrong]:
    targets = {queue.dead_letters_to for queue in queues}
    arns = {queue.arn for queue in queues}
    for queue in queues:
        if not queue.dead_letters_to and queue.arn not in targets and "DeadLetters" not in queue.name:
            yield Wrong("队列没有死信队列", "The queue has no dead-letter queue", queue.name)
        elif queue.dead_letters_to and queue.dead_letters_to not in arns:
            yield Wrong("死信队列不存在", "Its dead-letter queue does not exist", queue.name)


def dead(queues: Any, _facts: Facts) -> Iterator[Wrong]:
    for queue in queues:
        if queue.waits and "DeadLetters" in queue.name:
            zh, en = f"{queue.waits} 条死信", f"{queue.waits} dead letters"
            yield Wrong(zh, en, queue.name, "warning")


def queue_encryption(queues: Any, _facts: Facts) -> Iterator[Wrong]:
    for queue in queues:
        if not queue.encrypted:
            yield Wrong("队列未加密", "The queue is not encrypted", queue.name)


def mappings(mappings: Any, _facts: Facts) -> Iterator[Wrong]:
    if not mappings:
        yield Wrong("没有函数从队列取消息", "No function takes messages of a queue")
    for one in mappings:
        if one.state not in ("Enabled", "Creating", "Enabling", "Updating"):
            yield Wrong(
                f"函数不再从 {one.queue} 取消息:{one.state}",
                f"It takes no messages of {one.queue}: {one.state}",
                one.function,
            )


def schedules(schedules: Any, _facts: Facts) -> Iterator[Wrong]:
    if not any(one.clock for one in schedules):
        yield Wrong("没有时钟作业", "Nothing is started by the clock")
    for one in schedules:
        if one.state != "ENABLED":
            yield Wrong("规则已停用", "The rule is disabled", one.name)
        elif not one.targets:
            yield Wrong("规则没有目标", "The rule starts nothing", one.name)


def machines(machines: Any, _facts: Facts) -> Iterator[Wrong]:
    for one in machines:
        if one.status != "ACTIVE":
            said = one.status or "不存在 none"
            yield Wrong(f"状态机处于 {said}", f"The state machine is {said}", one.name)


def executions(machines: Any, facts: Facts) -> Iterator[Wrong]:
    for one in machines:
        late = [at for at in one.ended_badly if now(facts) - datetime.fromisoformat(at) < _FIRST_DAY]
        if late:
            zh, en = (
                f"近一日有 {len(late)} 次执行未完成,最近 {max(late)}",
                f"{len(late)} executions did not end well within a day, the last at {max(late)}",
            )
            yield Wrong(zh, en, one.name, "warning")


def versioned(buckets: Any, _facts: Facts) -> Iterator[Wrong]:
    for bucket in buckets:
        if not bucket.versioned:
            yield Wrong("存储桶没有版本控制", "The bucket keeps no versions", bucket.name)


def encrypted(buckets: Any, _facts: Facts) -> Iterator[Wrong]:
    for bucket in buckets:
        if bucket.encryption != "aws:kms":
            said = bucket.encryption or "未加密 none"
            yield Wrong(f"加密方式为 {said}", f"Its encryption is {said}, not by our key", bucket.name)


def closed(buckets: Any, _facts: Facts) -> Iterator[Wrong]:
    for bucket in buckets:
        if not bucket.closed:
            yield Wrong("存储桶可被公开", "The bucket may be made public", bucket.name)


def only_tls(buckets: Any, _facts: Facts) -> Iterator[Wrong]:
    for bucket in buckets:
        if not bucket.only_tls:
            yield Wrong("存储桶接受未加密连接", "The bucket takes connections without TLS", bucket.name)


def locked(buckets: Any, _facts: Facts) -> Iterator[Wrong]:
    for bucket in buckets:
        if bucket.must_lock and not bucket.locked:
            yield Wrong("证据桶没有对象锁定", "The evidence bucket has no object lock", bucket.name)


def keys_on(keys: Any, _facts: Facts) -> Iterator[Wrong]:
    for key in keys:
        if key.state != "Enabled":
            yield Wrong(f"密钥处于 {key.state}", f"The key is {key.state}", key.id)


def keys_rotate(keys: Any, _facts: Facts) -> Iterator[Wrong]:
    for key in keys:
        if key.may_rotate and not key.rotates:
            yield Wrong("主密钥不自动更换", "The master key does not rotate", key.id, "warning")


def tables(tables: Any, _facts: Facts) -> Iterator[Wrong]:
    for table in tables:
        if table.status not in ("ACTIVE", "UPDATING"):
            yield Wrong(f"表处于 {table.status}", f"The table is {table.status}", table.name)


def recoverable(tables: Any, _facts: Facts) -> Iterator[Wrong]:
    for table in tables:
        if not table.recovers:
            yield Wrong("表没有时间点恢复", "The table has no point-in-time recovery", table.name)


def alarms(alarms: Any, _facts: Facts) -> Iterator[Wrong]:
    for alarm in alarms:
        if alarm.state == "ALARM":
            yield Wrong("告警中", "The alarm is raised", alarm.name, "warning")


def alarm_actions(alarms: Any, _facts: Facts) -> Iterator[Wrong]:
    for alarm in alarms:
        if not alarm.tells:
            yield Wrong("告警不通知任何人", "The alarm tells nobody", alarm.name, "warning")


def glue(there: bool, _facts: Facts) -> Iterator[Wrong]:
    if not there:
        yield Wrong("没有 Glue 数据库", "There is no Glue database")


def workgroup(state: str, _facts: Facts) -> Iterator[Wrong]:
    if state != "ENABLED":
        said = state or "不存在 none"
        yield Wrong(f"Athena 工作组:{said}", f"Athena's work group: {said}", severity="warning")


def page(page: Any, _facts: Facts) -> Iterator[Wrong]:
    for part in page.get("parts", ()):
        for trouble in part.get("troubles", ()):
            if trouble["state"] == "unknown":
                continue
            severity = "error" if trouble["state"] == "failing" else "warning"
            yield Wrong(trouble["zh"], trouble["en"], part["id"], severity)  # type: ignore[arg-type]


def first_runs(page: Any, facts: Facts) -> Iterator[Wrong]:
    """Missing successes are told when the deployment is older than the slowest job."""
    if isinstance(facts.stack, Unseen) or not old(facts.stack.created, facts):
        return
    for part in page.get("parts", ()):
        for trouble in part.get("troubles", ()):
            if trouble["state"] == "unknown":
                yield Wrong(trouble["zh"], trouble["en"], part["id"], "warning")


def balance(balanced: bool, _facts: Facts) -> Iterator[Wrong]:
    if not balanced:
        yield Wrong("对账不平", "The ledger does not balance")


def chains(broken: Any, _facts: Facts) -> Iterator[Wrong]:
    for shard in broken:
        yield Wrong(f"证据链 {shard} 断裂", f"Chain {shard} of the evidence does not fit", str(shard))


def late(late: Any, _facts: Facts) -> Iterator[Wrong]:
    for one in late:
        yield Wrong("逾期未报送", "Not delivered in time", one, "warning")


def key_age(keys: Mapping[str, str], facts: Facts) -> Iterator[Wrong]:
    for name, made in keys.items():
        if made and now(facts) - datetime.fromisoformat(made) > _KEY_AGE:
            zh, en = f"密钥自 {made[:10]} 未更换", f"The key is of {made[:10]}"
            yield Wrong(zh, en, name, "warning")


def credential_age(credentials: Mapping[str, str], facts: Facts) -> Iterator[Wrong]:
    for name, made in credentials.items():
        if made and now(facts) - datetime.fromisoformat(made) > _CREDENTIAL_AGE:
            zh, en = f"凭证自 {made[:10]} 未更换", f"The credential is of {made[:10]}"
            yield Wrong(zh, en, name, "warning")


def old(created: str, facts: Facts) -> bool:
    return bool(created) and now(facts) - datetime.fromisoformat(created) > _FIRST_DAY


def now(facts: Facts) -> datetime:
    return datetime.fromisoformat(facts.at)


def of_tls(facts: Facts) -> Any:
    if not facts.api.certificate_ends:
        return Unseen("连接没有 TLS", "the connection has no TLS")
    return facts.api


def answering(pick: Callable[[Facts], Any]) -> Callable[[Facts], Any]:
    """What only an API that answers can tell."""
    down = Unseen("API 没有回答", "the API does not answer")
    return lambda facts: pick(facts) if facts.api.status == 200 else down
