"""Where the emulators differ from AWS, and what is done about each: the one place that knows.

The product is written for AWS. Deployment, demo and tests ask here instead of knowing emulators;
docs/run-locally.md shows :func:`table`, and a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Name = Literal["ministack", "localstack"]
BOTH: tuple[Name, ...] = ("ministack", "localstack")


@dataclass(frozen=True, slots=True)
class Difference:
    id: str
    emulators: tuple[Name, ...]
    zh: str  # what is not as on AWS
    en: str
    done_zh: str  # what we do about it
    done_en: str

    @property
    def reason(self) -> str:
        return f"{'/'.join(self.emulators)}: {self.zh} / {self.en}"


def known(id: str) -> Difference:
    """Raises KeyError."""
    return next((d for d in DIFFERENCES if d.id == id), None) or _unknown(id)


def holds(id: str, emulator: str) -> bool:
    """Whether that emulator has the difference. Raises KeyError."""
    return emulator in known(id).emulators


def table() -> str:
    """Markdown, for docs/run-locally.md."""
    lines = [
        "| id | MiniStack | LocalStack | 与 AWS 不同 / not as on AWS | 处理 / what we do |",
        "|---|---|---|---|---|",
    ]
    for d in DIFFERENCES:
        has = " | ".join("✗" if name in d.emulators else "—" for name in BOTH)
        lines.append(f"| `{d.id}` | {has} | {d.zh}<br>{d.en} | {d.done_zh}<br>{d.done_en} |")
    return "\n".join(lines) + "\n"


def _unknown(id: str) -> Difference:
    raise KeyError(f"no difference is called {id}")


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "plain-http",
        BOTH,
        "只有 HTTP,不能要求 TLS",
        "Plain HTTP: TLS cannot be demanded",
        "模板中只允许 TLS 的策略以 OnAws 为条件",
        "The template's TLS-only policies have the condition OnAws",
    ),
    Difference(
        "glue-database",
        BOTH,
        "模板中的 Glue 数据库不随栈建立(条件 OnAws)",
        "The template's Glue database is not made with the stack (condition OnAws)",
        "部署后由 deployment.py 建立",
        "deployment.py makes it after the deployment",
    ),
    Difference(
        "object-lock",
        ("ministack",),
        "模板中的对象锁定被忽略,API 有效",
        "Object lock in the template is ignored; the call for it works",
        "部署后由 deployment.py 设置",
        "deployment.py sets it after the deployment",
    ),
    Difference(
        "bucket-settings",
        BOTH,
        "模板中的 KMS 加密、生命周期、按时间点恢复不生效",
        "KMS encryption, lifecycle and point-in-time recovery of the template have no effect",
        "由 tests/template 检查模板",
        "tests/template checks the template",
    ),
    Difference(
        "unplaced-actions",
        ("ministack",),
        "glue:GetDatabase 的权限只认资源 *",
        "A permission for glue:GetDatabase counts for resource * only",
        "部署后为函数角色补一条策略",
        "Functions' roles get one more policy after the deployment",
    ),
    Difference(
        "unknown-resources",
        ("localstack",),
        "不认识的资源类型被跳过,只留一条警告",
        "A resource of an unknown type is skipped with a warning",
        "host_mode 补上所用到的类型",
        "host_mode knows the types that the template makes here",
    ),
    Difference(
        "empty-change-set",
        ("localstack",),
        "没有变化的变更集可以执行,并耗时半分钟",
        "A change set without changes can be executed, and takes half a minute",
        "由 deployment.py 删除而不执行",
        "deployment.py deletes it instead",
    ),
    Difference(
        "no-iam",
        ("localstack",),
        "不执行 IAM 策略",
        "IAM policies are not evaluated",
        "最小权限由 MiniStack 上的同一组测试证明",
        "Least privilege is proven by the same tests on MiniStack",
    ),
    Difference(
        "no-state",
        ("localstack",),
        "停止后不保留状态",
        "Nothing is kept over a stop",
        "make up 总是从空栈开始",
        "make up always begins with an empty stack",
    ),
    Difference(
        "no-scheduler",
        ("localstack",),
        "EventBridge Scheduler 从不触发",
        "EventBridge Scheduler never fires",
        "模板用定时规则,两者都会触发",
        "The template has rules on a schedule, which fire on both",
    ),
    Difference(
        "eager-rules",
        ("localstack",),
        "定时规则每个周期触发不止一次",
        "A rule on a schedule fires more than once a period",
        "时钟任务重复执行不改变结果",
        "The clock's jobs change nothing when repeated",
    ),
    Difference(
        "gateway-texts",
        BOTH,
        "网关的 401、403 不用模板中的正文",
        "401 and 403 of the gateway have not the template's bodies",
        "客户端只看状态码;应用自己的错误有完整正文",
        "Clients go by the status; the application's own errors are whole",
    ),
    Difference(
        "no-preflight",
        ("ministack",),
        "CORS 预检没有跨域响应头",
        "A CORS preflight has no CORS headers",
        "由 tests/template 检查模板",
        "tests/template checks the template",
    ),
    Difference(
        "encoded-slash",
        ("ministack",),
        "路径参数中的 %2F 在路由前被解码:403",
        "%2F in a path parameter is decoded before routing: 403",
        "没有测试依赖它",
        "No test relies on it",
    ),
    Difference(
        "key-encoding",
        ("localstack",),
        "S3 事件的键把空格写成 %20,AWS 写成 +",
        "A key in an S3 event has %20 for a space, + on AWS",
        "接收端两种都解码",
        "The intake decodes both",
    ),
    Difference(
        "conditional-delete",
        ("localstack",),
        "带 If-Match 的删除未实现",
        "Deleting an object under If-Match is not implemented",
        "产品不依赖它",
        "The product does not rely on it",
    ),
    Difference(
        "log-retention",
        ("localstack",),
        "日志组的保留期不生效",
        "The retention of log groups has no effect",
        "由 tests/template 检查模板",
        "tests/template checks the template",
    ),
    Difference(
        "no-limits",
        ("ministack",),
        "不执行内存上限和 6 MB 响应上限",
        "Memory size and the 6 MB of an answer are not enforced",
        "LocalStack 的 process 执行器执行两者",
        "LocalStack's executor process enforces both",
    ),
    Difference(
        "one-machine",
        BOTH,
        "分布式 Map 的各子执行都在本机运行",
        "All children of a distributed map run on this machine",
        "deployment.py 将状态机的 MaxConcurrency 改为 2",
        "deployment.py sets MaxConcurrency of state machines to 2",
    ),
    Difference(
        "task-errors",
        ("ministack",),
        "函数任务的错误名总是 Runtime.HandlerError,GiveUp 也被重试",
        "A task's error is always called Runtime.HandlerError: GiveUp is tried again, too",
        "只是多试几次,结果相同",
        "Some more attempts; the outcome is the same",
    ),
    Difference(
        "map-run-children",
        ("localstack",),
        "分布式 Map 的子执行不能列出",
        "The child executions of a distributed map are not listed",
        "测试改看函数日志",
        "The test reads the function's log instead",
    ),
    Difference(
        "made-up-athena",
        ("localstack",),
        "Athena 返回编造的结果",
        "Athena's results are made up",
        "Athena API 的测试只在 MiniStack 上运行",
        "Tests of Athena's API run on MiniStack only",
    ),
    Difference(
        "no-athena",
        ("ministack",),
        "Athena 没有 Trino,用 DuckDB 执行原文",
        "Athena has no Trino: the text is run on DuckDB",
        "本地查询用 DuckDB;Athena 的 SQL 由一致性清单检查",
        "Queries run on DuckDB here; Athena's SQL is held against a list",
    ),
)


def main() -> None:
    """Write the table into docs/run-locally.md."""
    page = Path(__file__).resolve().parents[1] / "docs" / "run-locally.md"
    before, mark, rest = page.read_text().partition("this table -->\n")
    _, end, after = rest.partition("<!-- /differences -->")
    page.write_text(before + mark + table() + end + after)


if __name__ == "__main__":
    main()
