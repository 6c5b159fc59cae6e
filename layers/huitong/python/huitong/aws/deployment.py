"""What ``huitong doctor`` reads of a stack on AWS, with the rights of the person who asks. Reads only."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from huitong.operating.doctor.facts import (
    AlarmFact,
    BucketFact,
    FunctionFact,
    KeyFact,
    MachineFact,
    MappingFact,
    QueueFact,
    ScheduleFact,
    Seen,
    StackFacts,
    TableFact,
    Unseen,
)
from huitong.ports import timestamp

T = TypeVar("T")
#: How an execution ends that did not end well.
_BADLY: Final = ("FAILED", "TIMED_OUT", "ABORTED")
#: Answers that mean "there is none", each of another call.
_NONE: Final = frozenset(
    {
        "EntityNotFoundException",
        "NoSuchBucketPolicy",
        "NoSuchPublicAccessBlockConfiguration",
        "ObjectLockConfigurationNotFoundError",
        "ResourceNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
    }
)


class Deployment:
    """One stack. ``clients`` makes a client of a service."""

    def __init__(self, name: str, clients: Callable[[str], Any]) -> None:
        self._name = name
        self._client = clients
        self._known: dict[str, list[str]] | None = None

    @classmethod
    def at(cls, name: str, *, endpoint: str = "", region: str = "") -> Deployment:
        """With the credentials that the AWS tools find; an emulator takes any."""
        given = {"aws_access_key_id": "test", "aws_secret_access_key": "test"} if endpoint else {}
        session = boto3.Session(region_name=region or ("us-east-1" if endpoint else None), **given)
        config = Config(connect_timeout=3, read_timeout=20, retries={"total_max_attempts": 2})
        return cls(
            name, lambda service: session.client(service, endpoint_url=endpoint or None, config=config)
        )

    def stack(self) -> Seen[StackFacts]:
        return _seen(self._stack)

    def functions(self) -> Seen[tuple[FunctionFact, ...]]:
        return _seen(lambda: tuple(self._function(name) for name in self._of("AWS::Lambda::Function")))

    def queues(self) -> Seen[tuple[QueueFact, ...]]:
        return _seen(lambda: tuple(self._queue(url) for url in self._of("AWS::SQS::Queue")))

    def mappings(self) -> Seen[tuple[MappingFact, ...]]:
        return _seen(lambda: tuple(self._mappings()))

    def schedules(self) -> Seen[tuple[ScheduleFact, ...]]:
        return _seen(lambda: tuple(self._schedules()))

    def machines(self) -> Seen[tuple[MachineFact, ...]]:
        return _seen(
            lambda: tuple(self._machine(arn) for arn in self._of("AWS::StepFunctions::StateMachine"))
        )

    def buckets(self) -> Seen[tuple[BucketFact, ...]]:
        return _seen(lambda: tuple(self._bucket(name) for name in self._of("AWS::S3::Bucket")))

    def keys(self) -> Seen[tuple[KeyFact, ...]]:
        return _seen(lambda: tuple(self._key(id) for id in self._of("AWS::KMS::Key")))

    def tables(self) -> Seen[tuple[TableFact, ...]]:
        return _seen(lambda: tuple(self._table(name) for name in self._of("AWS::DynamoDB::Table")))

    def alarms(self) -> Seen[tuple[AlarmFact, ...]]:
        return _seen(lambda: tuple(self._alarms()))

    def glue_database(self) -> Seen[bool]:
        glue = self._client("glue")
        return _seen(lambda: _or_none(lambda: glue.get_database(Name="huitong")) is not None)

    def workgroup(self, name: str) -> Seen[str]:
        def read() -> str:
            try:
                found = self._client("athena").get_work_group(WorkGroup=name)["WorkGroup"]
            except ClientError as error:
                if _code(error) == "InvalidRequestException":  # what Athena says of one that is not there
                    return ""
                raise
            return str(found.get("State", ""))

        return _seen(read)

    # --- one thing each ----------------------------------------------------

    def _stack(self) -> StackFacts:
        cloudformation = self._client("cloudformation")
        found = cloudformation.describe_stacks(StackName=self._name)["Stacks"][0]
        waiting = [
            change["ChangeSetName"]
            for page in cloudformation.get_paginator("list_change_sets").paginate(StackName=self._name)
            for change in page["Summaries"]
            if change.get("ExecutionStatus") == "AVAILABLE"
        ]
        incomplete = [
            one["LogicalResourceId"] for one in self._resources() if "COMPLETE" not in one["ResourceStatus"]
        ]
        return StackFacts(
            self._name,
            found["StackStatus"],
            {o["OutputKey"]: o["OutputValue"] for o in found.get("Outputs", ())},
            tuple(waiting),
            tuple(incomplete),
            timestamp(found["CreationTime"]),
        )

    def _resources(self) -> Iterator[Mapping[str, Any]]:
        pages = self._client("cloudformation").get_paginator("list_stack_resources")
        for page in pages.paginate(StackName=self._name):
            yield from page["StackResourceSummaries"]

    def _of(self, kind: str) -> list[str]:
        if self._known is None:
            self._known = {}
            for one in self._resources():
                id = str(one.get("PhysicalResourceId") or "")
                if id:
                    self._known.setdefault(one["ResourceType"], []).append(id)
        return sorted(self._known.get(kind, ()))

    def _function(self, name: str) -> FunctionFact:
        found = self._client("lambda").get_function_configuration(FunctionName=name)
        return FunctionFact(
            name,
            str(found.get("State", "Active")),
            str(found.get("LastUpdateStatus", "Successful")),
            str(found.get("Runtime", "")),
            str(found.get("TracingConfig", {}).get("Mode", "")),
            str(found.get("LoggingConfig", {}).get("LogGroup", "")),
        )

    def _queue(self, url: str) -> QueueFact:
        told = self._client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        redrive = json.loads(told.get("RedrivePolicy") or "{}")
        return QueueFact(
            name=str(told["QueueArn"]).rpartition(":")[2],
            arn=str(told["QueueArn"]),
            waits=int(told.get("ApproximateNumberOfMessages", 0)),
            dead_letters_to=str(redrive.get("deadLetterTargetArn", "")),
            receives=int(redrive.get("maxReceiveCount", 0)),
            encrypted=told.get("SqsManagedSseEnabled") == "true" or bool(told.get("KmsMasterKeyId")),
        )

    def _mappings(self) -> Iterator[MappingFact]:
        functions = set(self._of("AWS::Lambda::Function"))
        pages = self._client("lambda").get_paginator("list_event_source_mappings")
        for page in pages.paginate():
            for one in page["EventSourceMappings"]:
                name = str(one.get("FunctionArn", "")).split(":function:")[-1].split(":")[0]
                if name in functions:
                    queue = str(one.get("EventSourceArn", "")).rpartition(":")[2]
                    yield MappingFact(name, queue, str(one.get("State", "")))

    def _schedules(self) -> Iterator[ScheduleFact]:
        """Of every bus. One of another than the default is called ``bus|rule``, by an emulator ``rule``."""
        events, others = self._client("events"), self._of("AWS::Events::EventBus")
        for id in self._of("AWS::Events::Rule"):
            named, _, name = id.rpartition("|")
            for bus in [named] if named else ["default", *others]:
                rule = _rule(events, name, bus)
                if rule is not None:
                    targets = events.list_targets_by_rule(Rule=name, EventBusName=bus)["Targets"]
                    clock = bool(rule.get("ScheduleExpression"))
                    yield ScheduleFact(name, str(rule["State"]), len(targets), clock)
                    break
            else:
                yield ScheduleFact(name, "MISSING", 0)

    def _machine(self, arn: str) -> MachineFact:
        states, name = self._client("stepfunctions"), arn.rpartition(":")[2]
        try:
            status = str(states.describe_state_machine(stateMachineArn=arn)["status"])
        except ClientError as error:
            if _code(error) == "StateMachineDoesNotExist":
                return MachineFact(name, "")
            raise
        ended = [
            one["stopDate"]
            for ending in _BADLY
            for one in states.list_executions(stateMachineArn=arn, statusFilter=ending)["executions"]
            if "stopDate" in one
        ]
        return MachineFact(name, status, tuple(timestamp(at) for at in ended))

    def _bucket(self, name: str) -> BucketFact:
        s3 = self._client("s3")
        encryption = _or_none(lambda: s3.get_bucket_encryption(Bucket=name))
        rules = (encryption or {}).get("ServerSideEncryptionConfiguration", {}).get("Rules", ())
        block = _or_none(lambda: s3.get_public_access_block(Bucket=name)) or {}
        closed = block.get("PublicAccessBlockConfiguration", {})
        policy = _or_none(lambda: s3.get_bucket_policy(Bucket=name)) or {}
        lock = _or_none(lambda: s3.get_object_lock_configuration(Bucket=name)) or {}
        return BucketFact(
            name=name,
            versioned=s3.get_bucket_versioning(Bucket=name).get("Status") == "Enabled",
            encryption=next(
                (str(rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]) for rule in rules), ""
            ),
            closed=len(closed) == 4 and all(closed.values()),
            only_tls=_refuses_plain(json.loads(policy.get("Policy") or "{}")),
            locked=lock.get("ObjectLockConfiguration", {}).get("ObjectLockEnabled") == "Enabled",
            must_lock="-evidence-" in name,
        )

    def _key(self, id: str) -> KeyFact:
        kms = self._client("kms")
        told = kms.describe_key(KeyId=id)["KeyMetadata"]
        encrypts = told.get("KeyUsage", "ENCRYPT_DECRYPT") == "ENCRYPT_DECRYPT"
        rotates = bool(kms.get_key_rotation_status(KeyId=id)["KeyRotationEnabled"]) if encrypts else False
        return KeyFact(id, str(told["KeyState"]), rotates, encrypts)

    def _table(self, name: str) -> TableFact:
        dynamodb = self._client("dynamodb")
        status = dynamodb.describe_table(TableName=name)["Table"]["TableStatus"]
        told = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        recovery = told.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        return TableFact(name, str(status), recovery == "ENABLED")

    def _alarms(self) -> Iterator[AlarmFact]:
        names = self._of("AWS::CloudWatch::Alarm")
        for start in range(0, len(names), 100):
            found = self._client("cloudwatch").describe_alarms(AlarmNames=names[start : start + 100])
            for one in found["MetricAlarms"]:
                tells = bool(one.get("AlarmActions")) and one.get("ActionsEnabled", True)
                yield AlarmFact(one["AlarmName"], str(one.get("StateValue", "")), tells)


def _seen(read: Callable[[], T]) -> Seen[T]:
    try:
        return read()
    except ClientError as error:
        code = _code(error)
        return Unseen(f"AWS 答复 {code}", f"AWS answered {code}")
    except BotoCoreError as error:
        kind = type(error).__name__
        return Unseen(f"未能询问 AWS:{kind}", f"AWS could not be asked: {kind}")


def _or_none(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ClientError as error:
        if _code(error) in _NONE:
            return None
        raise


def _rule(events: Any, name: str, bus: str) -> Any:
    return _or_none(lambda: events.describe_rule(Name=name, EventBusName=bus))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refuses_plain(policy: Mapping[str, Any]) -> bool:
    """Does a statement deny everybody everything without TLS?"""
    for statement in policy.get("Statement", ()):
        told = statement.get("Condition", {}).get("Bool", {}).get("aws:SecureTransport")
        if statement.get("Effect") == "Deny" and str(told).lower() == "false":
            return True
    return False
