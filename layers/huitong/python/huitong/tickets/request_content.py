"""What a request asks for, what can be wrong with it, and who is told of its steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from huitong.cases.model import Named
from huitong.contracts.model import Contract
from huitong.errors import Problem
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice
from huitong.procedures.deciding import Actor
from huitong.procedures.model import Record

Mode = Literal["interface", "subscription"]
MOST_PERSONS: Final = 20


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is asked about. ``relation`` to the debtor; ``other``: an interested party."""

    id_no: str
    relation: Named
    name: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks for. A ``case_no`` or a ``duty`` must be there (Q-39)."""

    resource: Contract
    fields: tuple[str, ...]
    purpose: str
    case_no: str = ""
    duty: str = ""
    kind: Literal["query", "verification"] = "query"
    mode: Mode = "interface"
    persons: tuple[Person, ...] = ()


def source_of(contract: Contract) -> str:
    return contract.provider or OPERATOR


def told(person: Person) -> dict[str, str]:
    return {"id_no": person.id_no.strip(), "relation": person.relation, "name": person.name.strip()}


def problems_of(asked: Asked, actor: Actor) -> list[Problem]:
    found, contract = [], asked.resource

    def wrong(rule: str, zh: str, en: str, field: str) -> None:
        found.append(Problem(f"request.{rule}", zh, en, {"field": field}))

    if not asked.case_no.strip() and not asked.duty.strip():
        wrong("ground", "须指明案件或法定职责", "Name a case or a statutory duty", "case_no")
    if not asked.purpose.strip():
        wrong("purpose", "须写明用途", "Say for what purpose", "purpose")
    if contract.share_type == "3":
        wrong("shared", "该资源不予共享", "The resource is not shared", "resource")
    if source_of(contract) == actor.unit:
        wrong("own", "本单位的资源无须申请", "It is your own unit's resource", "resource")
    if not asked.fields:
        wrong("fields", "须列明数据项", "Name the fields", "fields")
    for name in asked.fields:
        if contract.field_named(name) is None:
            wrong("field", f"资源没有字段 {name}", f"The resource has no field {name}", "fields")
    if contract.subject_fields and asked.case_no and not asked.persons:
        wrong("persons", "须列明被查询人", "Name the persons", "persons")
    if len(asked.persons) > MOST_PERSONS:
        wrong("many", f"最多 {MOST_PERSONS} 人", f"At most {MOST_PERSONS} persons", "persons")
    if any(not p.id_no.strip() for p in asked.persons):
        wrong("number", "被查询人缺少证件号码", "A person has no number", "persons")
    return found


def notices_of(step: str, record: Record) -> list[Notice]:
    to, zh, en = _TELLS[step]
    text = f"查询核对申请 {record.id}({record.content['resource']}):{zh}"
    return [notice_of(record, party, text, f"Request {record.id}: {en}") for party in to]


def notice_of(record: Record, party: str, zh: str, en: str) -> Notice:
    step = record.history[-1].step
    return Notice(record.parties[party], f"request.{step}", f"request:{record.id}", zh, en)


_TELLS: Final[Mapping[str, tuple[tuple[str, ...], str, str]]] = {
    "check": (("source",), "待贵单位审批", "waits for your decision"),
    "stop": (("asker",), "本单位审核未通过", "your unit did not pass it on"),
    "withdraw": (("source",), "已撤回", "was withdrawn"),
    "approve": (("asker",), "已批准,可在授权下查询", "approved: read under its grant"),
    "refuse": (("asker",), "未批准", "refused"),
    "answer": (("asker",), "已提供", "the answer is there"),
    "receive": (("source",), "已收到", "the answer was received"),
    "close": (("source",), "已办结,授权收回", "closed: its grant has ended"),
    "end": (("asker", "source"), "案件终止,申请随之结束", "ended with its case"),
}
