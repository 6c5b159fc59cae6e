"""What S3 says of a landed object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_plus


def named(landed: Mapping[str, Any]) -> tuple[str, str]:
    """Key and version (empty = none) of one record of a notification."""
    found = landed["s3"]["object"]
    return unquote_plus(found["key"]), str(found.get("versionId", "") or "").replace("null", "")
