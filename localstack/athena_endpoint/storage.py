"""Files of results in the staging bucket, each analyst's in a folder of its own (S-16, S-33)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from athena_endpoint.keys import RESULTS

#: As long as the platform keeps a result for paging. The bucket's own rule (7 days) is for what a kill left.
KEPT: Final = timedelta(hours=1)


class Storage:
    """``s3`` is a client of the local stack that may write under ``queries/analysts/``."""

    def __init__(self, s3: Any, bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def uri(self, key: str) -> str:
        return f"s3://{self.bucket}/{key}"

    def key_of(self, uri: str) -> str:
        """Inverse of :meth:`uri`; empty for what is not in this bucket."""
        start = f"s3://{self.bucket}/"
        return uri.removeprefix(start) if uri.startswith(start) else ""

    def put_lines(self, key: str, lines: Iterable[bytes]) -> int:
        """Written whole or not at all: a reader finds no half a result. Its size."""
        with tempfile.TemporaryFile() as file:
            file.writelines(lines)
            size = file.tell()
            file.seek(0)
            self._s3.put_object(
                Bucket=self.bucket, Key=key, Body=file, ContentType="application/octet-stream"
            )
        return size

    def put_file(self, key: str, path: Path) -> int:
        with path.open("rb") as file:
            self._s3.put_object(Bucket=self.bucket, Key=key, Body=file)
        return path.stat().st_size

    def any_under(self, prefix: str) -> bool:
        found = self._s3.list_objects_v2(Bucket=self.bucket, Prefix=prefix, MaxKeys=1)
        return bool(found.get("KeyCount", len(found.get("Contents", ()))))

    def remove_older(self, now: datetime) -> int:
        """Remove what was kept long enough, with all its versions; how many."""
        old = [one for one in self._versions() if one["LastModified"] < now - KEPT]
        for one in old:
            self._s3.delete_object(Bucket=self.bucket, Key=one["Key"], VersionId=one["VersionId"])
        return len(old)

    def _versions(self) -> Iterator[dict[str, Any]]:
        pages = self._s3.get_paginator("list_object_versions").paginate(Bucket=self.bucket, Prefix=RESULTS)
        for page in pages:
            yield from page.get("Versions", ())
            yield from page.get("DeleteMarkers", ())
