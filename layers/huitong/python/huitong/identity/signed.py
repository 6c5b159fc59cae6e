"""Signed requests of systems: HMAC over everything that matters, a time stamp and a nonce (S-36).

::

    Authorization: HUITONG-HMAC-SM3 Credential=<id>, Timestamp=<2026-01-05T08:00:00Z>,
                   Nonce=<16 to 64 characters>, Digest=<hex of the body>, Signature=<hex>

The text to sign has a line each for algorithm, credential, time stamp, nonce,
method, path, sorted query, every ``huitong-*`` header, and the body's digest.
The key is sealed in the register since it was issued and never leaves by it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets as random_source
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from huitong.errors import BadRequest, Conflict, Fault, NotAuthenticated
from huitong.identity.credentials import Credentials, principal_of, usable
from huitong.identity.model import Principal
from huitong.ports import Clock, Item, Register, Secrets

#: Algorithm as the header names it → hash as hashlib knows it.
ALGORITHMS: Final = {"HUITONG-HMAC-SM3": "sm3", "HUITONG-HMAC-SHA256": "sha256"}
WINDOW: Final = timedelta(minutes=5)
_BLOCK: Final = 64  # bytes, of both hashes
_UNSEALED: Final = 256  # keys kept in memory
_HEADER: Final = re.compile(
    r"(?P<algorithm>[A-Z0-9-]{1,32}) Credential=(?P<credential>[a-z0-9]{1,32}), ?"
    r"Timestamp=(?P<timestamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z), ?"
    r"Nonce=(?P<nonce>[A-Za-z0-9_-]{16,64}), ?Digest=(?P<digest>[0-9a-f]{64}), ?"
    r"Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Signable:
    """What a signature covers. ``path`` starts with ``/v1``, percent-encoded; names and values of ``query``
    are plain."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Claim:
    """What the header says, not yet proven."""

    algorithm: str
    credential: str
    timestamp: str
    nonce: str
    digest: str
    signature: str


def text_to_sign(claim: Claim, request: Signable) -> bytes:
    """One line for each thing, joined by line feeds, UTF-8."""
    query = sorted((quote(name, safe="-_.~"), quote(value, safe="-_.~")) for name, value in request.query)
    headers = sorted(
        (name.lower(), " ".join(value.split()))
        for name, value in request.headers
        if name.lower().startswith("huitong-")
    )
    lines = [
        claim.algorithm,
        claim.credential,
        claim.timestamp,
        claim.nonce,
        request.method.upper(),
        request.path,
        "&".join(f"{name}={value}" for name, value in query),
        *(f"{name}:{value}" for name, value in headers),
        claim.digest,
    ]
    return "\n".join(lines).encode()


def sign(algorithm: str, key: str, credential: str, request: Signable, at: datetime, nonce: str = "") -> str:
    """The ``Authorization`` header of a request, as clients make it. Raises BadRequest."""
    if algorithm not in ALGORITHMS:
        known = " ".join(ALGORITHMS)
        raise BadRequest(f"签名算法须取自:{known}", f"The algorithm must be one of: {known}")
    stamp = at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    claim = Claim(
        algorithm,
        credential,
        stamp,
        nonce or random_source.token_urlsafe(24),
        digest_of(algorithm, request.body),
        "",
    )
    signature = mac(algorithm, key.encode(), text_to_sign(claim, request))
    return (
        f"{algorithm} Credential={credential}, Timestamp={stamp}, Nonce={claim.nonce}, "
        f"Digest={claim.digest}, Signature={signature}"
    )


class SignedRequests:
    """Raises NotAuthenticated with one message, whatever is wrong."""

    def __init__(
        self,
        register: Register,
        secrets: Secrets | None,
        clock: Clock,
        *,
        accepted: Sequence[str] = tuple(ALGORITHMS),
    ) -> None:
        self._register = register
        self._secrets = secrets
        self._clock = clock
        self._accepted = tuple(accepted)
        self._keys: dict[str, str] = {}  # by sealed text: a key that was replaced is not found again

    def claimed(self, header: str) -> tuple[Claim, Item]:
        """What a gateway can see without path and body: form, algorithm, time, and a usable credential."""
        shape = _HEADER.fullmatch(header.strip())
        claim = Claim(**shape.groupdict()) if shape else None
        if claim is None or claim.algorithm not in self._accepted or not self._timely(claim.timestamp):
            raise _refused()
        item = self._register.get(f"CREDENTIAL#{claim.credential}", "CREDENTIAL")
        if item is None or not item.body.get("sealed") or not usable(item, self._clock.now()):
            raise _refused()
        return claim, item

    def authenticate(self, header: str, request: Signable) -> Principal:
        """Who signed the request, whose nonce is used up by this."""
        claim, item = self.claimed(header)
        key = self._key(str(item.body["sealed"]), claim.credential)
        same = hmac.compare_digest(digest_of(claim.algorithm, request.body), claim.digest)
        expected = mac(claim.algorithm, key.encode(), text_to_sign(claim, request))
        if not (hmac.compare_digest(expected, claim.signature) and same):
            raise _refused()
        self._use_up(claim)
        Credentials(self._register, self._clock).seen(item)
        return principal_of(item)

    def _timely(self, stamp: str) -> bool:
        try:
            moment = datetime.fromisoformat(stamp.replace("Z", "+00:00"))
        except ValueError:
            return False
        return abs(self._clock.now() - moment) <= WINDOW

    def _use_up(self, claim: Claim) -> None:
        expires = int((self._clock.now() + 3 * WINDOW).timestamp())
        try:
            self._register.create(
                Item(f"NONCE#{claim.credential}#{claim.nonce}", "NONCE", {}, expires=expires)
            )
        except Conflict as error:
            raise _refused() from error

    def _key(self, sealed: str, credential: str) -> str:
        if sealed not in self._keys:
            if self._secrets is None:
                raise Fault("未配置密钥服务", "No service for keys is configured")
            if len(self._keys) >= _UNSEALED:
                self._keys.clear()
            self._keys[sealed] = self._secrets.unseal(sealed, f"credential:{credential}")
        return self._keys[sealed]


def digest_of(algorithm: str, body: bytes) -> str:
    return _hash(ALGORITHMS[algorithm], body).hex()


def mac(algorithm: str, key: bytes, text: bytes) -> str:
    """HMAC (RFC 2104) in hex, over hashes that ``hmac`` may not know by name."""
    name = ALGORITHMS[algorithm]
    if name == "sha256":
        return hmac.new(key, text, "sha256").hexdigest()
    key = (_hash(name, key) if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = _hash(name, bytes(b ^ 0x36 for b in key) + text)
    return _hash(name, bytes(b ^ 0x5C for b in key) + inner).hex()


def _hash(name: str, data: bytes) -> bytes:
    """SM3 of OpenSSL where the interpreter's has it, else of ``cryptography``. Raises Fault without both."""
    try:
        return hashlib.new(name, data).digest()
    except ValueError:
        pass
    try:
        from cryptography.hazmat.primitives import hashes
    except ImportError as error:
        raise Fault(
            "此环境的 OpenSSL 不支持 SM3,且未安装 cryptography",
            "OpenSSL here has no SM3, and cryptography is not installed",
        ) from error
    made = hashes.Hash(hashes.SM3())
    made.update(data)
    return made.finalize()


def _refused() -> NotAuthenticated:
    return NotAuthenticated(
        "请求签名无效、已过期或已使用", "The signature is not valid, too old, or was used before"
    )
