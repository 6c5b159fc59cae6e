"""Bodies and answers of standing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import (
    CODE,
    COUNT,
    FLAG,
    ID,
    NULLABLE,
    OPEN,
    TEXT,
    TEXTS,
    UNIT_TEXT,
    Schema,
    answer,
    array,
    body,
    listing,
    number,
    one_of,
    ref,
    text,
)

_DAY: Final = text("a day, e.g. 2026-01-31", most=10, pattern=r"^\d{4}-\d\d-\d\d$")
_DOCUMENT: Final = text(
    "the document: a key under documents/, or its number elsewhere", most=512, minLength=1
)
_DIGEST: Final = text(
    "digest of the document, SM3 or SHA-256, 64 hexadecimal digits", most=64, pattern="^[0-9a-fA-F]{64}$"
)
_ALGORITHM: Final = one_of("sm3", "sha256")
_RESOURCES: Final = array(text(most=128, pattern=CODE), most=500)
_PEOPLE: Final = array(text("name and post", most=200, minLength=1), most=20)
_LONG: Final = text(most=8_000)
_OFFICER: Final = body(
    {"name": text(most=100, minLength=1)}, {"post": text(), "phone": text(most=40), "account": text(most=128)}
)

_BODIES: Final[Mapping[str, Schema]] = {
    "RegistrationBody": body(
        {},
        {
            "address": text("地址", most=500),
            "region": text("行政区划代码 division code", most=12, pattern=r"^\d*$"),
            "role": text("角色, e.g. 数源单位", most=100),
            "officers": body(
                {}, dict.fromkeys(("leader", "sharing", "technical", "resources"), ref("Officer"))
            ),
        },
    ),
    "RegistrationStateBody": body(
        {"state": one_of("active", "suspended", "closed"), "reason": text(most=1_000, minLength=1)}
    ),
    "AgreementBody": body(
        {
            "kind": one_of(
                "sharing",
                "licence",
                "security",
                about="协商一致 sharing, 许可协议 licence, 安全协议 security",
            ),
            "first": {**UNIT_TEXT, "description": "甲方: the unit that provides"},
            "second": {**UNIT_TEXT, "description": "乙方: the unit that uses, the operator, or a contractor"},
            "starts": _DAY,
            "ends": _DAY,
            "document": _DOCUMENT,
            "digest": _DIGEST,
        },
        {
            "resources": _RESOURCES,
            "volume": number("licence: rows a day", low=1, high=10**9),
            "terms": _LONG,
            "replaces": text("the agreement that this one replaces", most=128, pattern=ID),
            "algorithm": _ALGORITHM,
        },
    ),
    "ShareListBody": body({"counterpart": UNIT_TEXT, "resources": _RESOURCES}, {"remark": _LONG}),
    "DockingBody": body(
        {
            "counterpart": UNIT_TEXT,
            "resources": _RESOURCES,
            "method": text("技术方式", most=8_000, minLength=1),
            "security_terms": text("安全条款", most=8_000, minLength=1),
            "contacts": _PEOPLE,
        },
        {
            "purpose": _LONG,
            "volume": text("planned volume", most=500),
            "frequency": text(most=100),
            "service_providers": array(UNIT_TEXT, most=20),
            "revises": text("the record that this one revises (Q-54)", most=128, pattern=ID),
            "evaluation": text("re-evaluation that led to the revision", most=8_000),
        },
    ),
    "JointTestBody": body(
        {
            "counterpart": UNIT_TEXT,
            "resource": text(most=128, pattern=CODE),
            "interface": one_of("push", "pull", "read", "comparison"),
            "interface_version": text(most=40, minLength=1),
            "result": one_of("passed", "failed"),
            "tested_on": _DAY,
            "our_testers": _PEOPLE,
            "their_testers": _PEOPLE,
            "document": _DOCUMENT,
            "digest": _DIGEST,
        },
        {"remark": _LONG, "algorithm": _ALGORITHM},
    ),
    "OutsideBody": body(
        {
            "source": UNIT_TEXT,
            "resources": _RESOURCES,
            "reason": text("why not through the platform", most=8_000, minLength=1),
            "document": {**_DOCUMENT, "description": "the technical plan"},
            "digest": _DIGEST,
        },
        {"algorithm": _ALGORITHM},
    ),
    "MatterStepBody": body(
        {"step": text(most=64, minLength=1)},
        {
            "given": {"type": "object", "maxProperties": 60, "description": "the step's content"},
            "seen": number("the version that was looked at; 0 = whatever is there"),
        },
    ),
    "DockingLogBody": body(
        {"people": text("who spoke", most=500, minLength=1), "text": text(most=8_000, minLength=1)}
    ),
    "DockingWorkBody": body(
        {"title": text(most=500, minLength=1), "owner": UNIT_TEXT}, {"person": text(most=100), "due": _DAY}
    ),
    "DockingWorkStateBody": body(
        {"number": number(low=1), "state": one_of("open", "under_way", "done", "dropped")},
        {"remark": text(most=1_000)},
    ),
    "InterfaceSwitchBody": body(
        {"state": one_of("open", "closed"), "reason": text("why", most=1_000, minLength=1)}
    ),
    "DocumentBody": body({"filename": text(most=255, minLength=1)}),
}

_ANSWERS: Final[Mapping[str, Schema]] = {
    "Officer": _OFFICER,
    "Registration": answer(
        {"unit": TEXT, "kind_zh": TEXT, "kind_en": TEXT, "address": TEXT, "region": TEXT, "role": TEXT,
         "officers": OPEN, "state": TEXT, "unnamed": TEXTS, "warnings": {"type": "array"}}
    ),
    "RegistrationChange": answer(
        dict.fromkeys(("at", "by", "what", "old", "new", "reason"), TEXT)
    ),
    "RegistrationChanges": listing("RegistrationChange"),
    "MatterStep": answer({"step": TEXT, "zh": TEXT, "en": TEXT, "needs": TEXTS, "takes": TEXTS}),
    "Matter": answer(
        {"id": TEXT, "procedure": TEXT, "state": TEXT, "state_zh": TEXT, "parties": OPEN, "content": OPEN,
         "history": {"type": "array"}, "clocks": OPEN, "created_at": TEXT, "version": COUNT,
         "possible": {"type": "array", "items": ref("MatterStep")}}
    ),
    "Matters": listing("Matter"),
    "DockingLogEntry": answer(dict.fromkeys(("at", "by", "unit", "people", "text", "id"), TEXT)),
    "DockingLog": listing("DockingLogEntry"),
    "DockingWorkItem": answer({"number": COUNT, "title": TEXT, "owner": TEXT, "state": TEXT}),
    "DockingWork": listing("DockingWorkItem"),
    "Gate": answer({"open": FLAG, "unit": TEXT, "resource": TEXT, "interface": TEXT, "strict": FLAG,
                    "problems": {"type": "array"}}),
    "DocumentTicket": answer({"document": TEXT, "url": TEXT, "headers": OPEN, "method": TEXT,
                              "expires_at": TEXT}),
    "Document": answer({"document": TEXT, "size": COUNT, "sha256": NULLABLE, "sm3": NULLABLE, "url": TEXT}),
    "Interface": answer({"resource": TEXT, "owner": TEXT, "partner": TEXT, "interface": TEXT, "version": TEXT,
                         "state": TEXT, "closed_by": NULLABLE, "joint_test": NULLABLE, "ends": TEXT}),
    "Interfaces": listing("Interface"),
    "Controls": answer({"unit": TEXT, "resource": TEXT, "before": OPEN, "during": OPEN, "after": OPEN}),
}  # fmt: skip

STANDING: Final[Mapping[str, Schema]] = {**_BODIES, **_ANSWERS}
