"""Signatures judged by the receivers' own library."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from huitong.delivery.model import new_secret, secret_bytes
from huitong.delivery.signing import content_digest, signed_headers
from huitong.errors import BadRequest

BODY = '[{"id":"IN-01:1:1","data":"中文"}]'.encode()


def test_the_receivers_library_accepts_what_is_signed() -> None:
    secret = new_secret()
    headers = signed_headers("s1.7", BODY, [secret], datetime.now(UTC))
    assert Webhook(secret).verify(BODY, headers) == [{"id": "IN-01:1:1", "data": "中文"}]


def test_while_secrets_rotate_both_are_good() -> None:
    old, new = new_secret(), new_secret()
    headers = signed_headers("s1.7", BODY, [new, old], datetime.now(UTC))
    for secret in (old, new):
        Webhook(secret).verify(BODY, headers)


@pytest.mark.parametrize(
    "change",
    [
        {"webhook-id": "s1.8"},
        {"webhook-timestamp": str(int(datetime.now(UTC).timestamp()) + 1)},
        {"webhook-signature": "v1,AAAA"},
    ],
    ids=["sequence", "time", "signature"],
)
def test_a_changed_header_is_found_out(change: dict[str, str]) -> None:
    """S-20: a changed, repeated or late package is rejected."""
    secret = new_secret()
    headers = signed_headers("s1.7", BODY, [secret], datetime.now(UTC))
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers | change)


def test_a_changed_body_a_foreign_secret_and_an_old_message_are_found_out() -> None:
    """S-20."""
    secret = new_secret()
    now = datetime.now(UTC)
    headers = signed_headers("s1.7", BODY, [secret], now)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, signed_headers("s1.7", BODY, [secret], now - timedelta(minutes=6)))


def test_digest_of_a_body_is_that_of_rfc_9530() -> None:
    expected = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    assert content_digest(b'{"hello": "world"}\n'[:-1]) == expected


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "secret",
        "whsec_***",
        "whsec_QUJD",
        "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNk",
        "whsec_" + "QUJD" * 22,
    ],
)
def test_a_weak_or_malformed_secret_is_refused(secret: str) -> None:
    with pytest.raises(BadRequest):
        secret_bytes(secret)
