"""The port to whoever keeps passwords and second factors of people: a Cognito user pool, or a local one.

The platform never stores a password. It keeps the account (:mod:`accounts`),
counts attempts (:mod:`attempts`), and opens its own sessions (:mod:`sessions`).
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass
from typing import Final, Literal, Protocol

ChallengeKind = Literal["code", "new_password", "setup"]
_SYMBOLS: Final = "-+=%@#"


@dataclass(frozen=True, slots=True)
class Challenge:
    """What is asked next. ``state`` belongs to the provider and never reaches the person.

    ``secret`` is the TOTP secret to enrol, in a ``setup`` only.
    """

    kind: ChallengeKind
    state: str
    secret: str = ""


class IdentityProvider(Protocol):
    """Raises NotAuthenticated for whatever is wrong with login, password, code or state, BadRequest for a
    new password that the policy refuses, Unavailable when it cannot be reached."""

    def put_user(self, login: str, temporary: str) -> None:
        """Make the user afresh: a temporary password, to be changed at once, and no second factor."""
        ...

    def set_enabled(self, login: str, enabled: bool) -> None:
        """Whether the user may sign in. An unknown user is no error."""
        ...

    def begin(self, login: str, password: str) -> Challenge:
        """A right password leads to a challenge, never to success (S-03)."""
        ...

    def answer(self, login: str, challenge: Challenge, reply: str) -> Challenge | None:
        """The next challenge, or None when the person has proven both factors."""
        ...

    def set_password(self, login: str, password: str) -> None:
        """A password of the person's own choice, in place of an expired one."""
        ...


def temporary_password() -> str:
    """Random, and with every kind of character that a policy may ask for."""
    kinds = (string.ascii_uppercase, string.ascii_lowercase, string.digits, _SYMBOLS)
    chosen = [secrets.choice(kind) for kind in kinds]
    chosen += [secrets.choice(string.ascii_letters + string.digits) for _ in range(16)]
    secrets.SystemRandom().shuffle(chosen)
    return "".join(chosen)
