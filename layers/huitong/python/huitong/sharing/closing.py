"""The end of a sharing's routes: its subscriptions are cancelled, whatever happens in between (Q-55, S-10).

With the grant's end, in one transaction, nothing of it is given any more on any
way out; the same transaction leaves a note of what is still to be closed. The
note goes when all is; if a process dies before, the clock finds the note.

Key: ``CLOSING`` / ``{application}#{at}``.
"""

from __future__ import annotations

from typing import Any, Final, Protocol

from huitong.errors import Conflict
from huitong.ports import Item, Register
from huitong.sharing.grants import Grants

_ENDED: Final = "cancelled"


class Routes(Protocol):
    """Subscriptions (:class:`huitong.delivery.subscriptions.Subscriptions`)."""

    def of_resource(self, resource: str) -> list[Any]: ...

    def cancel(self, id: str, *, by: str, reason: str = "") -> Any: ...


def marker_of(application: str, unit: str, resource: str, grant: str, *, at: str) -> Item:
    body = {"application": application, "unit": unit, "resource": resource, "grant": grant}
    return Item("CLOSING", f"{application}#{at}", body)


class Closing:
    def __init__(self, register: Register, grants: Grants, routes: Routes) -> None:
        self._register = register
        self._grants = grants
        self._routes = routes

    def finish(self, application: str) -> int:
        """Close what an application left open; nothing when there is nothing."""
        return sum(self._finish(i) for i in self._register.query("CLOSING", prefix=f"{application}#"))

    def finish_all(self) -> int:
        return sum(self._finish(item) for item in self._register.query("CLOSING"))

    def _finish(self, item: Item) -> int:
        unit, resource, grant = item.body["unit"], item.body["resource"], item.body["grant"]
        others = any(g.valid_on(self._grants.today()) for g in self._grants.of(unit, resource))
        for route in self._routes.of_resource(resource):
            mine = route.unit == unit and route.state != _ENDED
            if mine and (route.grant == grant or not (route.grant or others)):
                try:
                    self._routes.cancel(
                        route.id, by="platform", reason=f"application:{item.body['application']}"
                    )
                except Conflict:  # cancelled by somebody, or kept busy by its sender: looked at again
                    return 0
        self._register.write(deletes=[(item.pk, item.sk)])
        return 1
