"""Lists by pages, with opaque tokens."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from athena_endpoint.errors import invalid


def paged(name: str, items: Sequence[Any], asked: Mapping[str, Any], most: int) -> dict[str, Any]:
    after, size = offset(asked), asked.get("MaxResults") or most
    page: dict[str, Any] = {name: list(items[after : after + size])}
    if after + size < len(items):
        page["NextToken"] = token(after + size)
    return page


def token(offset: int) -> str:
    return base64.urlsafe_b64encode(f"at:{offset}".encode()).decode()


def offset(asked: Mapping[str, Any]) -> int:
    token = asked.get("NextToken")
    if not token:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(token).decode().partition(":")
        if word == "at" and number.isdecimal():
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise invalid("NextToken 无效", "NextToken is not valid", "INVALID_TOKEN")
