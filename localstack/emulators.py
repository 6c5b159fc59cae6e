"""The emulators of AWS that run without Docker: how each is started, and how one knows that it runs."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import host_environment
import packaged

REGION = "us-east-1"
HOST = "127.0.0.1"
Name = Literal["ministack", "localstack"]


class StackError(Exception):
    """Something the person at the keyboard must do; the message says what."""


@dataclass(frozen=True, slots=True)
class Emulator:
    name: Name
    title: str
    health: str  # a path that answers 200 once it is ready
    mark: bytes  # in its process's command line
    seconds: float  # it starts within
    keeps_state: bool  # over a clean stop
    part: str  # of the stack's folder: one that keeps no state must not clear another's
    command: Callable[[], list[str]]  # raises StackError
    settings: Callable[[Path, int], dict[str, str]]

    def place(self, folder: Path) -> Path:
        return folder / self.part


def chosen() -> Emulator:
    """By HUITONG_EMULATOR, or by make's EMULATOR; MiniStack if neither is set. Raises StackError."""
    name = os.environ.get("HUITONG_EMULATOR") or os.environ.get("EMULATOR") or MINISTACK.name
    if name not in EMULATORS:
        raise StackError(f"没有这个模拟器 / no such emulator: {name}. EMULATOR=ministack | localstack")
    return EMULATORS[name]


def behind(endpoint: str) -> Emulator:
    """Which one answers there; LocalStack when it is not MiniStack, in a container too. Raises StackError."""
    for emulator in (MINISTACK, LOCALSTACK):  # MiniStack answers to LocalStack's path, too
        try:
            with urllib.request.urlopen(endpoint + emulator.health, timeout=5) as answer:
                if answer.status == 200:
                    return emulator
        except urllib.error.HTTPError:
            continue
        except (urllib.error.URLError, OSError) as error:
            raise StackError(f"nothing answers at {endpoint}: {error}") from error
    raise StackError(f"no known emulator at {endpoint}")


def environment(emulator: Emulator, folder: Path, port: int) -> dict[str, str]:
    """Functions may inherit all of it, so nothing of the caller's is in it but what is needed to run."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "LC_ALL", "TZ") if name in os.environ}
    return {
        **kept,
        "TMPDIR": str(emulator.place(folder) / "tmp"),
        "PYTHONUNBUFFERED": "1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        **emulator.settings(emulator.place(folder), port),
    }


def _ministack_command() -> list[str]:
    return [sys.executable, "-m", "ministack"]


def _ministack_settings(folder: Path, port: int) -> dict[str, str]:
    return {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": HOST,
        "MINISTACK_HOST": HOST,
        "LAMBDA_EXECUTOR": "local",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(folder / "state"),
        "S3_DATA_DIR": str(folder / "objects"),
        "PERSIST_STATE": "1",
        "S3_PERSIST": "1",
        "AUTH": "true",  # policies are evaluated: each function has its own role's rights, as on AWS
    }


def _localstack_command() -> list[str]:
    try:
        return [str(host_environment.interpreter()), "-m", "localstack.runtime.main"]
    except host_environment.HostEnvironmentError as error:
        raise StackError(str(error)) from error


def _interpreter(folder: Path) -> str:
    try:
        return packaged.python(folder)
    except packaged.PackageError as error:
        raise StackError(str(error)) from error


def _localstack_settings(folder: Path, port: int) -> dict[str, str]:
    """See localstack/host_mode/README.md for what the plugins read."""
    providers = ("DYNAMODB", "DYNAMODBSTREAMS", "GLUE", "COGNITO_IDP", "ATHENA")
    return {
        "LOCALSTACK_VOLUME_DIR": str(folder / "state"),
        "LOCALSTACK_HOST": f"{HOST}:{port}",  # in addresses it hands out; its own domain may not resolve
        "GATEWAY_LISTEN": f"{HOST}:{port}",
        "SQS_ENDPOINT_STRATEGY": "path",
        "DNS_ADDRESS": "0",
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES": "1",
        "S3_SKIP_SIGNATURE_VALIDATION": "0",  # presigned addresses end, and a changed one is refused
        "LS_LOG": "warning",
        "LAMBDA_RUNTIME_EXECUTOR": "process",
        # Binary packages fit one version of Python only, so functions run in the project's own.
        "LAMBDA_PROCESS_PYTHON": _interpreter(folder),
        # An idle queue is looked at every half second, not after ten: people wait for the next step.
        "LAMBDA_EVENT_SOURCE_MAPPING_POLL_INTERVAL_SEC": "0.2",
        "LAMBDA_EVENT_SOURCE_MAPPING_MAX_BACKOFF_ON_EMPTY_POLL_SEC": "0.5",
        **{f"PROVIDER_OVERRIDE_{name}": "moto" for name in providers},
    }


MINISTACK = Emulator(
    "ministack", "MiniStack", "/_ministack/health", b"ministack", 30.0, True, "",
    _ministack_command, _ministack_settings,
)  # fmt: skip
LOCALSTACK = Emulator(
    "localstack", "LocalStack", "/_localstack/health", b"localstack.runtime.main", 90.0, False, "localstack",
    _localstack_command, _localstack_settings,
)  # fmt: skip
EMULATORS: dict[str, Emulator] = {e.name: e for e in (MINISTACK, LOCALSTACK)}
