"""Rules for queues, topics, rules of events and state machines: nothing that was told may be lost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # cfn-lint loads each file by itself
from _shape import Finding, Shape, listed, named, only_tls, rule, statements

QUEUE = "AWS::SQS::Queue"
#: Each is counted apart: an execution that runs out of time has not "failed".
_BAD_ENDS = ("ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted")


def _dead_letters(shape: Shape) -> set[str]:
    """Queues into which others give up: by redrive, as dead letters of events, or of failed runs."""
    found: set[str] = set()
    for told in shape.resources.values():
        found |= _given_up_into(told.get("Properties", {}))
    return found & set(shape.of_type(QUEUE))


def _given_up_into(value: object) -> set[str]:
    if isinstance(value, list):
        return {name for one in value for name in _given_up_into(one)}
    if not isinstance(value, dict):
        return set()
    found: set[str] = set()
    for key, told in value.items():
        if key in ("RedrivePolicy", "DeadLetterConfig", "DeadLetterQueue", "OnFailure"):
            found |= named(told)
        else:
            found |= _given_up_into(told)
    return found


def _loses_messages(shape: Shape) -> Iterator[Finding]:
    queues, dead = shape.of_type(QUEUE), _dead_letters(shape)
    for name, queue in queues.items():
        path, target = ["Resources", name], named(queue.get("RedrivePolicy"))
        if name not in dead and not target:
            yield path, f"{name} has no dead-letter queue"
        if any(queues.get(t, {}).get("FifoQueue") != queue.get("FifoQueue") for t in target):
            yield path, f"{name} and its dead-letter queue are not of one kind"
        if queue.get("MessageRetentionPeriod", 0) < 14 * 24 * 3600:
            yield path, f"{name} forgets messages before fourteen days"


def _waits_unseen(shape: Shape) -> Iterator[Finding]:
    dead = _dead_letters(shape)
    deep = shape.alarmed("AWS/SQS", "ApproximateNumberOfMessagesVisible")
    late = shape.alarmed("AWS/SQS", "ApproximateAgeOfOldestMessage")
    for name in shape.of_type(QUEUE):
        if name in dead and name not in deep:
            yield ["Resources", name], f"{name} has no alarm on its messages"
        if name not in dead and name not in late:
            yield ["Resources", name], f"{name} has no alarm on the age of its oldest message"


def _is_open(shape: Shape) -> Iterator[Finding]:
    policies = shape.of_type("AWS::SQS::QueuePolicy").values()
    for name, queue in shape.of_type(QUEUE).items():
        path = ["Resources", name]
        if not named(queue.get("KmsMasterKeyId")) & set(shape.of_type("AWS::KMS::Key")):
            yield path, f"{name} is not sealed with a key of this template"
        own = [p["PolicyDocument"] for p in policies if name in named(p.get("Queues"))]
        if len(own) != 1:
            yield path, f"{name} has {len(own)} policies: it needs one, and a second would replace it"
        elif not only_tls(own[0]):
            yield path, f"{name} may be reached without TLS"
    topics = shape.of_type("AWS::SNS::TopicPolicy").values()
    for name, topic in shape.of_type("AWS::SNS::Topic").items():
        if "KmsMasterKeyId" not in topic:
            yield ["Resources", name], f"{name} is not sealed with a key of this template"
        if not any(only_tls(p["PolicyDocument"]) for p in topics if name in named(p.get("Topics"))):
            yield ["Resources", name], f"{name} may be reached without TLS"


def _events_get_lost(shape: Shape) -> Iterator[Finding]:
    queues = set(shape.of_type(QUEUE))
    heard = {
        queue
        for policy in shape.of_type("AWS::SQS::QueuePolicy").values()
        for queue in named(policy.get("Queues"))
        for told in statements(policy["PolicyDocument"])
        if told["Effect"] == "Allow"
        and isinstance(told.get("Principal"), dict)
        and "events.amazonaws.com" in listed(told["Principal"].get("Service", []))
    }
    for name, told in shape.of_type("AWS::Events::Rule").items():
        for target in told.get("Targets", []):
            if "DeadLetterConfig" not in target:
                yield ["Resources", name], f"{name}: an event that does not arrive is lost (DeadLetterConfig)"
            for queue in (named(target.get("Arn")) | named(target.get("DeadLetterConfig"))) & queues - heard:
                yield ["Resources", name], f"{name}: the policy of {queue} does not let EventBridge send"


def _machine_fails_in_silence(shape: Shape) -> Iterator[Finding]:
    for name, machine in shape.of_type("AWS::Serverless::StateMachine").items():
        path = ["Resources", name]
        for metric in _BAD_ENDS:
            if name not in shape.alarmed("AWS/States", metric):
                yield path, f"{name} has no alarm on {metric}"
        if not machine.get("Tracing", {}).get("Enabled"):
            yield path, f"{name} is not traced"
        if not machine.get("Logging", {}).get("Destinations"):
            yield path, f"{name} does not log"
        elif "Policies" in machine and "logs:CreateLogDelivery" not in str(machine["Policies"]):
            yield path, f"{name} has no right to log (logs:CreateLogDelivery): it could not be made"


LosesMessages = rule(
    "E9111",
    "Every queue gives up into a dead-letter queue of its kind",
    "Without one a message that cannot be handled comes back until it expires, and is gone.",
    _loses_messages,
)
WaitsUnseen = rule(
    "E9112",
    "Dead letters raise an alarm, and so do messages that grow old",
    "A queue that nobody watches is a queue in which data of people are forgotten.",
    _waits_unseen,
)
IsOpen = rule(
    "E9113",
    "Queues and topics are sealed with our own key and speak TLS only",
    "S-22 and S-24: on every hop, at rest too, under a key that can be withdrawn.",
    _is_open,
)
EventsGetLost = rule(
    "E9114",
    "Every target of a rule keeps what does not arrive, and its queue lets EventBridge send",
    "EventBridge drops an event after a day of trying, and at once where it has no right.",
    _events_get_lost,
)
MachineFailsInSilence = rule(
    "E9115",
    "Every state machine is logged, traced and watched",
    "An execution that failed is otherwise only seen by who looks for it.",
    _machine_fails_in_silence,
)
