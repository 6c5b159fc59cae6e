"""Rules for rights and parameters: nobody may do everything, and nothing is left unexplained."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).parent))  # cfn-lint loads each file by itself
from _shape import Finding, Shape, listed, rule, statements

_LOG_DELIVERY = "delivery of logs by AWS has no resource of its own (Service Authorization Reference)"
#: action → why it has no resource to name. Nothing else may be allowed on "*".
ANY_RESOURCE = {
    "logs:CreateLogDelivery": _LOG_DELIVERY,
    "logs:GetLogDelivery": _LOG_DELIVERY,
    "logs:UpdateLogDelivery": _LOG_DELIVERY,
    "logs:DeleteLogDelivery": _LOG_DELIVERY,
    "logs:ListLogDeliveries": _LOG_DELIVERY,
    "logs:PutResourcePolicy": _LOG_DELIVERY,
    "logs:DescribeResourcePolicies": _LOG_DELIVERY,
    "logs:DescribeLogGroups": _LOG_DELIVERY,
}


def _policies(shape: Shape) -> Iterator[tuple[str, Any]]:
    """Policies of functions, state machines and roles, as far as they are written here."""
    for name, told in shape.resources.items():
        properties = told.get("Properties", {})
        if str(told.get("Type", "")).startswith("AWS::Serverless::"):
            yield from (
                (name, one) for one in listed(properties.get("Policies", [])) if isinstance(one, dict)
            )
        elif told.get("Type") == "AWS::IAM::Role":
            yield from ((name, one["PolicyDocument"]) for one in listed(properties.get("Policies", [])))
        elif told.get("Type") in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            yield name, properties["PolicyDocument"]


def _may_do_everything(shape: Shape) -> Iterator[Finding]:
    for name, document in _policies(shape):
        for told in statements(document):
            actions = listed(told.get("Action", "*"))
            for action in actions:
                if "*" in str(action):
                    yield ["Resources", name], f"{name} may do {action}: name the actions"
            if told["Effect"] != "Allow" or set(actions) <= set(ANY_RESOURCE):
                continue
            for resource in listed(told.get("Resource", "*")):
                if _is_anything(resource):
                    yield ["Resources", name], f"{name} may do {', '.join(actions)} on {resource}"


def _is_anything(resource: Any) -> bool:
    """ "*", or an ARN whose resource part is nothing but a star."""
    text = (
        resource
        if isinstance(resource, str)
        else str(resource.get("Fn::Sub", ""))
        if isinstance(resource, dict)
        else ""
    )
    return text == "*" or (text.startswith("arn:") and text.split(":", 5)[-1].strip() == "*")


def _unexplained(shape: Shape) -> Iterator[Finding]:
    interface = shape.template.get("Metadata", {}).get("AWS::CloudFormation::Interface", {})
    grouped = [name for group in interface.get("ParameterGroups", []) for name in group["Parameters"]]
    for name, told in shape.template.get("Parameters", {}).items():
        if not told.get("Description"):
            yield ["Parameters", name], f"{name} has no description"
        if grouped.count(name) != 1:
            yield (
                ["Parameters", name],
                f"{name} stands in {grouped.count(name)} groups of parameters, not in one",
            )
    for name in sorted(set(grouped) - set(shape.template.get("Parameters", {}))):
        yield ["Metadata"], f"{name} stands in a group and is no parameter"


MayDoEverything = rule(
    "E9131",
    "No policy names all actions or all resources",
    "Least privilege (S-08): what a function cannot do, nobody can make it do.",
    _may_do_everything,
)
Unexplained = rule(
    "E9132",
    "Every parameter is described and stands in one group",
    "Who deploys sees the groups in the console and in docs/deploy.md; W2001 of cfn-lint finds unused ones.",
    _unexplained,
)
