"""What an application asks for, checked as a whole (L-24, L-25). Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, Final

from huitong.contracts.model import Contract
from huitong.errors import BadRequest, Problem
from huitong.sharing.access import PATHS
from huitong.sharing.decide import is_personal

#: What an application must state (L-24), beside its resource.
REQUIRED: Final = ("fields", "purpose", "matter", "users", "methods", "ends", "reason")
_DEFAULTS: Final[Mapping[str, Any]] = {
    "fields": [], "unmasked": [], "row_filter": "", "purpose": "", "matter": "", "case_no": "", "duty": "",
    "users": [], "methods": [], "volume": 0, "frequency": "", "starts": "", "ends": "", "reason": "",
    "licence": "",
}  # fmt: skip


def complete(given: Mapping[str, Any], former: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All members: as given, else as in the former application that it amends, else empty."""
    former = former or {}
    return {name: given.get(name, former.get(name, empty)) for name, empty in _DEFAULTS.items()}


def check_asked(asked: Mapping[str, Any], contract: Contract | None, today: date) -> None:
    """Raises BadRequest with everything that is missing or wrong. ``contract`` None: a resource elsewhere."""
    problems = [_missing(name) for name in REQUIRED if _empty(asked[name])]
    problems += _days(asked, today)
    if unknown := sorted(set(asked["methods"]) - set(PATHS)):
        zh, en = f"没有使用方式 {' '.join(unknown)}", f"There is no method {' '.join(unknown)}"
        problems.append(Problem("application.method", zh, en, {"field": "methods"}))
    if contract is not None:
        problems += _fields(asked, contract)
        problems += _ground(asked, contract)
    if problems:
        raise BadRequest("申请有误", "The application is not valid", problems=problems)


def _fields(asked: Mapping[str, Any], contract: Contract) -> list[Problem]:
    problems = []
    for name in _unknown(asked["fields"], [f.name for f in contract.fields]):
        zh, en = (
            f"资源没有字段 {name};申请须逐项列出字段",
            f"The resource has no field {name}: name single fields",
        )
        problems.append(Problem("application.field", zh, en, {"field": "fields"}))
    for name in _unknown(asked["unmasked"], asked["fields"]):
        zh, en = f"明文字段 {name} 未列入申请字段", f"Field {name} is to be plain but is not applied for"
        problems.append(Problem("application.unmasked", zh, en, {"field": "unmasked"}))
    return problems


def _ground(asked: Mapping[str, Any], contract: Contract) -> list[Problem]:
    if not is_personal(contract) or asked["case_no"] or asked["duty"]:
        return []
    zh, en = "个人信息须写明案号或法定职责", "Data about persons need a case or a statutory duty"
    return [Problem("application.ground", zh, en, {"field": "case_no"})]


def _days(asked: Mapping[str, Any], today: date) -> list[Problem]:
    days: dict[str, date] = {}
    problems = []
    for name in ("starts", "ends"):
        try:
            if asked[name]:
                days[name] = date.fromisoformat(asked[name])
        except ValueError:
            problems.append(
                Problem(
                    "application.day",
                    f"{asked[name]} 不是日期",
                    f"{asked[name]} is not a day",
                    {"field": name},
                )
            )
    if "ends" in days and days["ends"] < max(today, days.get("starts", today)):
        zh, en = "截止日期早于今天或起始日期", "It ends before today or before its start"
        problems.append(Problem("application.days", zh, en, {"field": "ends"}))
    return problems


def _unknown(names: Sequence[str], known: Sequence[str]) -> list[str]:
    return [name for name in dict.fromkeys(names) if name not in known]


def _empty(value: Any) -> bool:
    return not value if not isinstance(value, str) else not value.strip()


def _missing(name: str) -> Problem:
    return Problem("application.needs", f"须填写 {name}", f"The application needs {name}", {"field": name})
