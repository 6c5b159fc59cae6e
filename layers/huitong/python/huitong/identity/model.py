"""Who is asking."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

#: The unit that runs the platform: 深圳市破产事务管理署 (domain.md 5.1; a synthetic code with valid checks).
OPERATOR: Final = "1144030000AA01123N"

Role = Literal["admin", "source", "consumer", "officer", "analyst", "auditor"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A person or system that proved who it is.

    ``unit`` is the unified social credit code of its unit; ``acts_for`` lists
    further units it may act for ("*" = any).
    """

    id: str
    unit: str
    roles: frozenset[Role]
    acts_for: tuple[str, ...] = ()

    def may_act_for(self, unit: str) -> bool:
        return unit == self.unit or "*" in self.acts_for or unit in self.acts_for

    def has(self, *roles: Role) -> bool:
        return bool(self.roles.intersection(roles))
