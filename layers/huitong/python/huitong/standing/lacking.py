"""What lacks before a resource is shared or an exchange enabled: pure decisions over what is registered.

Which way of use needs what is a table, :data:`NEEDS`. The operator, and a unit
with regard to its own data, lack nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from huitong.contracts.model import Contract, Field
from huitong.errors import Problem
from huitong.identity.model import OPERATOR
from huitong.procedures.model import Record
from huitong.sharing.access import PATHS, Path_
from huitong.standing.contents import INTERFACES
from huitong.standing.desks import latest_confirmed
from huitong.standing.registration import DUTIES, Registration

Need = Literal["standing", "officers", "sharing", "security", "list", "docking", "test"]

_BASIC: Final[tuple[Need, ...]] = ("standing", "officers", "sharing", "security")
_CONNECTED: Final[tuple[Need, ...]] = (*_BASIC, "list", "docking", "test")
#: Way of use → what must be there before it is enabled. What connects two systems needs a tested interface;
#: reading on the platform itself (console SQL, forms, exports, requests) does not.
NEEDS: Final[Mapping[str, tuple[Need, ...]]] = {
    "sql": _BASIC,
    "read": _BASIC,
    "export": _BASIC,
    "request": _BASIC,
    "pull": _CONNECTED,
    "push": _CONNECTED,
    "snapshot": _CONNECTED,
    "comparison": _CONNECTED,
}
#: A way of use that goes over another one's interface.
_INTERFACE_OF: Final = {"snapshot": "pull"}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is registered about a unit that is to have a resource. ``sharing`` are agreements of the source
    unit with the operator or this unit, ``security`` those of the source unit and this unit."""

    unit: str
    contract: Contract
    today: date
    registration: Registration | None = None
    provider: Registration | None = None
    sharing: Sequence[Record] = ()
    security: Sequence[Record] = ()
    lists: Sequence[Record] = ()
    dockings: Sequence[Record] = ()
    tests: Sequence[Record] = ()
    services: Mapping[str, Sequence[Record]] = field(default_factory=dict)  # technical providers → agreements
    tested: Mapping[int, Contract] = field(default_factory=dict)  # versions of the contract that were tested


#: What can be switched off for a unit and a resource: each way of use, with those that go over it.
SWITCHES: Final[tuple[Path_, ...]] = tuple(way for way in PATHS if way not in _INTERFACE_OF)


def ways_over(interface: str) -> tuple[Path_, ...]:
    """The ways of use that go over an interface: closing it closes them."""
    return tuple(way for way in PATHS if _INTERFACE_OF.get(way, way) == interface)


def exempt(unit: str, contract: Contract) -> bool:
    """Whether nothing is asked of the unit: the operator, and a unit with regard to its own data."""
    return unit in (contract.provider or OPERATOR, OPERATOR)


def in_force(agreements: Sequence[Record], kind: str, resource: str, today: date) -> list[Record]:
    """Signed agreements of a kind that cover the resource today and that no signed one replaces."""
    signed = [a for a in agreements if a.state == "signed"]
    replaced = {a.content.get("replaces") for a in signed if _runs(a, today)}
    return [
        a
        for a in signed
        if a.content["kind"] == kind
        and _runs(a, today)
        and a.id not in replaced
        and (resource in a.content["resources"] or (kind == "security" and not a.content["resources"]))
    ]


def share_problems(
    contract: Contract, provider: Registration | None, agreements: Sequence[Record], today: date
) -> list[Problem]:
    """What lacks before a resource may be published as shared (Q-02, Q-40)."""
    if (contract.provider or OPERATOR) == OPERATOR:
        return []
    problems = _standing(contract.provider, provider, "数源单位", "source unit")
    return problems + _sharing(contract, agreements, today)


def exchange_problems(facts: Facts, method: str, version: str = "") -> list[Problem]:
    """What lacks before the unit may have it this way; ``version`` of the interface ("" = present)."""
    if exempt(facts.unit, facts.contract):
        return []
    owner = facts.contract.provider or OPERATOR
    needs = NEEDS[method]
    problems: list[Problem] = []
    if "standing" in needs:
        problems += _standing(facts.unit, facts.registration, "用数单位", "receiving unit")
    if "officers" in needs and facts.registration is not None:
        problems += _officers(facts.registration)
    if "sharing" in needs and owner != OPERATOR:
        problems += _standing_state(owner, facts.provider, "数源单位", "source unit")
        problems += _sharing(facts.contract, facts.sharing, facts.today)
    if "security" in needs:
        problems += _security(facts)
    if "list" in needs:
        problems += _listed(facts)
    if "docking" in needs:
        problems += _docking(facts)
    if "test" in needs:
        problems += _tested(facts, _INTERFACE_OF.get(method, method), version)
    return problems


def breaking(before: Contract, after: Contract) -> list[str]:
    """What a receiver built for ``before`` stumbles over in ``after``: names of what changed.

    Fields taken out, other types or formats, another key, another meaning. Fields
    added, further codes, other titles and levels do not make a test void.
    """
    found = [f"key:{','.join(k.name for k in after.keys)}"] if _keys(before) != _keys(after) else []
    for old in before.fields:
        new = after.field_named(old.name)
        if new is None:
            found.append(f"{old.name}:removed")
        elif _form(old) != _form(new):
            found.append(f"{old.name}:form")
    return found


def _runs(agreement: Record, today: date) -> bool:
    return str(agreement.content["starts"]) <= today.isoformat() <= str(agreement.content["ends"])


def lists_in_force(records: Sequence[Record]) -> list[Record]:
    """Of each pair of units the list that both confirmed last."""
    pairs = {frozenset(r.parties.values()) for r in records}
    latest = [latest_confirmed([r for r in records if frozenset(r.parties.values()) == p]) for p in pairs]
    return [r for r in latest if r is not None]


def dockings_in_force(records: Sequence[Record]) -> list[Record]:
    """Confirmed docking records that no confirmed one revises."""
    confirmed = [r for r in records if r.state == "confirmed"]
    revised = {r.content.get("revises") for r in confirmed}
    return [r for r in confirmed if r.id not in revised]


def _keys(contract: Contract) -> list[str]:
    return [k.name for k in contract.keys]


def _form(f: Field) -> tuple[object, ...]:
    return (f.type, f.precision, f.scale, f.semantic, f.formats)


def _standing(unit: str, registration: Registration | None, zh: str, en: str) -> list[Problem]:
    if registration is None:
        return [
            _lack(
                "unit-registered",
                f"{zh} {unit} 未登记地址、联系人与职责人员",
                f"The {en} {unit} has not registered its standing",
                "登记单位信息:huitong unit register",
                "Register it: huitong unit register",
                unit=unit,
            )
        ]
    return _standing_state(unit, registration, zh, en)


def _standing_state(unit: str, registration: Registration | None, zh: str, en: str) -> list[Problem]:
    if registration is None or registration.state == "active":
        return []
    return [
        _lack(
            "unit-state",
            f"{zh} {unit} 处于 {registration.state}:{registration.reason}",
            f"The {en} {unit} is {registration.state}: {registration.reason}",
            "由管理方恢复后再办理",
            "The operator sets it active again first",
            unit=unit,
        )
    ]


def _officers(registration: Registration) -> list[Problem]:
    if not registration.unnamed:
        return []
    zh = "、".join(DUTIES[d][0] for d in registration.unnamed)
    en = ", ".join(DUTIES[d][1] for d in registration.unnamed)
    return [
        _lack(
            "unit-officers",
            f"单位 {registration.unit} 未登记:{zh}",
            f"Unit {registration.unit} has not named its {en}",
            "补登职责人员:huitong unit register --officer",
            "Name them: huitong unit register --officer",
            unit=registration.unit,
        )
    ]


def _sharing(contract: Contract, agreements: Sequence[Record], today: date) -> list[Problem]:
    if in_force(agreements, "sharing", contract.id, today):
        return []
    return [
        _lack(
            "sharing-agreement",
            f"与数源单位 {contract.provider} 没有覆盖资源 {contract.id} 的有效协商一致",
            f"No agreement in force with the source unit {contract.provider} covers {contract.id}",
            "由双方签署协商一致:huitong agreement draft --set kind=sharing",
            "Have both sign one: huitong agreement draft --set kind=sharing",
            resource=contract.id,
        )
    ]


def _security(facts: Facts) -> list[Problem]:
    found = []
    if not in_force(facts.security, "security", facts.contract.id, facts.today):
        found.append(
            _lack(
                "security-agreement",
                f"单位 {facts.unit} 与数源单位之间没有有效的数据安全协议",
                f"No security agreement between {facts.unit} and the source unit is in force",
                "由双方签署安全协议:huitong agreement draft --set kind=security",
                "Have both sign one: huitong agreement draft --set kind=security",
                unit=facts.unit,
            )
        )
    for provider, agreements in sorted(facts.services.items()):
        if not in_force(agreements, "security", facts.contract.id, facts.today):
            found.append(
                _lack(
                    "service-provider",
                    f"技术服务单位 {provider} 没有有效的数据安全协议",
                    f"The technical service provider {provider} has no security agreement in force",
                    "技术服务单位也须签署安全协议",
                    "Technical service providers sign one, too",
                    unit=provider,
                )
            )
    return found


def _listed(facts: Facts) -> list[Problem]:
    if any(facts.contract.id in r.content["resources"] for r in lists_in_force(facts.lists)):
        return []
    return [
        _lack(
            "confirmed-list",
            f"双方确认的共享清单未含资源 {facts.contract.id}",
            f"The list that both confirmed does not include {facts.contract.id}",
            "提出并确认清单:huitong share-list propose",
            "Put forward a list and have it confirmed: huitong share-list propose",
            resource=facts.contract.id,
        )
    ]


def _docking(facts: Facts) -> list[Problem]:
    if any(facts.contract.id in r.content["resources"] for r in dockings_in_force(facts.dockings)):
        return []
    return [
        _lack(
            "docking-record",
            f"没有含资源 {facts.contract.id} 的对接记录",
            f"No docking record that both confirmed includes {facts.contract.id}",
            "登记对接方案、安全条款与联系人:huitong docking propose",
            "Record scope, method, security terms and contacts: huitong docking propose",
            resource=facts.contract.id,
        )
    ]


def _tested(facts: Facts, interface: str, version: str) -> list[Problem]:
    """The latest confirmed test of this interface and version decides, passed or failed."""
    version = version or INTERFACES[interface]
    resource = facts.contract.id
    tests = [t for t in facts.tests if t.content["resource"] == resource]
    tests = [t for t in tests if t.content["interface"] == interface]
    latest = latest_confirmed([t for t in tests if t.content["interface_version"] == version])
    if latest is not None and latest.content["result"] == "passed":
        before = facts.tested.get(int(latest.content["contract_version"]), facts.contract)
        changed = breaking(before, facts.contract)
        if not changed:
            return []
        zh, en = f"联调后资源结构已变:{' '.join(changed)}", f"It changed since the test: {' '.join(changed)}"
    elif latest is not None:
        zh, en = "最近一次联调未通过", "The latest joint test failed"
    elif tests:
        zh, en = f"联调只针对其他接口版本,现为 {version}", f"Only other versions were tested, not {version}"
    else:
        zh, en = "没有双方确认的联调测试", "There is no joint test that both confirmed"
    return [
        _lack(
            "joint-test",
            f"资源 {resource} 的 {interface} 接口:{zh}",
            f"Interface {interface} of {resource}: {en}",
            "联调并登记结果与证据:huitong joint-test record",
            "Test together, record result and evidence: huitong joint-test record",
            resource=resource,
            interface=interface,
            version=version,
        )
    ]


def _lack(rule: str, zh: str, en: str, advice_zh: str, advice_en: str, **where: str) -> Problem:
    return Problem(f"gate.{rule}", zh, en, where, advice_zh, advice_en)
