"""A new start for a subscription that was suspended. Light to import."""

from __future__ import annotations

from huitong.delivery.model import Subscription
from huitong.delivery.subscriptions import Subscriptions
from huitong.errors import Conflict


class Replay:
    def __init__(self, subscriptions: Subscriptions) -> None:
        self._subscriptions = subscriptions

    def replay(self, id: str, *, by: str) -> Subscription:
        """Send the delivery that failed again, with all its attempts, then everything after it, in order.

        Raises NotFound, or Conflict when the subscription is not suspended.
        """
        found = self._subscriptions.get(id).subscription
        if found.state != "suspended":
            raise Conflict(
                f"订阅处于 {found.state},没有需要重投的内容",
                f"The subscription is {found.state}: there is nothing to replay",
                subscription=id,
            )
        return self._subscriptions.resume(id, by=by)
