"""Time-based one-time passwords of authenticator apps (RFC 6238: HMAC-SHA-1, 30 seconds, 6 digits)."""

from __future__ import annotations

import base64
import hmac
import secrets
import struct
from datetime import datetime
from typing import Final
from urllib.parse import quote

STEP: Final = 30
_DIGITS: Final = 6


def new_secret() -> str:
    """160 random bits in base 32."""
    return base64.b32encode(secrets.token_bytes(20)).decode()


def code(secret: str, at: datetime, *, steps: int = 0) -> str:
    """The code of the moment; ``steps`` looks so many steps ahead."""
    key = base64.b32decode(secret + "=" * (-len(secret) % 8), casefold=True)
    return hotp(key, int(at.timestamp()) // STEP + steps)


def hotp(key: bytes, counter: int) -> str:
    """RFC 4226."""
    mac = hmac.new(key, struct.pack(">Q", counter), "sha1").digest()
    offset = mac[-1] & 0x0F
    number = struct.unpack(">I", mac[offset : offset + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**_DIGITS:0{_DIGITS}d}"


def matching_step(secret: str, given: str, at: datetime) -> int:
    """The step whose code was given, one step of drift allowed; 0 = none."""
    found = 0
    for steps in (-1, 0, 1):
        if hmac.compare_digest(code(secret, at, steps=steps).encode(), given.encode()):
            found = int(at.timestamp()) // STEP + steps
    return found


def address(secret: str, login: str, issuer: str = "Huitong") -> str:
    """``otpauth://…`` for an authenticator app."""
    label = f"{quote(issuer)}:{quote(login)}"
    return f"otpauth://totp/{label}?secret={secret}&issuer={quote(issuer)}&period={STEP}&digits={_DIGITS}"
