"""The template's alarms on our own figures are those of huitong.operating.metrics (Q-05)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "localstack"))
from artifacts import read_template  # noqa: E402
from huitong.operating.metrics import ALARMS, NAMESPACE, Alarm  # noqa: E402

RESOURCES: dict[str, Any] = read_template((ROOT / "template.yaml").read_text())["Resources"]
OURS = {
    id: resource["Properties"]
    for id, resource in RESOURCES.items()
    if resource["Type"] == "AWS::CloudWatch::Alarm" and resource["Properties"].get("Namespace") == NAMESPACE
}


def test_there_is_an_alarm_for_each_and_no_other() -> None:
    assert sorted(OURS) == sorted(alarm.id for alarm in ALARMS)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.id)
def test_an_alarm_looks_at_its_figure_and_tells_somebody(alarm: Alarm) -> None:
    told = OURS[alarm.id]
    found = tuple(
        told[name]
        for name in (
            "MetricName",
            "Statistic",
            "Period",
            "EvaluationPeriods",
            "Threshold",
            "TreatMissingData",
        )
    )
    assert found == (alarm.metric, alarm.statistic, alarm.period, alarm.periods, alarm.above, alarm.silence)
    assert told["ComparisonOperator"] == "GreaterThanThreshold"
    assert told["AlarmDescription"] == f"{alarm.zh} / {alarm.en}"
    assert told["Dimensions"] == [{"Name": "service", "Value": {"Ref": "AWS::StackName"}}]
    assert told["AlarmActions"] == [{"Ref": "AlertTopic"}]


def test_functions_measure_under_the_name_that_alarms_look_for() -> None:
    variables = read_template((ROOT / "template.yaml").read_text())["Globals"]["Function"]["Environment"][
        "Variables"
    ]
    assert variables["POWERTOOLS_SERVICE_NAME"] == {"Ref": "AWS::StackName"}


def test_the_api_knows_every_dead_letter_queue() -> None:
    told = RESOURCES["ApiFunction"]["Properties"]["Environment"]["Variables"]["DEAD_LETTER_QUEUES"]
    named = {text["Fn::Sub"].partition("${")[2].rstrip("}") for text in told["Fn::Join"][1]}
    letters = {
        id for id, one in RESOURCES.items() if one["Type"] == "AWS::SQS::Queue" and id.endswith("DeadLetters")
    }
    assert named == letters


def test_no_function_may_touch_a_backup() -> None:
    """S-25: what a function can write, a fault or an intruder in it can spoil."""
    for id, resource in RESOURCES.items():
        if resource["Type"] == "AWS::Serverless::Function":
            text = repr(resource["Properties"].get("Policies", ""))
            assert "backup" not in text.lower(), id
            assert "DeleteBucket" not in text, id
