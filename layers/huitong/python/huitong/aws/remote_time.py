"""What time it is at the object store: from the Date header of its answer."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from huitong.aws.errors import translated
from huitong.errors import Unavailable


class S3Time:
    """:class:`huitong.ports.RemoteTime`."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def now(self) -> datetime:
        with translated("time"):
            answer = self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1)
        header = answer["ResponseMetadata"]["HTTPHeaders"].get("date", "")
        try:
            return parsedate_to_datetime(header).astimezone(UTC)
        except ValueError as error:
            raise Unavailable("对方未给出时间", "The service gave no time") from error
