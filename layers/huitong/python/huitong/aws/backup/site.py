"""A deployed stack as backup and restore see it: its tables, buckets, keys, and what moves in it."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from huitong.aws.errors import translated
from huitong.aws.secrets import KmsSecrets
from huitong.ports import Item

#: Role of a bucket → output of the stack.
BUCKETS: Final[Mapping[str, str]] = {
    "landing": "LandingBucket",
    "staging": "StagingBucket",
    "warehouse": "WarehouseBucket",
    "evidence": "EvidenceBucket",
}
TABLES: Final[Mapping[str, str]] = {"register": "RegisterTable", "evidence": "EvidenceTable"}
Raw = dict[str, Any]


class Site:
    def __init__(
        self, name: str, clients: Callable[[str], Any], endpoint: str = "", region: str = ""
    ) -> None:
        self.name = name
        self.client = clients
        self.endpoint = endpoint
        self.region = region

    @classmethod
    def at(cls, name: str, *, endpoint: str = "", region: str = "") -> Site:
        """With the credentials that the AWS tools find; an emulator takes any."""
        given = {"aws_access_key_id": "test", "aws_secret_access_key": "test"} if endpoint else {}
        region = region or ("us-east-1" if endpoint else "")
        session = boto3.Session(region_name=region or None, **given)
        config = Config(
            retries={"mode": "standard", "total_max_attempts": 6},
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={"addressing_style": "path" if endpoint else "virtual"},
        )
        made: dict[str, Any] = {}

        def client(service: str) -> Any:
            if service not in made:
                made[service] = session.client(service, endpoint_url=endpoint or None, config=config)
            return made[service]

        return cls(name, client, endpoint, str(session.region_name or ""))

    @cached_property
    def outputs(self) -> dict[str, str]:
        """Raises NotFound when there is no such stack."""
        with translated(f"stack {self.name}"):
            found = self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        return {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", ())}

    @cached_property
    def buckets(self) -> dict[str, str]:
        return {role: self.outputs[output] for role, output in BUCKETS.items()}

    @property
    def secrets(self) -> KmsSecrets:
        return KmsSecrets(self.client("kms"), self.outputs["DataKey"])

    def catalog(self) -> Any:
        """Its Iceberg tables. Heavy."""
        from huitong.aws.catalog import glue_catalog

        warehouse = f"s3://{self.buckets['warehouse']}"
        made = glue_catalog(
            self.client("glue"), warehouse=warehouse, endpoint=self.endpoint, region=self.region
        )
        if self.endpoint:
            made.properties.update({"s3.access-key-id": "test", "s3.secret-access-key": "test"})
        return made

    def signers(self) -> list[str]:
        """SHA-256 of the public keys (PEM) that signed heads so far: the one in use last."""
        from hashlib import sha256

        from huitong.aws.signing import KmsSigner

        keys = [id for id in self._resources("AWS::KMS::Key") if self._signs(id)]
        pems = [KmsSigner(self.client("kms"), id).public_key for id in keys]
        return [sha256(pem.encode()).hexdigest() for pem in pems]

    def raw_items(self, table: str) -> Iterator[Raw]:
        """Items of a table as DynamoDB has them."""
        with translated(f"table {table}"):
            for page in (
                self.client("dynamodb").get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
            ):
                yield from page["Items"]

    def write(self, table: str, items: Iterable[Raw]) -> int:
        """Put items as they are; how many."""
        return self._batched(table, ({"PutRequest": {"Item": item}} for item in items))

    def empty(self, table: str) -> int:
        """Remove what a fresh deployment has written about itself."""
        keys = ({"pk": raw["pk"], "sk": raw["sk"]} for raw in list(self.raw_items(table)))
        return self._batched(table, ({"DeleteRequest": {"Key": key}} for key in keys))

    def purge(self) -> None:
        """Wake-ups of what has just been put into the landing bucket: the register knows it all."""
        for url in self._resources("AWS::SQS::Queue"):
            with suppress(ClientError):  # one purge a minute is allowed; what is left changes nothing
                self.client("sqs").purge_queue(QueueUrl=url)

    @contextmanager
    def standing_still(self) -> Iterator[None]:
        """Stopped inside; afterwards what ran before runs again, and nothing else."""
        rules, mappings = list(self._rules("ENABLED")), list(self._mappings(running=True))
        try:
            self._set(rules, mappings, on=False)
            yield
        finally:
            self._set(rules, mappings, on=True)

    def stop(self) -> dict[str, int]:
        """No schedule starts and no queue is read; how many did."""
        rules, mappings = list(self._rules("ENABLED")), list(self._mappings(running=True))
        return self._set(rules, mappings, on=False)

    def start(self) -> dict[str, int]:
        """All schedules and queues of the stack, whoever stopped them."""
        rules, mappings = list(self._rules("DISABLED")), list(self._mappings(running=False))
        return self._set(rules, mappings, on=True)

    # --- inside --------------------------------------------------------------

    def _batched(self, table: str, requests: Iterable[Raw]) -> int:
        count, waiting = 0, []
        for request in requests:
            waiting.append(request)
            count += 1
            if len(waiting) == 25:
                self._write_all(table, waiting)
                waiting = []
        self._write_all(table, waiting)
        return count

    def _write_all(self, table: str, requests: list[Raw]) -> None:
        while requests:
            with translated(f"table {table}", writing=True):
                answer = self.client("dynamodb").batch_write_item(RequestItems={table: requests})
            requests = answer.get("UnprocessedItems", {}).get(table, [])

    def _resources(self, kind: str) -> list[str]:
        pages = self.client("cloudformation").get_paginator("list_stack_resources")
        with translated(f"stack {self.name}"):
            return [
                str(one["PhysicalResourceId"])
                for page in pages.paginate(StackName=self.name)
                for one in page["StackResourceSummaries"]
                if one["ResourceType"] == kind
            ]

    def _signs(self, id: str) -> bool:
        told = self.client("kms").describe_key(KeyId=id)["KeyMetadata"]
        return str(told.get("KeyUsage")) == "SIGN_VERIFY"

    def _set(self, rules: list[str], mappings: list[str], *, on: bool) -> dict[str, int]:
        events, functions = self.client("events"), self.client("lambda")
        with translated(f"stack {self.name}"):
            for name in rules:
                (events.enable_rule if on else events.disable_rule)(Name=name)
            for id in mappings:
                functions.update_event_source_mapping(UUID=id, Enabled=on)
        return {"schedules": len(rules), "mappings": len(mappings)}

    def _rules(self, state: str) -> Iterator[str]:
        for name in self._resources("AWS::Events::Rule"):
            try:
                rule = self.client("events").describe_rule(Name=name)
            except ClientError:
                continue  # of another bus: it starts nothing by the clock
            if rule.get("ScheduleExpression") and rule["State"] == state:
                yield name

    def _mappings(self, *, running: bool) -> Iterator[str]:
        functions = set(self._resources("AWS::Lambda::Function"))
        for page in self.client("lambda").get_paginator("list_event_source_mappings").paginate():
            for one in page["EventSourceMappings"]:
                name = str(one["FunctionArn"]).split(":function:")[-1].split(":")[0]
                stopped = one.get("State") in ("Disabled", "Disabling")
                if name in functions and stopped != running:
                    yield str(one["UUID"])


def body_of(raw: Raw) -> Any:
    text = zlib.decompress(bytes(raw["zbody"]["B"])).decode() if "zbody" in raw else raw["body"]["S"]
    return json.loads(text)


def with_body(raw: Raw, body: Any) -> Raw:
    """The item with another body, kept as long or short as it was: nothing else changes."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    rest = {name: value for name, value in raw.items() if name not in ("body", "zbody")}
    return (
        {**rest, "zbody": {"B": zlib.compress(text.encode())}}
        if "zbody" in raw
        else {**rest, "body": {"S": text}}
    )


def item_of(raw: Raw, body: Any) -> Item:
    """For digests: keys, version, body and indexes."""

    def text(name: str) -> str:
        return str(raw[name]["S"]) if name in raw else ""

    index1, index2 = ((text(f"i{n}pk"), text(f"i{n}sk")) for n in (1, 2))
    return Item(text("pk"), text("sk"), body, int(raw["version"]["N"]), index1, index2)


class Stream(io.RawIOBase):
    """Pieces of bytes as a file to read from: full blocks until the end, whatever size the pieces have."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = bytearray()

    def read(self, size: int = -1) -> bytes:
        while size < 0 or len(self._left) < size:
            piece = next(self._pieces, None)
            if piece is None:
                break
            self._left += piece
        size = len(self._left) if size < 0 else size
        taken = bytes(self._left[:size])
        del self._left[:size]
        return taken
