"""Reading a receiver's answer: delivered is what has a receipt of sequence and count (C-15, X-12)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from huitong.ports import HttpAnswer

_NOTE: Final = 200  # characters kept of a receiver's own receipt number


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one attempt: a receipt, or the reason why there is none."""

    receipt: Mapping[str, Any] | None = None
    reason: str = ""
    http_status: int = 0
    wait: float = 0.0  # seconds that the receiver asked for (Retry-After)
    gone: bool = False  # the receiver says that it will never take it


def outcome_of(answer: HttpAnswer, n: int, count: int, now: datetime) -> Outcome:
    """Judge an answer to delivery ``n`` of ``count`` events. Nothing of a wrong answer's text is kept."""
    status = answer.status
    if status == 410:
        return Outcome(reason="gone", http_status=status, gone=True)
    if 300 <= status < 400:
        return Outcome(reason="redirect", http_status=status)
    if not 200 <= status < 300:
        return Outcome(reason=f"http-{status}", http_status=status, wait=_retry_after(answer, now))
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return Outcome(reason="receipt-missing", http_status=status)
    if not isinstance(told, dict) or not {"sequence", "count"} <= told.keys():
        return Outcome(reason="receipt-missing", http_status=status)
    if not (_is(told["sequence"], n) and _is(told["count"], count)):
        return Outcome(reason="receipt-mismatch", http_status=status)
    receipt = {"sequence": n, "count": count}
    if isinstance(told.get("receipt"), str):
        receipt["receipt"] = told["receipt"][:_NOTE]
    return Outcome(receipt=receipt, http_status=status)


def _is(value: object, expected: int) -> bool:
    return type(value) is int and value == expected


def _retry_after(answer: HttpAnswer, now: datetime) -> float:
    text = next((v for k, v in answer.headers.items() if k.lower() == "retry-after"), "")
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, (parsedate_to_datetime(text) - now).total_seconds())
    except (ValueError, TypeError):
        return 0.0
