"""Whom an application may be taken from here, and who has to take it otherwise (L-27, L-28). Pure.

The platform is a city's. The area of a unit stands in its unified social credit
code (digits 3 to 8, GB 32100); a unit of another city or level files with its
own platform, so its application is passed on, not accepted.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from huitong.identity.model import OPERATOR

#: 内部共享 between other units of the circle; 外部交换 the operator needs another's data; 外部提供 others
#: need the operator's.
SharingClass = Literal["internal_sharing", "external_exchange", "external_provision"]
CLASSES: Final[tuple[SharingClass, ...]] = ("internal_sharing", "external_exchange", "external_provision")

_LENGTH: Final = 18


@dataclass(frozen=True, slots=True)
class Route:
    """Where an application is passed on to."""

    level: Literal["city", "province", "nation"]
    zh: str
    en: str

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Circle:
    """The units of one city: those whose area code begins with ``area``."""

    area: str = "4403"

    def route(self, unit: str) -> Route | None:
        """None = the unit belongs to the circle and its application is taken here."""
        area = unit[2:8] if len(unit) == _LENGTH else ""
        if area.startswith(self.area):
            return None
        province = self.area[:2]
        if area.startswith(province) and area[2:4] != "00":
            return Route("city", f"{area[:4]} 市平台", f"the platform of city {area[:4]}")
        if area.startswith(province):
            return Route("province", f"{province} 省级平台", f"the platform of province {province}")
        return Route("nation", "国家平台", "the national platform")


def class_of(owner: str, receiver: str) -> SharingClass:
    """The class follows from who needs whose data; it is not for the applicant to choose."""
    if receiver == OPERATOR:
        return "external_exchange"
    return "external_provision" if owner == OPERATOR else "internal_sharing"
