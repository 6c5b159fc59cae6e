"""Names of what validation leaves behind, for those who take it from there. Quick to import."""

from __future__ import annotations

from typing import Final

from huitong.warehouse.buckets import WHOLE, Bucket
from huitong.warehouse.files import DataFileRef, data_prefix

FINDINGS: Final = "findings.parquet"
QUARANTINE: Final = "quarantine.parquet"
QUARANTINED_KEYS: Final = "quarantined-keys.parquet"
#: What cleansing changed.
CLEANSED: Final = "cleansed.parquet"
_PART: Final = "part"
_DELETES: Final = "deletes"


def staging_key(resource: str, batch_id: str, name: str) -> str:
    """Where a batch's findings and quarantine lie in the staging bucket."""
    return f"{resource}/{batch_id}/{name}"


def quarantined_keys_key(quarantine: str) -> str:
    """Where the readable keys of the rows in a quarantine file lie: beside it."""
    folder, _, name = quarantine.rpartition("/")
    return f"{folder}/{QUARANTINED_KEYS.removesuffix('.parquet')}{name.removeprefix('quarantine')}"


def part_key(table: str, batch_id: str, number: int, bucket: Bucket = WHOLE) -> str:
    """A file of good rows in the warehouse bucket, as Iceberg will own it; all of them are of the bucket."""
    return f"{data_prefix(table, batch_id)}/{_PART}{bucket.tag()}-{number:04}.parquet"


def deletes_key(table: str, batch_id: str, number: int) -> str:
    """A file of keys to delete; never part of a table."""
    return f"{data_prefix(table, batch_id)}/{_DELETES}-{number:04}.parquet"


def is_deletes(ref: DataFileRef) -> bool:
    """Whether the file holds keys to delete instead of rows."""
    return ref.key.rsplit("/", 1)[-1].startswith(f"{_DELETES}-")
