"""One LocalStack with this package's plugins for the whole session, on a port of its own."""

from __future__ import annotations

import io
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

HOST = "127.0.0.1"
KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}


@pytest.fixture(scope="session")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("localstack")
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LOCALSTACK_VOLUME_DIR": str(folder / "volume"),
        "LOCALSTACK_HOST": f"{HOST}:{port}",
        "GATEWAY_LISTEN": f"{HOST}:{port}",
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "SQS_ENDPOINT_STRATEGY": "path",
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.2",
        "SECRET_OF_LOCALSTACK": "not for functions",
        "PASSED": "for functions",
        "LAMBDA_PROCESS_PASS": "PASSED",
        **{
            f"PROVIDER_OVERRIDE_{name}": "moto"
            for name in ("DYNAMODB", "DYNAMODBSTREAMS", "GLUE", "COGNITO_IDP", "ATHENA")
        },
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "localstack.runtime.main"],
            env=environment,
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        _wait(f"http://{HOST}:{port}/_localstack/health", process, folder / "log")
        yield f"http://{HOST}:{port}"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    pytest.fail(log.read_text())


@pytest.fixture(scope="session")
def client(endpoint: str) -> Callable[[str], Any]:
    settings = Config(retries={"total_max_attempts": 1}, max_pool_connections=32, read_timeout=120)
    made: dict[str, Any] = {}

    def get(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(service, endpoint_url=endpoint, config=settings, **KEYS)
        return made[service]

    return get


@pytest.fixture
def function(client: Callable[[str], Any], request: pytest.FixtureRequest) -> Callable[..., str]:
    """Deploy source text as a function; its name."""
    count = iter(range(100))

    def deploy(source: str, *, layers: tuple[str, ...] = (), **settings: Any) -> str:
        name = f"f-{abs(hash(request.node.name)) % 10**8}-{next(count)}"
        client("lambda").create_function(
            FunctionName=name, Runtime="python3.13", Handler="handler.handler",
            Role="arn:aws:iam::000000000000:role/r", Code={"ZipFile": zipped({"handler.py": source})},
            Layers=list(layers), **{"MemorySize": 256, "Timeout": 20, **settings},
        )  # fmt: skip
        client("lambda").get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return name

    return deploy


def zipped(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return buffer.getvalue()
