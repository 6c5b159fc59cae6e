"""The register of the office's rules (C-04): each change is the next version, with evidence. Light.

Entries: ``RULE#{id}`` holds ``V#{n}`` (never changed once written) and ``LATEST``; ``RULES-OF#{resource}`` /
``{id}`` is the newest version again, so that a batch finds its rules by one query; ``index1`` lists all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from huitong.audit.trace import Trace, Traces
from huitong.contracts.model import Contract
from huitong.errors import BadRequest, Conflict, NotFound
from huitong.ports import Clock, Item, Register, timestamp
from huitong.quality.rulebook.model import OfficeRule, RuleSet, RuleState, tables_of

_LATEST: Final = "LATEST"
_LISTED: Final = "RULES"
#: Of one resource: more would make the one query of a batch long.
MOST: Final = 200
_KEPT: Final = ("id", "resource", "kind")


class ContractSource(Protocol):
    def find(self, id: str, version: int = 0) -> Contract | None: ...

    def all(self) -> list[Contract]: ...


@dataclass(frozen=True, slots=True)
class Change:
    """Who changes a rule and why; ``seen`` is the version they looked at (0 = whatever it is)."""

    by: str
    unit: str
    reason: str
    seen: int = 0


class Rulebook:
    """``rows`` gives the published rows of a resource, for the estimate of costs; ``served`` the number of
    its present publication."""

    def __init__(
        self,
        register: Register,
        traces: Traces,
        clock: Clock,
        contracts: ContractSource,
        rows: Callable[[str], int] = lambda _: 0,
        served: Callable[[str], int] = lambda _: 0,
    ) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock
        self._contracts = contracts
        self._rows = rows
        self._served = served

    # --- reading -----------------------------------------------------------

    def of(self, contract: Contract) -> RuleSet:
        """The rules in force for deliveries of the contract, with the version of the whole."""
        found = tuple(r for r in self.listed(contract.id) if r.state == "enabled")
        return RuleSet(contract.id, contract.version, found)

    def standing(self, contract: Contract) -> str:
        """What decides about rows now: the version of the rules and, of those that look into published
        tables, what these serve. A row may pass by a rule that did not change, once its case has arrived."""
        rules = self.of(contract)
        read = {name for rule in rules.rules for name in tables_of(rule)}
        return "|".join([rules.version, *(f"{name}@{self._served(name)}" for name in sorted(read))])

    def listed(self, resource: str) -> list[OfficeRule]:
        """The newest version of each rule of a resource, by id."""
        return [OfficeRule.from_dict(i.body) for i in self._register.query(f"RULES-OF#{resource}")]

    def all(self) -> list[OfficeRule]:
        """Of every resource. Eventually consistent."""
        return [OfficeRule.from_dict(i.body) for i in self._register.query_index("index1", _LISTED)]

    def get(self, id: str, version: int = 0) -> OfficeRule:
        """One version, 0 = the newest. Raises NotFound."""
        item = self._register.get(_pk(id), _version(version) if version else _LATEST)
        if item is None:
            which = f" v{version}" if version else ""
            raise NotFound(f"没有规则 {id}{which}", f"There is no rule {id}{which}", rule=id)
        return OfficeRule.from_dict(item.body)

    def versions(self, id: str) -> list[OfficeRule]:
        """Every version, oldest first. Raises NotFound."""
        found = [OfficeRule.from_dict(i.body) for i in self._register.query(_pk(id), prefix="V#")]
        return found or [self.get(id)]

    def known(self, name: str) -> Contract | None:
        """A resource by id, alias or table."""
        found = self._contracts.find(name) or self._contracts.find(name.upper())
        return found or next((c for c in self._contracts.all() if c.table.lower() == name.lower()), None)

    # --- changing ----------------------------------------------------------

    def create(self, rule: OfficeRule, change: Change) -> OfficeRule:
        """A draft, in version 1. Raises BadRequest with every fault, Conflict when the id is taken."""
        if self._register.get(_pk(rule.id), _LATEST) is not None:
            raise Conflict(f"规则 {rule.id} 已存在", f"There is a rule {rule.id} already", rule=rule.id)
        if len(self.listed(rule.resource)) >= MOST:
            raise BadRequest(f"每个资源最多 {MOST} 条规则", f"A resource has {MOST} rules at most")
        return self._store(replace(rule, state="draft", version=0), change, None)

    def put(self, id: str, changes: Mapping[str, Any], change: Change) -> OfficeRule:
        """The next version with other content; it stays enabled or not as it is.

        Raises NotFound, BadRequest, and Conflict when it is not at ``seen`` or somebody else was first.
        """
        latest = self._latest(id, change)
        before = OfficeRule.from_dict(latest.body)
        if any(changes.get(name, getattr(before, name)) != getattr(before, name) for name in _KEPT):
            zh, en = "编号、资源和类型不能更改", "Id, resource and kind cannot be changed: make another rule"
            raise BadRequest(zh, en, rule=id)
        made = OfficeRule.from_dict({**before.as_dict(), **changes})
        return self._store(made, change, latest)

    def move(self, id: str, state: RuleState, change: Change) -> OfficeRule:
        """Enable or disable. A rule that is so already stays as it is. Raises like :meth:`put`."""
        latest = self._latest(id, change)
        before = OfficeRule.from_dict(latest.body)
        if before.state == state:
            return before
        if state == "draft":
            raise BadRequest("启用过的规则不再是草稿", "A rule does not become a draft again", rule=id)
        return self._store(replace(before, state=state), change, latest)

    def _latest(self, id: str, change: Change) -> Item:
        latest = self._register.get(_pk(id), _LATEST)
        if latest is None:
            raise NotFound(f"没有规则 {id}", f"There is no rule {id}", rule=id)
        version = int(latest.body["version"])
        if change.seen and change.seen != version:
            raise Conflict(
                f"规则 {id} 已是第 {version} 版",
                f"Rule {id} is at version {version} by now",
                rule=id,
                version=version,
            )
        return latest

    def _store(self, rule: OfficeRule, change: Change, latest: Item | None) -> OfficeRule:
        from huitong.quality.rulebook.binding import bind
        from huitong.quality.rulebook.cost import cost_of

        contract = self._contracts.find(rule.resource)
        if contract is None:
            raise NotFound(
                f"没有资源 {rule.resource}", f"There is no resource {rule.resource}", resource=rule.resource
            )
        cost: Mapping[str, Any] = rule.cost
        if rule.state != "disabled":  # a rule that no longer fits its contract can still be switched off
            cost = cost_of(bind(replace(rule, resource=contract.id), contract, self.known), self._rows)
        at = timestamp(self._clock.now())
        made = replace(rule, resource=contract.id, version=rule.version + 1, by=change.by, at=at,
                       reason=change.reason, cost=cost)  # fmt: skip
        body, index = made.as_dict(), (_LISTED, made.id)
        creates = [Item(_pk(made.id), _version(made.version), body)]
        replaces = []
        listed = self._register.get(f"RULES-OF#{contract.id}", made.id)
        if latest is None:
            creates.append(Item(_pk(made.id), _LATEST, body, index1=index))
        else:
            replaces.append(replace(latest, body=body))
        if listed is None:
            creates.append(Item(f"RULES-OF#{contract.id}", made.id, body))
        else:
            replaces.append(replace(listed, body=body))
        told = Trace("configure", change.by, change.unit, contract.id,
                     detail=f"rule:{made.id}:v{made.version}:{made.state}")  # fmt: skip
        self._traces.commit(told, creates=creates, replaces=replaces)
        return made


def _pk(id: str) -> str:
    return f"RULE#{id}"


def _version(version: int) -> str:
    return f"V#{version:06}"
