"""What each function is told by its environment. Nothing else reads ``os.environ``.

Variable names are the field names in capitals. A missing one is not found out
one deployment at a time: :class:`NotConfigured` names them all at once.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, Literal, Self

from huitong.errors import Fault

QueryEngine = Literal["duckdb", "athena", "auto"]
CorrectionPolicy = Literal["s3d", "s3c"]
EvidenceDigest = Literal["sha256", "sm3"]
#: Days that evidence is kept: five years at least (L-33); a shorter setting is refused.
Retention = int
SHORTEST_RETENTION: Final = 1_827
#: Comparisons from this size on are cut into parts, where a contract says nothing; docs/decisions/fan-out.md.
FAN_OUT_ROWS: Final = 5_000_000


class NotConfigured(Fault):
    """The function's environment is incomplete or wrong."""

    code = "not-configured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Common to all functions: each of them leaves evidence."""

    register_table: str
    evidence_table: str
    evidence_bucket: str
    secrets_key: str
    event_bus: str
    evidence_digest: EvidenceDigest = "sha256"
    evidence_days: Retention = 1_827
    correction_policy: CorrectionPolicy = "s3d"  # where a contract names none; huitong.tickets.procedures
    signature_algorithms: str = "HUITONG-HMAC-SM3,HUITONG-HMAC-SHA256"  # of signed requests, accepted
    case_look_back_years: int = 2  # before the application; bounds dates of transfers
    case_after_discharge_days: int = 365  # then sharing for a case ends
    case_retention_years: int = 5  # after its end; then what was shared is due for destruction
    former_signers: str = ""  # SHA-256 of public keys that signed heads before, comma separated
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
    fan_out_rows: int = FAN_OUT_ROWS
    warehouse_bucket: str
    glue_database: str  # of the tables that quality rules read


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings(ConsumerSettings):
    warehouse_bucket: str
    glue_database: str
    push_queue_url: str
    query_engine: QueryEngine = "duckdb"  # where large comparisons are computed, huitong.query.choice
    athena_above_rows: int = 20_000_000
    athena_workgroup: str = "primary"
    athena_output: str = ""
    fan_out_machine: str = ""  # state machine for comparisons in parts; empty = one function does all
    fan_out_rows: int = FAN_OUT_ROWS


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSettings(Settings):
    """One part of a comparison."""

    staging_bucket: str
    warehouse_bucket: str
    warm_megabytes: int = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitSettings(Settings):
    """The end of a comparison in parts."""

    staging_bucket: str
    warehouse_bucket: str
    glue_database: str
    push_queue_url: str
    compare_queue_url: str
    warm_megabytes: int = 256
    query_engine: QueryEngine = "duckdb"
    athena_above_rows: int = 20_000_000
    athena_workgroup: str = "primary"
    athena_output: str = ""


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
    dead_letter_queue_url: str  # takes deliveries that failed for good
    allow_local_endpoints: bool = False  # only for the local stack: receivers on this machine
    endpoint_networks: str = ""  # networks inside (CIDR, comma separated) that pushes may go to


@dataclass(frozen=True, slots=True, kw_only=True)
class ScheduleSettings(Settings):
    landing_bucket: str = ""  # the platform's own tables of scores are delivered there; empty = they are not
    signing_key: str  # signs the heads of the chains of evidence
    staging_bucket: str
    ingest_queue_url: str
    validate_queue_url: str
    compare_queue_url: str
    push_queue_url: str
    waiting_queue_url: str
    stuck_minutes: int = 15
    user_pool: str = ""  # Cognito, for people; empty = only credentials
    user_pool_client: str = ""
    unused_days: int = 90  # after which accounts and credentials nobody uses are disabled


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveSettings(Settings):
    warm_megabytes: int = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthorizerSettings(Settings):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings(Settings):
    landing_bucket: str
    staging_bucket: str
    warehouse_bucket: str
    ingest_queue_url: str
    validate_queue_url: str
    compare_queue_url: str
    push_queue_url: str
    waiting_queue_url: str
    allow_local_endpoints: bool = False
    endpoint_networks: str = ""
    user_pool: str = ""  # Cognito, for people; empty = only credentials
    user_pool_client: str = ""
    dead_letter_queues: str = ""  # name=address, comma separated
    password_days: int = 90  # after which a password allows nothing but its change
    admin_networks: str = ""  # from which alone administrative roles are heard (CIDR, comma separated)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuerySettings(Settings):
    signing_key: str
    staging_bucket: str
    warehouse_bucket: str
    glue_database: str
    query_engine: QueryEngine = "duckdb"  # huitong.query.choice
    athena_above_rows: int = 20_000_000  # with query_engine auto, where a contract says nothing
    smallest_group: int = 5  # different persons on whom a figure of statistics must rest (S-34)
    verify_fewest: int = 10  # distinct persons of a comparison outside of a case
    verify_subject_day: int = 20  # comparisons of one person by one unit a day
    verify_asker_day: int = 2_000  # items of one asker a day
    verify_claims: int = 3  # different values claimed for one field of one person a day
    athena_workgroup: str = "primary"
    athena_output: str = ""  # s3://bucket/prefix/
    admin_networks: str = ""
    warm_megabytes: int = 2048


def _flag(text: str) -> bool:
    known = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    if text.lower() not in known:
        raise ValueError(text)
    return known[text.lower()]


def _engine(text: str) -> str:
    if text not in ("duckdb", "athena", "auto"):
        raise ValueError(text)
    return text


def _digest(text: str) -> str:
    if text not in ("sha256", "sm3"):
        raise ValueError(text)
    return text


def _retention(text: str) -> int:
    if int(text) < SHORTEST_RETENTION:
        raise ValueError(text)
    return int(text)


def _policy(text: str) -> str:
    if text not in ("s3d", "s3c"):
        raise ValueError(text)
    return text


_CONVERT: Mapping[str, Callable[[str], Any]] = {
    "str": str,
    "int": int,
    "bool": _flag,
    "QueryEngine": _engine,
    "CorrectionPolicy": _policy,
    "EvidenceDigest": _digest,
    "Retention": _retention,
}
