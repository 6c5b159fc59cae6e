"""The Iceberg catalogue on Glue: each commit is tried once, and a lost answer is told from a lost race."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pytest
from botocore.exceptions import EndpointConnectionError, ReadTimeoutError
from pyiceberg.exceptions import CommitFailedException

from huitong.aws.catalog import Catalog, glue_catalog
from huitong.aws.clients import client as made_client
from huitong.errors import Unavailable, UnknownCommitState

ROWS = pa.table({"x": [1, 2, 3]})


class Glue:
    """Moto's Glue, whose UpdateTable can be made to misbehave."""

    def __init__(self) -> None:
        self._real = boto3.client("glue", region_name="us-east-1")
        self.updates: list[Any] = []
        self.before: Exception | None = None
        self.after: Exception | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def update_table(self, **request: Any) -> Any:
        self.updates.append(request)
        if self.before:
            raise self.before
        answer = self._real.update_table(**{k: v for k, v in request.items() if k != "VersionId"})
        if self.after:
            raise self.after
        return answer


@pytest.fixture
def glue() -> Glue:
    made = Glue()
    made.create_database(DatabaseInput={"Name": "huitong"})
    return made


@pytest.fixture
def catalog(glue: Glue, tmp_path: Path) -> Catalog:
    made = glue_catalog(glue, warehouse=f"file://{tmp_path}")
    made.create_table(
        "huitong.t", ROWS.schema, f"file://{tmp_path}/t", properties={"commit.retry.num-retries": "0"}
    )
    return made


def rows(catalog: Catalog) -> int:
    return catalog.load_table("huitong.t").scan().to_arrow().num_rows


def test_an_update_names_the_version_that_was_read(glue: Glue, catalog: Catalog) -> None:
    """X-12: Glue itself refuses the second of two writers."""
    catalog.load_table("huitong.t").append(ROWS)
    assert rows(catalog) == 3
    (update,) = glue.updates
    assert update["VersionId"]
    assert update["SkipArchive"] is True


def test_a_commit_whose_answer_was_lost_is_of_unknown_state_and_stays_readable(
    glue: Glue, catalog: Catalog
) -> None:
    glue.after = ReadTimeoutError(endpoint_url="http://glue")
    with pytest.raises(UnknownCommitState):
        catalog.load_table("huitong.t").append(ROWS)
    assert len(glue.updates) == 1
    assert rows(catalog) == 3


def test_a_commit_that_never_left_is_unavailable_and_changes_nothing(glue: Glue, catalog: Catalog) -> None:
    glue.before = EndpointConnectionError(endpoint_url="http://glue")
    with pytest.raises(Unavailable):
        catalog.load_table("huitong.t").append(ROWS)
    assert rows(catalog) == 0


def test_a_lost_race_is_a_failed_commit(glue: Glue, catalog: Catalog) -> None:
    kind = glue.exceptions.ConcurrentModificationException
    glue.before = kind({"Error": {"Code": "ConcurrentModificationException"}}, "UpdateTable")
    with pytest.raises(CommitFailedException):
        catalog.load_table("huitong.t").append(ROWS)
    assert rows(catalog) == 0


def test_the_client_of_glue_does_not_repeat_by_itself_and_others_a_little() -> None:
    def attempts(service: str) -> int:
        config = made_client(service, "http://127.0.0.1:1", "us-east-1").meta.config
        return int(config.retries["total_max_attempts"])

    assert attempts("glue") == 1
    assert attempts("dynamodb") == 4
    config = made_client("s3", "http://127.0.0.1:1", "us-east-1").meta.config
    assert config.s3["addressing_style"] == "path"
    assert config.retries["mode"] == "standard"
