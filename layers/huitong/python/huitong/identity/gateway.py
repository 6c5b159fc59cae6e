"""What a gateway can see of a request: its ``Authorization`` header, and nothing of path, query or body."""

from __future__ import annotations

from dataclasses import dataclass

from huitong.errors import NotAuthenticated
from huitong.identity.credentials import Credentials, principal_of
from huitong.identity.model import Principal
from huitong.identity.sessions import Sessions
from huitong.identity.signed import SignedRequests


@dataclass(frozen=True, slots=True)
class Gateway:
    """Reads the register and writes nothing: neither last use nor nonce, which are the application's."""

    credentials: Credentials
    sessions: Sessions
    signed: SignedRequests

    def look(self, header: str) -> Principal:
        """Who it could be. Raises NotAuthenticated."""
        scheme, _, token = header.partition(" ")
        if scheme.upper().startswith("HUITONG-HMAC-"):
            return principal_of(self.signed.claimed(header)[1])
        if scheme.lower() != "bearer":
            raise NotAuthenticated("缺少身份凭证", "No bearer token")
        token = token.strip()
        if token.startswith("hs_"):
            return self.sessions.authenticate(token, seen=False)
        return self.credentials.authenticate(token)
