"""What is measured of a deployment, and which of it raises an alarm: data, no effect.

Written as CloudWatch's embedded metric format by :mod:`huitong.telemetry`. There is one dimension, the
deployment (``service``), and one more, ``step``, where steps are compared: resources and units stand in the
log lines, where they cost nothing. A test compares :data:`ALARMS` with template.yaml, both ways.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

NAMESPACE: Final = "Huitong"
Unit = Literal["Count", "Seconds", "Milliseconds"]
Statistic = Literal["Sum", "Maximum"]


@dataclass(frozen=True, slots=True)
class Metric:
    """``step``: it has the step as second dimension."""

    name: str
    unit: Unit
    zh: str
    en: str
    step: bool = False


@dataclass(frozen=True, slots=True)
class Alarm:
    """Raised when the statistic of one ``period`` (seconds) is above ``above``, ``periods`` times in a row.

    ``silence``: what no figures mean; those of the clock's own job must not be silent.
    """

    id: str  # logical id in template.yaml
    metric: str
    above: int
    zh: str
    en: str
    statistic: Statistic = "Sum"
    period: int = 300
    periods: int = 1
    silence: Literal["notBreaching", "breaching"] = "notBreaching"


METRICS: Final[Mapping[str, Metric]] = {
    one.name: one
    for one in (
        Metric("RowsReceived", "Count", "收到的行", "Rows that were read from deliveries"),
        Metric("RowsAccepted", "Count", "通过的行", "Rows that passed the checks"),
        Metric("RowsQuarantined", "Count", "隔离的行", "Rows that went to quarantine"),
        Metric("RowsPublished", "Count", "发布的变更", "Rows inserted, updated or deleted by a publication"),
        Metric("Findings", "Count", "质量问题", "Violations that were found, warnings included"),
        Metric("BatchesPublished", "Count", "发布的批次", "Batches that were published"),
        Metric("BatchesHeld", "Count", "暂挂的批次", "Batches that wait for a decision"),
        Metric("BatchesFailed", "Count", "失败的批次", "Batches whose step was given up"),
        Metric("StepDuration", "Milliseconds", "步骤耗时", "Time of one message of a step", step=True),
        Metric("StepFailures", "Count", "步骤失败", "Messages that failed and come again", step=True),
        Metric("StepsGivenUp", "Count", "放弃的步骤", "Messages that went to a dead-letter queue"),
        Metric("DeliveriesAcknowledged", "Count", "已回执的推送", "Deliveries with a receipt"),
        Metric("DeliveryAttemptsFailed", "Count", "未成的推送尝试", "Attempts without a receipt"),
        Metric("DeliveriesFailed", "Count", "失败的推送", "Deliveries that failed for good"),
        Metric(
            "OldestPendingPush", "Seconds", "最久未达的推送", "Age of the oldest delivery without receipt"
        ),
        Metric("OldestPendingBatch", "Seconds", "最久在途的批次", "Age of the oldest batch that still moves"),
        Metric("UnitsLate", "Count", "逾期的单位", "Units that did not deliver in time"),
        Metric("LedgerImbalances", "Count", "对账不平", "Equations of the ledger that do not hold"),
        Metric("EvidenceFailures", "Count", "留痕失败", "Evidence that could not be written"),
        Metric("EvidenceBroken", "Count", "证据链断裂", "Places where a chain of evidence does not fit"),
        Metric("RequestsRefused", "Count", "被拒的请求", "Requests answered with 401, 403 or 429"),
        Metric("RequestsFailed", "Count", "失败的请求", "Requests answered with 5xx"),
    )
}

#: Kinds of events that count by themselves (:mod:`huitong.telemetry`).
OF_EVENTS: Final[Mapping[str, str]] = {
    "BatchFailed": "BatchesFailed",
    "StepGivenUp": "StepsGivenUp",
    "DeliveryFailed": "DeliveriesFailed",
    "UnitLate": "UnitsLate",
    "LedgerImbalance": "LedgerImbalances",
    "EvidenceFailing": "EvidenceFailures",
    "EvidenceBroken": "EvidenceBroken",
}

ALARMS: Final[tuple[Alarm, ...]] = (
    Alarm("BatchesFailedAlarm", "BatchesFailed", 0, "有批次失败",
          "A batch failed: docs/operate/dead-letters.md"),
    Alarm("DeliveriesFailedAlarm", "DeliveriesFailed", 0, "有推送失败",
          "A delivery failed for good and its subscription stands: docs/operate/dead-letters.md"),
    Alarm("OldestPendingPushAlarm", "OldestPendingPush", 3_600, "推送滞后一小时以上或时钟作业停止",
          "A delivery waits for more than an hour, or the clock's job stands still",
          statistic="Maximum", periods=3, silence="breaching"),
    Alarm("OldestPendingBatchAlarm", "OldestPendingBatch", 3_600, "批次在途一小时以上",
          "A batch has been under way for more than an hour", statistic="Maximum"),
    Alarm("LedgerImbalanceAlarm", "LedgerImbalances", 0, "对账不平", "The ledger does not balance"),
    Alarm("EvidenceFailuresAlarm", "EvidenceFailures", 0, "留痕失败,L3/L4 业务被拒绝",
          "Evidence cannot be written: acts on personal data are refused"),
    Alarm("EvidenceBrokenAlarm", "EvidenceBroken", 0, "证据链断裂",
          "A chain of evidence does not fit: docs/operate/incident.md"),
    Alarm("RequestsRefusedAlarm", "RequestsRefused", 200, "被拒请求过多,疑似攻击",
          "Many refused requests: somebody may be trying: docs/operate/incident.md"),
    Alarm("RequestsFailedAlarm", "RequestsFailed", 5, "请求失败", "Requests end in faults of the platform"),
)  # fmt: skip
