"""Does the grant behind a subscription still hold? Asked again before planning and before sending (S-10)."""

from __future__ import annotations

from collections.abc import Callable

from huitong.contracts.model import Contract
from huitong.delivery.model import Subscription
from huitong.delivery.subscriptions import narrowed
from huitong.identity.model import Principal
from huitong.sharing.access import Access
from huitong.sharing.grants import Grants, access_for

#: What a subscription may have now, at most what it asked for; None = nothing any more.
Entitlement = Callable[[Subscription, Contract], Access | None]


def as_granted(grants: Grants) -> Entitlement:
    """The entitlement by the grant in force: fewer fields, more masks or no grant take effect at once."""

    def current(subscription: Subscription, contract: Contract) -> Access | None:
        principal = Principal(subscription.id, subscription.unit, frozenset({"consumer"}))
        access = access_for(principal, contract, grants)
        if access is None:
            return None
        chosen = narrowed(access, subscription.fields, subscription.row_filter)
        return chosen if chosen.fields else None

    return current


def as_created(subscription: Subscription, contract: Contract) -> Access | None:  # noqa: ARG001
    """The entitlement as it was when the subscription was made: for tests and tools without grants."""
    return subscription.access
