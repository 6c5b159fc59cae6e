"""Answers of receivers: only the right receipt counts, whatever else they say."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from huitong.delivery.receipt import outcome_of
from huitong.ports import HttpAnswer

NOW = datetime(2026, 1, 5, 8, 0, tzinfo=UTC)
RIGHT = {"sequence": 7, "count": 3}


def judged(status: int, body: bytes, **headers: str) -> tuple[bool, str]:
    outcome = outcome_of(HttpAnswer(status, body, headers), 7, 3, NOW)
    return outcome.receipt is not None, outcome.reason


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_sequence_and_count_in_json_are_a_receipt(status: int) -> None:
    """C-15."""
    assert judged(status, json.dumps(RIGHT | {"more": 1}).encode()) == (True, "")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "receipt-missing"),
        (b"OK", "receipt-missing"),
        (b"null", "receipt-missing"),
        (b"[7, 3]", "receipt-missing"),
        (b"\xff\xfe", "receipt-missing"),
        (b"[" * 60_000, "receipt-missing"),
        (b'{"sequence": 7}', "receipt-missing"),
        (b'{"sequence": 6, "count": 3}', "receipt-mismatch"),
        (b'{"sequence": 7, "count": 2}', "receipt-mismatch"),
        (b'{"sequence": "7", "count": 3}', "receipt-mismatch"),
        (b'{"sequence": 7.0, "count": 3}', "receipt-mismatch"),
        (b'{"sequence": 7, "count": true}', "receipt-mismatch"),
        (b'{"sequence": 7, "count": NaN}', "receipt-mismatch"),
    ],
)
def test_anything_else_is_none(body: bytes, reason: str) -> None:
    """X-12."""
    assert judged(200, body) == (False, reason)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (301, "redirect"),
        (304, "redirect"),
        (400, "http-400"),
        (409, "http-409"),
        (410, "gone"),
        (500, "http-500"),
    ],
)
def test_a_receipt_does_not_help_an_error(status: int, reason: str) -> None:
    assert judged(status, json.dumps(RIGHT).encode()) == (False, reason)


def test_a_receipts_own_number_is_kept_but_not_without_end() -> None:
    told = json.dumps(RIGHT | {"receipt": "R" * 500}).encode()
    receipt = outcome_of(HttpAnswer(200, told), 7, 3, NOW).receipt
    assert receipt is not None
    assert receipt["receipt"] == "R" * 200


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", 120.0),
        ("Mon, 05 Jan 2026 08:01:30 GMT", 90.0),
        ("Mon, 05 Jan 2026 07:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("-5", 0.0),
        ("", 0.0),
        ("٣", 0.0),
    ],
)
def test_a_receiver_may_ask_for_time(text: str, wait: float) -> None:
    assert outcome_of(HttpAnswer(503, b"", {"Retry-After": text}), 7, 3, NOW).wait == wait
