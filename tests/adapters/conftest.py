"""Adapters against moto. Resources are created from template.yaml, not typed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from cfnlint.decode.cfn_yaml import load
from moto import mock_aws

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    with mock_aws():
        yield


@pytest.fixture(scope="session")
def resources() -> dict[str, Any]:
    return dict(load(str(ROOT / "template.yaml"))["Resources"])


@pytest.fixture
def dynamodb() -> Any:
    return boto3.client("dynamodb", region_name=REGION)


@pytest.fixture
def table(resources: dict[str, Any], dynamodb: Any) -> str:
    wanted = resources["RegisterTable"]["Properties"]
    keys = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    dynamodb.create_table(TableName="register", **{k: wanted[k] for k in keys})
    return "register"
