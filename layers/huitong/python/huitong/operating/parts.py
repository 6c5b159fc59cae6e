"""The parts that the platform consists of, each monitored and deployable by itself (Q-05): data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Step:
    """``every``: minutes after which a step that the clock starts is missed; 0 = it is not the clock's."""

    id: str
    zh: str
    en: str
    every: int = 0


@dataclass(frozen=True, slots=True)
class Part:
    id: str
    zh: str
    en: str
    queues: tuple[str, ...]
    steps: tuple[Step, ...]


PARTS: Final[tuple[Part, ...]] = (
    Part(
        "aggregation", "归集", "Aggregation", ("ingest",),
        (Step("ingest_file", "接收文件", "Taking in files"),),
    ),
    Part(
        "governance", "治理", "Governance", ("validate", "compare"),
        (
            Step("validate_batch", "校验", "Checks"),
            Step("compare_batch", "比对与发布", "Comparison and publication"),
            # written by the commit, which has had an answer of every part
            Step("commit_comparison", "分片比对与提交", "Comparison in parts and its commit"),
            Step("run_schedule.minute", "每分钟作业", "Job of each minute", every=5),
            Step("run_schedule.hour", "每小时作业", "Job of each hour", every=125),
            Step("maintain_tables", "表维护", "Maintenance of tables", every=26 * 60),
        ),
    ),
    Part(
        "service", "服务", "Service", ("push", "waiting"),
        (Step("push_changes", "推送", "Pushes"),),
    ),
    Part(
        "security", "安全", "Security, used by all", (),
        (Step("archive_evidence", "证据归档", "Archive of evidence", every=125),),
    ),
)  # fmt: skip
