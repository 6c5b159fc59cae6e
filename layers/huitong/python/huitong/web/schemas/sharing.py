"""Bodies and answers of sharing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.sharing.access import PATHS
from huitong.sharing.circle import CLASSES
from huitong.web.schemas.parts import (
    CODE,
    COUNT,
    ID,
    MASKS,
    OPEN,
    TEXT,
    TEXTS,
    Schema,
    answer,
    array,
    body,
    listing,
    number,
    one_of,
    text,
)

#: For what data are asked, as members of a body; as the headers Huitong-Case, -Duty, -Purpose, -Grant.
USE_MEMBERS: Final[Mapping[str, Schema]] = {
    "case_no": text("案号 the case for which the data are used", most=80),
    "duty": text("法定职责 the statutory duty for which they are used", most=128),
    "purpose": text("用途 the purpose in words", most=500),
    "grant": text("授权编号 the grant to use, where there are several", most=600),
}

_DAY: Final = text("a day, e.g. 2026-12-31", most=10, pattern=r"^\d{4}-\d\d-\d\d$")
_NAMES: Final = array(text(most=128), most=2_000)
_LONG: Final = text(most=4_000)
_ASKED: Final[Mapping[str, Schema]] = {
    "fields": {**_NAMES, "description": "字段 single fields, never all of them by a sign"},
    "unmasked": {**_NAMES, "description": "请求明文的字段 of these, the ones asked for unmasked"},
    "row_filter": text("行范围 SQL condition over the columns", most=4_000),
    "purpose": text("用途 purpose", most=500),
    "matter": text("业务事项 business matter", most=500),
    "case_no": text("案号 the case", most=80),
    "duty": text("法定职责 the statutory duty", most=128),
    "users": {**array(text(most=128), most=200), "description": "使用人 ids of accounts and systems"},
    "methods": array(one_of(*PATHS), most=len(PATHS)),
    "volume": number("每日最多行数 rows a day, 0 = none set", high=10**12),
    "frequency": text("使用频率 how often", most=200),
    "starts": _DAY,
    "ends": _DAY,
    "reason": text("申请理由 reason", most=4_000),
    "licence": text("许可协议编号 number of the licence agreement", most=200),
}
_TOLD: Final = ("reason", "question", "text", "document", "result")
_DECISION: Final[Mapping[str, Schema]] = {
    "approved": {**_NAMES, "description": "同意的字段 fields approved"},
    "refused": {
        "type": "object",
        "maxProperties": 2_000,
        "additionalProperties": text(most=2_000),
        "description": "拒绝的字段及理由 field → reason",
    },
    "masks": {
        "type": "object",
        "maxProperties": 2_000,
        "additionalProperties": one_of(*MASKS),
        "description": "脱敏规则 field → mask",
    },
    "share": one_of("yes", "no", about="会审决定 the binding decision"),
}

SHARING: Final[Mapping[str, Schema]] = {
    "ApplicationBody": body(
        {},
        {
            "resource": text("资源 contract id, table or schema name", most=64, pattern=CODE),
            "amends": text("延期或变更的申请 the one that this extends or changes", most=128, pattern=ID),
            "elsewhere": body(
                {"unit": text("外地或上级单位 the unit elsewhere", most=200, minLength=1),
                 "resource": text("所需资源 what is wanted", most=500, minLength=1)}
            ),
            "sharing_class": one_of(*CLASSES),
            **_ASKED,
        },
    ),
    "ApplicationStepBody": body(
        {"step": text("步骤 name of the step", most=64, pattern="^[a-z_]+$")},
        {
            "given": body({}, {**_ASKED, **dict.fromkeys(_TOLD, _LONG), **_DECISION}),
            "seen": number("version that was looked at; another one by now = conflict"),
        },
    ),
    "Application": answer(
        {
            "id": TEXT, "state": TEXT, "parties": OPEN, "content": OPEN, "history": {"type": "array"},
            "clocks": OPEN, "version": COUNT, "possible": {"type": "array", "items": OPEN},
        }
    ),
    "Applications": listing("Application"),
    "ApplicationSheet": answer(
        {"number": TEXT, "application": TEXT, "resource": TEXT, "fields": {"type": "array"}}
    ),
    "Dispute": answer(
        {"application": TEXT, "resource": TEXT, "receiver": TEXT, "owner": TEXT, "state": TEXT,
         "steps": {"type": "array", "items": OPEN}}
    ),
    "Disputes": listing("Dispute"),
    "Breach": answer(
        {"procedure": TEXT, "id": TEXT, "clock": TEXT, "unit": TEXT, "due": TEXT, "days_late": COUNT}
    ),
    "Breaches": listing("Breach"),
    "CalendarBody": body(
        {"holidays": array(_DAY, most=366), "make_up": array(_DAY, most=366)},
        {"source": text("国务院办公厅通知文号 number of the notice", most=200)},
    ),
    "CalendarYear": answer(
        {"year": COUNT, "holidays": TEXTS, "make_up": TEXTS, "source": TEXT}, {"warnings": {"type": "array"}}
    ),
}  # fmt: skip
