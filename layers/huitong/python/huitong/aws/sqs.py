"""Queues on SQS."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from huitong import correlation
from huitong.aws.errors import translated

MAX_DELAY: Final = 900  # seconds, SQS's own limit


class SqsQueue:
    """:class:`huitong.ports.Queue`.

    A FIFO queue knows no delay of single messages. Those go to ``waiting``, a
    standard queue whose consumer hands them on to this one when their time has come.
    """

    def __init__(self, client: Any, url: str, *, waiting: str = "") -> None:
        self._client = client
        self._url = url
        self._waiting = waiting

    def send(self, message: Mapping[str, Any], *, group: str = "", dedup: str = "", delay: int = 0) -> None:
        delay = max(0, min(delay, MAX_DELAY))
        if not self._url.endswith(".fifo"):
            self._post(self._url, message, {"DelaySeconds": delay} if delay else {})
        elif delay and self._waiting:
            self._post(self._waiting, {"message": dict(message), "group": group}, {"DelaySeconds": delay})
        else:
            order = {"MessageGroupId": group or "all", "MessageDeduplicationId": dedup or uuid4().hex}
            self._post(self._url, message, order)

    def postpone(self, receipt: str, seconds: int) -> None:
        """Show a received message again after a pause, instead of after the queue's visibility time."""
        with translated(self._url):
            self._client.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=receipt, VisibilityTimeout=max(0, min(seconds, 43_200))
            )

    def _post(self, url: str, message: Mapping[str, Any], more: Mapping[str, Any]) -> None:
        body = json.dumps(message, ensure_ascii=False, separators=(",", ":"))
        followed = correlation.current()
        if followed:
            carried = {correlation.MEMBER: {"DataType": "String", "StringValue": followed}}
            more = {**more, "MessageAttributes": carried}
        # A message sent twice is harmless (all are wake-ups), so a lost answer is simply "unavailable".
        with translated(url):
            self._client.send_message(QueueUrl=url, MessageBody=body, **more)
