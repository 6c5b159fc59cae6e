"""Releases: which resources are public, by whose check, with which fields (Q-62, C-23).

Key ``OPEN`` / ``{resource}``. A later version of the contract shows no field more than was checked, and
nothing at all once it breaks a rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Self

from huitong.audit.trace import Trace, Traces
from huitong.contracts.model import Contract
from huitong.errors import BadRequest, NotFound
from huitong.open_access.publication_rules import RULES, open_check, open_fields
from huitong.ports import Clock, Item, Register, timestamp

_PK: Final = "OPEN"


@dataclass(frozen=True, slots=True)
class Release:
    """``rules`` are those that were checked."""

    resource: str
    version: int
    fields: tuple[str, ...]
    basis: str
    by: str
    at: str
    rules: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{**body, "fields": tuple(body["fields"]), "rules": tuple(body["rules"])})


class Releases:
    def __init__(self, register: Register, traces: Traces, clock: Clock) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock

    def release(self, contract: Contract, *, by: str, unit: str, basis: str) -> Release:
        """Make a resource public. Raises BadRequest with every rule that it breaks, and Conflict."""
        problems = open_check(contract)
        if problems:
            raise BadRequest(
                f"资源 {contract.id} 不符合公开规则",
                f"Resource {contract.id} breaks the rules of publication",
                problems=problems,
                resource=contract.id,
            )
        release = Release(
            contract.id,
            contract.version,
            tuple(f.name for f in open_fields(contract)),
            basis,
            by,
            timestamp(self._clock.now()),
            tuple(rule.id for rule in RULES),
        )
        stored = self._register.get(_PK, contract.id)
        trace = Trace("configure", by, unit, contract.id, fields=release.fields, detail="open:release")
        if stored is None:
            self._traces.commit(trace, creates=[Item(_PK, contract.id, release.as_dict())])
        else:
            changed = Item(_PK, contract.id, release.as_dict(), version=stored.version)
            self._traces.commit(trace, replaces=[changed])
        return release

    def withdraw(self, resource: str, *, by: str, unit: str) -> None:
        """End the publication of a resource at once. Raises NotFound."""
        if self._register.get(_PK, resource) is None:
            raise _not_open(resource)
        trace = Trace("configure", by, unit, resource, detail="open:withdraw")
        self._traces.commit(trace, deletes=[(_PK, resource)])

    def all(self) -> list[Release]:
        return [Release.from_dict(item.body) for item in self._register.query(_PK)]

    def shown(self, contract: Contract | None, name: str = "") -> Release:
        """The release under which a resource is public now. Raises NotFound for everything else alike."""
        item = self._register.get(_PK, contract.id) if contract is not None else None
        if contract is None or item is None or open_check(contract):
            raise _not_open(contract.id if contract and item else name)
        return Release.from_dict(item.body)


def _not_open(resource: str) -> NotFound:
    return NotFound(f"没有公开资源 {resource}", f"There is no public resource {resource}", resource=resource)
