"""From where those may come who administer the platform (S-18)."""

from __future__ import annotations

from dataclasses import dataclass

from huitong.errors import NotPermitted
from huitong.identity.model import Principal
from huitong.identity.roles import APART


@dataclass(frozen=True, slots=True)
class AdminNetworks:
    """``networks`` (CIDR) from which alone administrators, security administrators and auditors are heard,
    whatever they ask for; none = from anywhere. What counts is the address that the gateway saw.
    """

    networks: tuple[str, ...] = ()

    @classmethod
    def read(cls, text: str) -> AdminNetworks:
        """From a comma separated list. Raises ValueError for what is no network."""
        import ipaddress

        return cls(tuple(str(ipaddress.ip_network(one.strip())) for one in text.split(",") if one.strip()))

    def admit(self, principal: Principal, source: str) -> None:
        """Raises NotPermitted for an administrative role from another place."""
        if self.networks and APART.intersection(principal.roles) and not self._has(source):
            raise NotPermitted(
                "管理类角色只能从指定网络访问",
                "Administrative roles are heard from the networks of the office alone",
            )

    def _has(self, source: str) -> bool:
        import ipaddress

        try:
            address = ipaddress.ip_address(source)
        except ValueError:
            return False
        plain = getattr(address, "ipv4_mapped", None) or address
        return any(plain in ipaddress.ip_network(one) for one in self.networks)
