"""Queues and their dead-letter queues on SQS, for those who operate them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from huitong import correlation
from huitong.aws.errors import translated
from huitong.errors import NotFound
from huitong.operating.letters import Depth, Letter
from huitong.ports import timestamp

_HIDDEN_SECONDS: Final = 30
_FIGURES: Final = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


class SqsLetterBoxes:
    """:class:`huitong.operating.letters.LetterBoxes`; ``queues`` and ``dead`` are addresses by name."""

    def __init__(self, client: Any, queues: Mapping[str, str], dead: Mapping[str, str]) -> None:
        self._client = client
        self._queues = queues
        self._dead = dead

    def names(self) -> Sequence[str]:
        return sorted(self._dead)

    def depths(self) -> Mapping[str, Depth]:
        found = {}
        for name in {*self._queues, *self._dead}:
            visible, in_flight, delayed = self._figures(self._queues.get(name, ""))
            dead = self._figures(self._dead[name]) if name in self._dead else None
            found[name] = Depth(visible, in_flight, delayed, dead[0] + dead[1] if dead else None)
        return found

    def read(self, name: str, most: int) -> Sequence[Letter]:
        url = self._address(name)
        letters: dict[str, Letter] = {}
        while len(letters) < most:
            with translated(f"dead letters of {name}"):
                answer = self._client.receive_message(
                    QueueUrl=url,
                    MaxNumberOfMessages=min(10, most - len(letters)),
                    VisibilityTimeout=_HIDDEN_SECONDS,
                    MessageAttributeNames=[correlation.MEMBER],
                    MessageSystemAttributeNames=["All"],
                )
            got = answer.get("Messages", ())
            if not got:
                break
            letters |= {raw["MessageId"]: _letter(name, raw) for raw in got}
        return list(letters.values())

    def put_back(self, letters: Sequence[Letter]) -> None:
        for letter in letters:
            with translated(f"dead letters of {letter.box}"):
                self._client.change_message_visibility(
                    QueueUrl=self._address(letter.box), ReceiptHandle=letter.receipt, VisibilityTimeout=0
                )

    def return_to_queue(self, letter: Letter) -> None:
        url = self._queues.get(letter.box, "")
        if not url:
            raise NotFound(
                f"{letter.box} 没有可退回的队列", f"{letter.box} has no queue to return to", box=letter.box
            )
        more: dict[str, Any] = {}
        if url.endswith(".fifo"):
            more = {"MessageGroupId": letter.group or "all", "MessageDeduplicationId": uuid4().hex}
        if letter.correlation:
            value = {"DataType": "String", "StringValue": letter.correlation}
            more["MessageAttributes"] = {correlation.MEMBER: value}
        body = json.dumps(letter.body, ensure_ascii=False, separators=(",", ":"))
        with translated(url):
            self._client.send_message(QueueUrl=url, MessageBody=body, **more)
        self.remove(letter)

    def remove(self, letter: Letter) -> None:
        with translated(f"dead letters of {letter.box}"):
            self._client.delete_message(QueueUrl=self._address(letter.box), ReceiptHandle=letter.receipt)

    def _address(self, name: str) -> str:
        if name not in self._dead:
            raise NotFound(f"没有死信队列 {name}", f"There is no dead-letter queue {name}", box=name)
        return self._dead[name]

    def _figures(self, url: str) -> tuple[int, int, int]:
        if not url:
            return (0, 0, 0)
        with translated(url):
            found = self._client.get_queue_attributes(QueueUrl=url, AttributeNames=list(_FIGURES))[
                "Attributes"
            ]
        first, second, third = (int(found.get(name, 0)) for name in _FIGURES)
        return first, second, third


def _letter(name: str, raw: Mapping[str, Any]) -> Letter:
    told = raw.get("Attributes", {})
    sent = datetime.fromtimestamp(int(told.get("SentTimestamp", 0)) / 1000, UTC)
    carried = raw.get("MessageAttributes", {}).get(correlation.MEMBER, {})
    return Letter(
        box=name,
        id=str(raw["MessageId"]),
        body=_body(raw["Body"]),
        sent_at=timestamp(sent),
        group=str(told.get("MessageGroupId", "")),
        followed=str(carried.get("StringValue", "")),
        receipt=str(raw["ReceiptHandle"]),
    )


def _body(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    return found if isinstance(found, dict) else {"unreadable": text}
