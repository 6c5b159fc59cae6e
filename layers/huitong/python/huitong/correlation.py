"""One id for one delivery, from the request that announced it to the receipt of its last push (Q-05).

It is the upload's id where a delivery was announced, else derived from the landed object, and can always be
told again from the batch: nothing has to be carried for it to be found. It is carried all the same, as a
message attribute and in events, so that lines written before the register was read have it, too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

#: Name of the message attribute, and of the member of events and log lines.
MEMBER: Final = "correlation"
_UPLOAD: Final = re.compile(r"u[0-9a-f]{16,64}")
_request: Final[ContextVar[str]] = ContextVar("huitong_request", default="")
_current: Final[ContextVar[str]] = ContextVar("huitong_correlation", default="")


def current() -> str:
    """The delivery that is being worked on; empty = none."""
    return _current.get()


@contextmanager
def following(id: str) -> Iterator[None]:
    """Work on a delivery; an empty id leaves the one that is."""
    if not id:
        yield
        return
    token = _current.set(id)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def in_request(id: str) -> Iterator[None]:
    """Answer a request of the API: its id stands in every line that is written meanwhile."""
    token = _request.set(id)
    try:
        yield
    finally:
        _request.reset(token)


def request() -> str:
    """The request that is being answered; empty = none."""
    return _request.get()


def of_object(key: str, version: str = "") -> str:
    """Of a landed object: ``unit/resource/upload id/filename`` has it, other keys give a digest."""
    parts = key.split("/")
    if len(parts) == 4 and _UPLOAD.fullmatch(parts[2]):
        return parts[2]
    digest = hashlib.sha256("\x1f".join((key, version)).encode()).hexdigest()
    return f"o{digest[:30]}" if key else ""
