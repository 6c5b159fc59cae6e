"""Where the emulators differ from AWS, and what is done about each: the one place that knows.

The product is written for AWS. Deployment, demo and tests ask here instead of knowing emulators;
docs/run-locally.md shows :func:`table`, and a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass
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
        "plain-http", BOTH,
        "只有 HTTP,不能要求 TLS", "Plain HTTP: TLS cannot be demanded",
        "模板中只允许 TLS 的桶策略以 OnAws 为条件", "The template's TLS-only bucket policies have the condition OnAws",
    ),
    Difference(
        "glue-database", BOTH,
        "模板中的 Glue 数据库不随栈建立", "The Glue database of the template is not made with the stack",
        "部署后由 deployment.py 建立", "deployment.py makes it after the deployment",
    ),
    Difference(
        "object-lock", ("ministack",),
        "模板中的对象锁定被忽略,API 有效", "Object lock in the template is ignored; the call for it works",
        "部署后由 deployment.py 设置", "deployment.py sets it after the deployment",
    ),
    Difference(
        "unplaced-actions", ("ministack",),
        "glue:GetDatabase 的权限只认资源 *", "A permission for glue:GetDatabase counts for resource * only",
        "部署后为函数角色补一条策略", "Roles of functions get one more policy after the deployment",
    ),
    Difference(
        "one-machine", BOTH,
        "分布式映射的各分片都在本机运行", "All parts of a distributed map run on this machine",
        "deployment.py 将状态机的 MaxConcurrency 改为 2", "deployment.py sets MaxConcurrency of state machines to 2",
    ),
    Difference(
        "task-errors", ("ministack",),
        "函数任务的错误名总是 Runtime.HandlerError,GiveUp 也被重试", "A task's error is always called Runtime.HandlerError: GiveUp is tried again, too",
        "只是多试几次,结果相同", "Some more attempts; the outcome is the same",
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
        "no-iam", ("localstack",),
        "不执行 IAM 策略", "IAM policies are not evaluated",
        "最小权限由 MiniStack 上的同一组测试证明", "Least privilege is proven by the same tests on MiniStack",
    ),
    Difference(
        "no-state", ("localstack",),
        "停止后不保留状态", "Nothing is kept over a stop",
        "make up 总是从空栈开始", "make up always begins with an empty stack",
    ),
)  # fmt: skip
