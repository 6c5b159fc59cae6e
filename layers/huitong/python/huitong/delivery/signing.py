"""Standard Webhooks: every message is signed, so that its receiver knows whose it is and that it is whole.

The signature covers ``{webhook-id}.{webhook-timestamp}.{body}``; the id is
``{subscription}.{n}``, so the sequence is signed too, and the count is that of
the events in the signed body.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from datetime import datetime

from huitong.delivery.model import secret_bytes


def signed_headers(message_id: str, body: bytes, secrets: Sequence[str], now: datetime) -> dict[str, str]:
    """The three headers of Standard Webhooks; one signature for each secret, for their rotation."""
    seconds = str(int(now.timestamp()))
    content = b".".join((message_id.encode(), seconds.encode(), body))
    marks = [hmac.digest(secret_bytes(secret), content, hashlib.sha256) for secret in secrets]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": seconds,
        "webhook-signature": " ".join(f"v1,{base64.b64encode(mark).decode()}" for mark in marks),
    }


def content_digest(body: bytes) -> str:
    """Value of the Content-Digest header (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
