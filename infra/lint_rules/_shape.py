"""What the rules of this folder ask of a template; the rules themselves stand in the other files.

cfn-lint gives them the template with loops written out and SAM's globals merged, before SAM makes plain
resources of it. A rule is a function from :class:`Shape` to pairs of a path and a message.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch

Finding = tuple[list[str], str]
_SUB = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[A-Za-z]+)?\}")


class Shape:
    """A template's resources, and who names whom."""

    def __init__(self, template: dict[str, Any], filename: str = "") -> None:
        self.template = template
        self.filename = filename
        self.resources: dict[str, Any] = {
            name: told for name, told in template.get("Resources", {}).items() if isinstance(told, dict)
        }

    def of_type(self, kind: str) -> dict[str, Any]:
        """Logical id → properties."""
        return {
            name: told.get("Properties", {})
            for name, told in self.resources.items()
            if told.get("Type") == kind
        }

    def alarmed(self, namespace: str, metric: str) -> set[str]:
        """Logical ids in the dimensions of alarms on the metric that tell somebody."""
        found: set[str] = set()
        for alarm in self.of_type("AWS::CloudWatch::Alarm").values():
            if (alarm.get("Namespace"), alarm.get("MetricName")) == (namespace, metric) and alarm.get(
                "AlarmActions"
            ):
                found |= named(alarm.get("Dimensions", []))
        return found


def named(value: Any) -> set[str]:
    """Logical ids in a value: of Ref, Fn::GetAtt and Fn::Sub, however deep."""
    if isinstance(value, list):
        return {name for one in value for name in named(one)}
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, told in value.items():
        if key == "Ref" and isinstance(told, str):
            found.add(told)
        elif key == "Fn::GetAtt":
            found.add(told[0] if isinstance(told, list) else str(told).split(".")[0])
        elif key == "Fn::Sub":
            text, *values = listed(told)
            found |= set(_SUB.findall(text)) | named(values)
        else:
            found |= named(told)
    return found


def statements(document: Any) -> Iterator[dict[str, Any]]:
    """The statements of a policy, those under a condition too."""
    for told in listed((document or {}).get("Statement", [])):
        for one in told["Fn::If"][1:] if "Fn::If" in told else [told]:
            if "Effect" in one:
                yield one


def only_tls(document: Any) -> bool:
    """Whether everybody is refused who comes without TLS (S-22)."""
    return any(
        told["Effect"] == "Deny"
        and told.get("Principal") in ("*", {"AWS": "*"})
        and told.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport") in ("false", False)
        for told in statements(document)
    )


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def rule(
    id: str, short: str, why: str, finds: Callable[[Shape], Iterator[Finding]]
) -> type[CloudFormationLintRule]:
    """A rule for cfn-lint: assign it to a name of the module, by which cfn-lint finds it."""

    def match(_: CloudFormationLintRule, cfn: Any) -> list[RuleMatch]:
        shape = Shape(cfn.template, str(cfn.filename or ""))
        return [RuleMatch(path, message) for path, message in finds(shape)]

    told = {"id": id, "shortdesc": short, "description": why, "tags": ["huitong"], "match": match}
    return type(f"Rule{id}", (CloudFormationLintRule,), told)
