"""All checks of ``huitong doctor`` in their order, with what to do: data over :mod:`.checks`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from huitong.operating.doctor import checks
from huitong.operating.doctor.checks import Check, Decision
from huitong.operating.doctor.facts import Facts
from huitong.operating.doctor.findings import Advice, Finding


def examine(facts: Facts) -> list[Finding]:
    """All checks, in order. Pure."""
    return [finding for check in CHECKS for finding in check.run(facts)]


def _check(
    id: str, facts: Callable[[Facts], Any], decide: Decision, fine: tuple[str, str], zh: str, en: str
) -> Check:
    return Check(id, facts, decide, fine, Advice(zh, en))


CHECKS: Final[tuple[Check, ...]] = (
    _check(
        "api.reached",
        lambda f: f.api,
        checks.reached,
        ("API 可用", "The API answers"),
        "看网关与 Api 函数的日志;docs/operate/deploy.md",
        "See the gateway's and the Api function's log; docs/operate/deploy.md",
    ),
    _check(
        "api.clock",
        checks.answering(lambda f: f.api),
        checks.skewed,
        ("时钟一致", "The clocks agree"),
        "校准本机时钟",
        "Set this machine's clock by NTP",
    ),
    _check(
        "api.credentials",
        checks.answering(lambda f: f.api.who),
        checks.known,
        ("凭证有效", "The credential works"),
        "重新登录,或由安全管理员发放凭证",
        "Sign in again, or have security issue a credential",
    ),
    _check(
        "api.version",
        checks.answering(lambda f: f.api),
        checks.same_version,
        ("版本一致", "Versions agree"),
        "部署或升级;docs/operate/upgrade.md",
        "Deploy, or upgrade this command line; docs/operate/upgrade.md",
    ),
    _check(
        "api.certificate",
        checks.of_tls,
        checks.certificate,
        ("证书有效", "The certificate holds"),
        "更换证书;docs/operate/rotate-keys.md",
        "Replace the certificate; docs/operate/rotate-keys.md",
    ),
    _check(
        "stack.state",
        lambda f: f.stack,
        checks.stack,
        ("栈完整", "The stack is complete"),
        "看栈的事件;docs/operate/roll-back.md",
        "See the stack's events; docs/operate/roll-back.md",
    ),
    _check(
        "stack.outputs",
        lambda f: f.stack,
        checks.outputs,
        ("输出齐全", "All outputs are there"),
        "以当前模板部署",
        "Deploy the present template",
    ),
    _check(
        "stack.changes",
        lambda f: f.stack,
        checks.changes,
        ("没有待执行的变更", "No change waits"),
        "执行或删除变更集",
        "Execute or delete the change set",
    ),
    _check(
        "function.state",
        lambda f: f.functions,
        checks.functions,
        ("函数可用", "All functions are active"),
        "看函数的最近更新状态,重新部署",
        "See the function's last update status and deploy again",
    ),
    _check(
        "function.runtime",
        lambda f: f.functions,
        checks.runtimes,
        ("运行时受支持", "Runtimes are supported"),
        "以参数 PythonRuntime 升级",
        "Upgrade by the parameter PythonRuntime",
    ),
    _check(
        "queue.redrive",
        lambda f: f.queues,
        checks.redrives,
        ("死信队列齐全", "Every queue has its dead-letter queue"),
        "以当前模板部署",
        "Deploy the present template",
    ),
    _check(
        "queue.dead",
        lambda f: f.queues,
        checks.dead,
        ("没有死信", "No dead letters"),
        "huitong dead-letters show;docs/operate/dead-letters.md",
        "huitong dead-letters show; docs/operate/dead-letters.md",
    ),
    _check(
        "queue.encryption",
        lambda f: f.queues,
        checks.queue_encryption,
        ("队列已加密", "Queues are encrypted"),
        "以当前模板部署",
        "Deploy the present template",
    ),
    _check(
        "mapping.enabled",
        lambda f: f.mappings,
        checks.mappings,
        ("函数在取消息", "Functions take messages"),
        "aws lambda update-event-source-mapping --enabled",
        "aws lambda update-event-source-mapping --enabled",
    ),
    _check(
        "schedule.enabled",
        lambda f: f.schedules,
        checks.schedules,
        ("时钟作业已启用", "Schedules are enabled"),
        "aws events enable-rule",
        "aws events enable-rule",
    ),
    _check(
        "bucket.versions",
        lambda f: f.buckets,
        checks.versioned,
        ("版本控制已开", "Buckets keep versions"),
        "aws s3api put-bucket-versioning",
        "aws s3api put-bucket-versioning",
    ),
    _check(
        "bucket.encryption",
        lambda f: f.buckets,
        checks.encrypted,
        ("存储桶已加密", "Buckets are encrypted by our key"),
        "以当前模板部署",
        "Deploy the present template",
    ),
    _check(
        "bucket.closed",
        lambda f: f.buckets,
        checks.closed,
        ("存储桶不公开", "Buckets are closed to the public"),
        "aws s3api put-public-access-block",
        "aws s3api put-public-access-block",
    ),
    _check(
        "bucket.tls",
        lambda f: f.buckets,
        checks.only_tls,
        ("仅限 TLS", "Buckets take TLS only"),
        "以当前模板部署",
        "Deploy the present template",
    ),
    _check(
        "bucket.lock",
        lambda f: f.buckets,
        checks.locked,
        ("证据已锁定", "Evidence is locked"),
        "对象锁定须在建桶时启用:docs/operate/restore.md",
        "Lock is set when a bucket is made: docs/operate/restore.md",
    ),
    _check(
        "key.enabled",
        lambda f: f.keys,
        checks.keys_on,
        ("主密钥可用", "Master keys are enabled"),
        "取消删除并启用密钥",
        "Cancel the key's deletion and enable it",
    ),
    _check(
        "key.rotation",
        lambda f: f.keys,
        checks.keys_rotate,
        ("主密钥自动更换", "Master keys rotate"),
        "aws kms enable-key-rotation",
        "aws kms enable-key-rotation",
    ),
    _check(
        "table.state",
        lambda f: f.tables,
        checks.tables,
        ("登记表可用", "Tables are active"),
        "看表的状态",
        "See the table's state",
    ),
    _check(
        "table.recovery",
        lambda f: f.tables,
        checks.recoverable,
        ("可按时间点恢复", "Tables recover to any moment"),
        "aws dynamodb update-continuous-backups",
        "aws dynamodb update-continuous-backups",
    ),
    _check(
        "glue.database",
        lambda f: f.glue_database,
        checks.glue,
        ("Glue 数据库存在", "The Glue database is there"),
        "以当前模板部署",
        "Deploy the present template",
    ),
    _check(
        "athena.workgroup",
        lambda f: f.workgroup,
        checks.workgroup,
        ("Athena 工作组可用", "Athena's work group is enabled"),
        "以当前模板部署",
        "Deploy the present template",
    ),
    _check(
        "alarm.raised",
        lambda f: f.alarms,
        checks.alarms,
        ("没有告警", "No alarm is raised"),
        "告警说明指向手册",
        "The alarm's description names the runbook",
    ),
    _check(
        "alarm.actions",
        lambda f: f.alarms,
        checks.alarm_actions,
        ("告警均通知", "Alarms tell somebody"),
        "以当前模板部署",
        "Deploy the present template",
    ),
    _check(
        "parts.state",
        checks.answering(lambda f: f.api.page),
        checks.page,
        ("各部分正常", "All parts are well"),
        "huitong status",
        "huitong status",
    ),
    _check(
        "parts.first_run",
        checks.answering(lambda f: f.api.page),
        checks.first_runs,
        ("时钟作业均已成功,或部署未满一天", "All jobs have succeeded, or the deployment is of today"),
        "看该函数的日志与时钟作业",
        "See the function's log and its schedule",
    ),
    _check(
        "ledger.balance",
        checks.answering(lambda f: f.api.balanced),
        checks.balance,
        ("对账平衡", "The ledger balances"),
        "huitong ledger --resource …;docs/operate/incident.md",
        "huitong ledger --resource …; docs/operate/incident.md",
    ),
    _check(
        "evidence.chains",
        checks.answering(lambda f: f.api.broken_chains),
        checks.chains,
        ("证据链完好", "The chains fit"),
        "huitong audit verify;docs/operate/incident.md",
        "huitong audit verify; docs/operate/incident.md",
    ),
    _check(
        "units.late",
        checks.answering(lambda f: f.api.late),
        checks.late,
        ("无单位逾期", "No unit is late"),
        "联系单位;docs/supervision.md",
        "Ask the unit; docs/supervision.md",
    ),
    _check(
        "secrets.keys",
        checks.answering(lambda f: f.api.keys),
        checks.key_age,
        ("密钥均在一年内", "Keys are younger than a year"),
        "huitong keys rotate;docs/operate/rotate-keys.md",
        "huitong keys rotate; docs/operate/rotate-keys.md",
    ),
    _check(
        "secrets.credentials",
        checks.answering(lambda f: f.api.credentials),
        checks.credential_age,
        ("凭证均在一年内", "Credentials are younger than a year"),
        "发放新凭证,停用旧的;docs/operate/rotate-keys.md",
        "Issue new ones, end the old; docs/operate/rotate-keys.md",
    ),
)
