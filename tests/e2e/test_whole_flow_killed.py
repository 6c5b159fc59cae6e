"""A function that is killed at its work: the next one completes it, once (X-12, Q-33)."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.support.deaths import timed_out
from tests.support.town import Town, lines

pytestmark = pytest.mark.e2e
ROWS = 150_000  # no machine checks or compares so many within the second that it gets


def signs_of_death(town: Town, name: str, since: int) -> list[str]:
    """The log has the word of it, as on AWS; on MiniStack only the queue's mapping has."""
    functions = town.stack.client("lambda")
    mappings = functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"]
    told = [m.get("LastProcessingResult", "") for m in mappings]
    return timed_out(town.stack, name, since) + [result for result in told if result == "FAILED"]


@contextmanager
def killed_within_a_second(town: Town, function: str, queue: str) -> Iterator[None]:
    """While the context lasts, Lambda ends the function after a second, and its message comes back soon."""
    functions, sqs = town.stack.client("lambda"), town.stack.client("sqs")
    name = next(
        f["FunctionName"]
        for f in functions.list_functions()["Functions"]
        if f"-{function}-" in f["FunctionName"]
    )
    url = town.stack.outputs[queue]
    configured, began = functions.get_function_configuration(FunctionName=name), int(time.time() * 1000)
    before = configured["Timeout"]
    shown = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "4"})
    functions.update_function_configuration(FunctionName=name, Timeout=1)
    try:
        yield
        town.eventually(lambda: signs_of_death(town, name, began), bool)
    finally:
        functions.update_function_configuration(FunctionName=name, Timeout=before)
        sqs.set_queue_attributes(QueueUrl=url, Attributes=shown)


def commits(town: Town, table: str) -> Counter[str]:
    """How many snapshots of an Iceberg table each batch made."""
    found = town.stack.client("glue").get_table(DatabaseName="huitong", Name=table)["Table"]
    bucket, _, key = found["Parameters"]["metadata_location"].removeprefix("s3://").partition("/")
    metadata = json.loads(town.stack.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read())
    return Counter(s["summary"]["huitong.batch-id"] for s in metadata["snapshots"])


@pytest.mark.parametrize(
    ("function", "queue"),
    [("ValidateBatchFunction", "ValidateQueue"), ("CompareBatchFunction", "CompareQueue")],
)
def test_a_function_that_died_is_completed_by_the_next(town: Town, function: str, queue: str) -> None:
    resource = town.contract(f"flow-killed-{function[:7].lower()}")
    table = resource.replace("-", "_")
    first = town.deliver(lines(range(1, 101)), resource)
    with killed_within_a_second(town, function, queue):
        upload = town.api("court").put_file(lines(range(10, ROWS + 10)), resource, town.COURT)
    second = town.ended(upload)
    assert second["status"] == "published"
    assert (second["inserted"], second["deleted"], second["unchanged"]) == (ROWS - 91, 9, 91)
    assert town.ledger(resource)["balanced"]
    once = Counter({first["id"]: 1, second["id"]: 1})
    assert commits(town, table) == once
    assert commits(town, f"{table}__changes") == once
    assert town.sql(f"SELECT count(*) AS n FROM {table}") == [{"n": ROWS}]
    assert town.sql(f'SELECT count(*) AS n FROM "{table}$changes"') == [{"n": 100 + ROWS - 91 + 9}]
