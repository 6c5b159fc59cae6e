"""What each function is told by its environment. Nothing else reads ``os.environ``.

Variable names are the field names in capitals. A missing one is not found out
one deployment at a time: :class:`NotConfigured` names them all at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal, Self

from huitong.errors import Fault

QueryEngine = Literal["duckdb", "athena"]


class NotConfigured(Fault):
    """The function's environment is incomplete or wrong."""

    code = "not-configured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Common to all functions."""

    register_table: str
    stage: str = "local"
    aws_region: str = "us-east-1"
    aws_endpoint_url: str = ""  # empty = AWS itself
    log_level: str = "INFO"

    @classmethod
    def read(cls, environ: Mapping[str, str] | None = None) -> Self:
        """Raises NotConfigured with every variable that is missing or malformed."""
        environ = os.environ if environ is None else environ
        values: dict[str, Any] = {}
        missing: list[str] = []
        malformed: list[str] = []
        for known in fields(cls):
            name = known.name.upper()
            text = environ.get(name, "")
            if not text:
                if known.default is MISSING:
                    missing.append(name)
                continue
            try:
                values[known.name] = _CONVERT[str(known.type)](text)
            except ValueError:
                malformed.append(name)
        if missing or malformed:
            named = ", ".join([*missing, *(f"{name} (?)" for name in malformed)])
            raise NotConfigured(
                f"环境变量缺失或有误:{named}",
                f"Environment variables are missing or wrong: {named}",
                missing=missing,
                malformed=malformed,
            )
        return cls(**values)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerSettings(Settings):
    """Functions that take messages from ``queue_url``."""

    queue_url: str
    event_bus: str
    staging_bucket: str
    compare_queue_url: str = ""  # woken when a batch fails, so that those behind it go on
    retry_seconds: int = 5  # first pause of a failed message; each next one is six times as long
    warm_megabytes: int = 2048  # disk for downloaded objects


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestSettings(ConsumerSettings):
    landing_bucket: str
    validate_queue_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidateSettings(ConsumerSettings):
    warehouse_bucket: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings(ConsumerSettings):
    warehouse_bucket: str
    glue_database: str
    push_queue_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MaintenanceSettings(Settings):
    staging_bucket: str
    warehouse_bucket: str
    glue_database: str
    history_days: int  # how long tables can be read as of an earlier publication


@dataclass(frozen=True, slots=True, kw_only=True)
class PushSettings(ConsumerSettings):
    warehouse_bucket: str
    glue_database: str
    waiting_queue_url: str  # standard queue through which wake-ups of the FIFO queue are delayed
    secrets_key: str
    dead_letter_queue_url: str  # takes deliveries that failed for good
    allow_local_endpoints: bool = False  # only for the local stack: receivers on this machine
    endpoint_networks: str = ""  # networks inside (CIDR, comma separated) that pushes may go to


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings(Settings):
    staging_bucket: str
    event_bus: str
    ingest_queue_url: str
    validate_queue_url: str
    compare_queue_url: str
    push_queue_url: str
    waiting_queue_url: str
    secrets_key: str
    stuck_minutes: int = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerSettings(Settings):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings(Settings):
    landing_bucket: str
    staging_bucket: str
    warehouse_bucket: str
    event_bus: str
    ingest_queue_url: str
    validate_queue_url: str
    compare_queue_url: str
    push_queue_url: str
    waiting_queue_url: str
    secrets_key: str
    allow_local_endpoints: bool = False
    endpoint_networks: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySettings(Settings):
    staging_bucket: str
    secrets_key: str
    warehouse_bucket: str
    glue_database: str
    query_engine: QueryEngine = "duckdb"
    athena_workgroup: str = "primary"
    athena_output: str = ""  # s3://bucket/prefix/
    warm_megabytes: int = 2048


def _flag(text: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def _engine(text: str) -> str:
    if text not in ("duckdb", "athena"):
        raise ValueError(text)
    return text


_CONVERT: Mapping[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "bool": _flag,
    "QueryEngine": _engine,
}
