"""Builders of identity: accounts, sign-in, sessions, signed requests, posts and duties."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from huitong import settings
from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.identity.accounts import Accounts
    from huitong.identity.attempts import Attempts
    from huitong.identity.bounds import Bounds
    from huitong.identity.duties import Duties
    from huitong.identity.networks import AdminNetworks
    from huitong.identity.posts import Posts
    from huitong.identity.provider import IdentityProvider
    from huitong.identity.sessions import Sessions
    from huitong.identity.sign_in import SignIn
    from huitong.identity.signed import SignedRequests
    from huitong.identity.unused import Unused


def bounds(s: settings.Settings) -> Bounds:
    from huitong.identity.bounds import Bounds

    return Bounds(parts.register(s), parts.CLOCK)


def admin_networks(s: settings.ApiSettings | settings.QuerySettings) -> AdminNetworks:
    from huitong.identity.networks import AdminNetworks

    return AdminNetworks.read(s.admin_networks)


def sessions(s: settings.Settings) -> Sessions:
    from huitong.identity.sessions import Sessions

    return Sessions(parts.register(s), parts.traces(s), parts.CLOCK)


def signed(s: settings.Settings) -> SignedRequests:
    from huitong.identity.signed import SignedRequests

    secrets = parts.secrets(s, s.secrets_key)
    return SignedRequests(parts.register(s), secrets, parts.CLOCK, accepted=s.signature_algorithms.split(","))


def provider(s: settings.Settings) -> IdentityProvider:
    from huitong.aws.cognito import CognitoIdentity

    pool, client_id = getattr(s, "user_pool", ""), getattr(s, "user_pool_client", "")
    return CognitoIdentity(parts.client(s, "cognito-idp"), pool, client_id)


def attempts(s: settings.Settings) -> Attempts:
    from huitong.identity.attempts import Attempts

    return Attempts(parts.register(s), parts.CLOCK)


def accounts(s: settings.Settings) -> Accounts:
    from huitong.identity.accounts import Accounts

    return Accounts(parts.register(s), parts.traces(s), provider(s), attempts(s), parts.CLOCK)


def sign_in(s: settings.Settings) -> SignIn:
    from huitong.identity.sign_in import SignIn

    return SignIn(
        register=parts.register(s),
        provider=provider(s),
        sessions=sessions(s),
        attempts=attempts(s),
        secrets=parts.secrets(s, s.secrets_key),
        traces=parts.traces(s),
        clock=parts.CLOCK,
        password_days=getattr(s, "password_days", 90),
    )


def posts(s: settings.Settings) -> Posts:
    from huitong.identity.posts import Posts

    return Posts(parts.register(s), parts.traces(s))


def duties(s: settings.Settings) -> Duties:
    from huitong.identity.duties import Duties

    return Duties(parts.register(s), parts.traces(s), parts.CLOCK)


def unused(s: settings.Settings) -> Unused:
    from huitong.identity.credentials import Credentials
    from huitong.identity.unused import Unused
    from huitong.notices.notices import Notices

    kept = parts.register(s)
    return Unused(
        accounts(s),
        Credentials(kept, parts.CLOCK, parts.traces(s)),
        Notices(kept, parts.CLOCK),
        days=getattr(s, "unused_days", 90),
    )


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "accounts": accounts,
    "admin_networks": admin_networks,
    "bounds": bounds,
    "duties": duties,
    "posts": posts,
    "sessions": sessions,
    "sign_in": sign_in,
    "signed": signed,
    "unused": unused,
}
