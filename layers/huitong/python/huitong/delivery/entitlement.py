"""Does the grant behind a subscription still hold? Asked again before planning and before sending (S-10)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from huitong.contracts.model import Contract
from huitong.delivery.model import Subscription
from huitong.delivery.subscriptions import narrowed
from huitong.errors import NotPermitted
from huitong.identity.model import Principal
from huitong.sharing.access import Access, Use
from huitong.sharing.decide import access_for
from huitong.sharing.grants import Grants

#: What a subscription may have now, at most what it asked for; None = nothing any more.
Entitlement = Callable[[Subscription, Contract], Access | None]


class Gate(Protocol):
    """What is needed of :class:`huitong.standing.gates.Gates`."""

    def check_running(self, unit: str, resource: Contract, interface: str) -> None: ...


def as_granted(grants: Grants, gate: Gate) -> Entitlement:
    """The entitlement by the subscription's own grant: fewer fields, more masks, its end or the end of its
    case take effect at once, whatever other grants the unit has. The agreements and the joint test under it
    must stand, too (Q-51, S-37)."""

    def current(subscription: Subscription, contract: Contract) -> Access | None:
        principal = Principal(subscription.id, subscription.unit, frozenset({"consumer"}))
        use = Use("push", subscription.case_no, subscription.duty, grant=subscription.grant)
        try:
            access = access_for(principal, contract, grants, use=use)
            gate.check_running(subscription.unit, contract, "push")
        except NotPermitted:
            return None
        # a grant that came or went since is another access: what runs under one does not go on under another
        if access is None or access.gives != "rows" or access.grant != subscription.grant:
            return None
        chosen = narrowed(access, subscription.fields, subscription.row_filter)
        return chosen if chosen.fields else None

    return current


def as_created(subscription: Subscription, contract: Contract) -> Access | None:  # noqa: ARG001
    """The entitlement as it was when the subscription was made: for tests and tools without grants."""
    return subscription.access
