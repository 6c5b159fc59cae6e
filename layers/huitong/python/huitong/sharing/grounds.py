"""On which grounds somebody else's personal data are used: a case, or a statutory duty (Q-39, S-11).

Ports only: the case register and the register of posts and duties are joined
to them in :mod:`huitong.wiring`. Light.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from huitong.errors import NotPermitted
from huitong.identity.model import Principal


class Binding(Protocol):
    """A case to which an asker is bound. ``since``: first day of its look-back period, empty = no limit."""

    @property
    def case_no(self) -> str: ...

    @property
    def subjects(self) -> frozenset[str]: ...

    @property
    def since(self) -> str: ...


class Bindings(Protocol):
    def bound(self, case_no: str, principal: Principal, unit: str, *, grant: str = "") -> Any:
        """The :class:`Binding`. Raises NotPermitted: no such case, not open, or not the asker's."""
        ...


class HeldDuties(Protocol):
    def held(self, principal: Principal, unit: str, duty: str) -> Any:
        """Truthy when the duty is registered for the asker's post, or for the unit when a system asks."""
        ...


class Grounds(Protocol):
    def case(self, case_no: str, principal: Principal, unit: str, grant: str) -> Binding: ...

    def duty(self, principal: Principal, unit: str, duty: str) -> bool: ...


class NoGrounds:
    """Where no register is joined nobody has any ground."""

    def case(self, case_no: str, principal: Principal, unit: str, grant: str) -> Binding:  # noqa: ARG002
        raise NotPermitted("没有案件登记", "There is no register of cases", case_no=case_no)

    def duty(self, principal: Principal, unit: str, duty: str) -> bool:  # noqa: ARG002
        return False


class RegisteredGrounds:
    """By the registers, which are built when the first use needs them."""

    def __init__(self, cases: Callable[[], Bindings], duties: Callable[[], HeldDuties]) -> None:
        self._cases = cases
        self._duties = duties

    def case(self, case_no: str, principal: Principal, unit: str, grant: str) -> Binding:
        binding: Binding = self._cases().bound(case_no, principal, unit, grant=grant)
        return binding

    def duty(self, principal: Principal, unit: str, duty: str) -> bool:
        return bool(self._duties().held(principal, unit, duty))
