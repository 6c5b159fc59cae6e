"""Bodies and answers of identity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import (
    CODE,
    COUNT,
    ID,
    NULLABLE,
    ROLES,
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

_PERIOD: Final = r"^$|^\d{4}-\d\d-\d\d"
_DAY: Final = r"^$|^\d{4}-\d\d-\d\d$"
_ROLES: Final = array(
    body(
        {"role": one_of(*ROLES)},
        {
            "from": text("first day (China) or moment", most=40, pattern=_PERIOD),
            "to": text("last day (China), or moment before which it ends", most=40, pattern=_PERIOD),
        },
    ),
    most=20,
)
_ACTS_FOR: Final = array(UNIT_TEXT, most=50)
_LONG: Final = text(most=1_000)

IDENTITY: Final[Mapping[str, Schema]] = {
    "SignInBody": body(
        {"login": text(most=64, minLength=1), "password": text(most=256, minLength=1)},
    ),
    "SignInAnswerBody": body(
        {
            "sign_in": text("as the step before gave it", most=64, minLength=1),
            "reply": text("the code of the authenticator, or the new password", most=256, minLength=1),
        },
    ),
    "SignInStep": answer(
        {"next": one_of("code", "new_password", "setup", "done")},
        {
            "sign_in": text("to be given back with the reply"),
            "secret": text("setup: for the authenticator (TOTP, base 32)"),
            "address": text("setup: the same as otpauth:// address", most=512),
            "token": text("done: bearer token of the session"),
            "session": ref("Session"),
        },
    ),
    "TokenBody": body(
        {"id": text("credential", most=32, pattern=ID), "secret": text(most=64, minLength=1)},
        {"minutes": number("how long it lasts", low=15, high=60)},
    ),
    "Token": answer({"token": TEXT, "expires_at": TEXT}),
    "Session": answer(
        {"id": TEXT, "kind": one_of("person", "system"), "holder": TEXT, "created": TEXT, "ends_at": TEXT},
        {"last_seen": TEXT, "idle": COUNT, "source": TEXT},
    ),
    "Sessions": listing("Session"),
    "AccountBody": body(
        {"login": text(most=64, minLength=3), "name": text(minLength=1), "roles": _ROLES},
        {"unit": UNIT_TEXT, "post": text(most=64), "contact": text(), "acts_for": _ACTS_FOR},
    ),
    "RolesBody": body({"roles": _ROLES}, {"post": text(most=64), "acts_for": _ACTS_FOR}),
    "Account": answer(
        {
            "id": TEXT,
            "login": TEXT,
            "name": TEXT,
            "unit": TEXT,
            "roles": {"type": "array", "items": answer({"role": TEXT, "starts": TEXT, "ends": TEXT})},
            "state": one_of("active", "disabled"),
            "last_used": text("moment of the last sign-in; empty = never"),
            "created": TEXT,
            "created_by": TEXT,
        },
        {
            "post": TEXT,
            "contact": TEXT,
            "acts_for": TEXTS,
            "reason": TEXT,
            "password_set": TEXT,
            "failed": COUNT,
            "locked_until": TEXT,
        },
    ),
    "Accounts": listing("Account"),
    "CreatedAccount": {
        "allOf": [
            ref("Account"),
            answer({"password": text("temporary, shown this once; changed at the first sign-in")}),
        ]
    },
    "SigningKey": {"allOf": [ref("Credential"), answer({"key": text("shown this once only")})]},
    "PostBody": body(
        {"zh": text(minLength=1), "en": text(minLength=1)},
        {
            "duties": array(_LONG, most=50),
            "division": _LONG,
            "skills": array(text(), most=50),
            "staff": number("how many hold it", high=10_000),
            "roles": array(one_of(*ROLES), most=len(ROLES)),
        },
    ),
    "Post": answer({"unit": TEXT, "code": TEXT, "zh": TEXT, "en": TEXT, "roles": TEXTS}),
    "Posts": listing("Post"),
    "DutyBody": body(
        {"zh": text(minLength=1), "en": text(minLength=1), "basis": text("law and article", minLength=1)},
        {
            "starts": text("first day", most=10, pattern=_DAY),
            "ends": text("last day", most=10, pattern=_DAY),
            "posts": array(text(most=64, pattern=CODE), most=50),
        },
    ),
    "Duty": answer({"unit": TEXT, "code": TEXT, "zh": TEXT, "en": TEXT, "basis": TEXT}),
    "Duties": answer({"items": {"type": "array", "items": ref("Duty")}, "next": NULLABLE}),
}
