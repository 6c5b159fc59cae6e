"""SDK clients: made on first use, once per process, with bounded time and few retries."""

from __future__ import annotations

from functools import cache
from typing import Any

import boto3
from botocore.config import Config


@cache
def client(service: str, endpoint: str = "", region: str = "") -> Any:
    """The process's client of a service; ``endpoint`` empty = AWS itself."""
    return boto3.client(
        service,
        endpoint_url=endpoint or None,
        region_name=region or None,
        config=_config(service, endpoint),
    )


def _config(service: str, endpoint: str) -> Config:
    config = Config(
        retries={"mode": "standard", "total_max_attempts": 4},
        connect_timeout=2,
        read_timeout=60 if service == "s3" else 10,
        max_pool_connections=16,
        user_agent_extra="huitong",
        # Checksums that every S3-like service takes; ours is the digest of the whole object.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
    )
    if service == "s3":
        style = "path" if endpoint else "virtual"
        config = config.merge(Config(signature_version="s3v4", s3={"addressing_style": style}))
    if service == "glue":
        # An UpdateTable that is repeated after a lost answer reports a conflict with itself.
        # One attempt; the caller looks whether its snapshot is there.
        config = config.merge(Config(retries={"mode": "standard", "total_max_attempts": 1}))
    return config
