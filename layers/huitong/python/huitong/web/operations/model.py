"""What an operation of the API is, and the parameters that many share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from huitong.web.schemas import CODE, ID, NAME, UNIT, Schema, number, one_of, text

Method = Literal["GET", "POST", "PUT", "DELETE"]
AppName = Literal["api", "query_data"]
ARROW: Final = "application/vnd.apache.arrow.stream"

PATHS: Final[Mapping[str, Schema]] = {
    "code": text("contract id, table name or schema name", most=64, pattern=CODE),
    "id": text(most=128, pattern=ID),
    "unit": text("统一社会信用代码", most=40, pattern=UNIT),
    "name": text(most=64, pattern=NAME),
    "case_no": text("案号 case number, percent-encoded", most=400, pattern=r"^[^/?#]+$"),
    "member": text("who is bound: account, credential or unit", most=128, pattern=ID),
    "version": text(most=6, pattern=r"^[1-9][0-9]*$"),
    "month": text(most=7, pattern=r"^20[0-9][0-9]-(0[1-9]|1[0-2])$"),
    "year": text(most=4, pattern=r"^20[0-9][0-9]$"),
}

LIMIT: Final = number("most items of the answer", low=1, high=1_000)
AFTER: Final = text("token `next` of the answer before", most=512)
OF_RESOURCE: Final = text("only of this resource", most=64, pattern=CODE)
OF_UNIT: Final = text("only of this unit", most=40, pattern=UNIT)
OF_GRANT: Final = text("id of the grant; none = the unit's direct grant", most=128, pattern=ID)
OF_DIGEST: Final = text("digest of the grant as it was looked at; refused when it was changed since", most=32,
                        pattern=r"^[0-9a-f]{32}$")  # fmt: skip
FROM: Final = text("from this day or moment on", most=30, pattern=r"^\d{4}-\d\d-\d\d")
TO: Final = text("to this day or moment, included", most=30, pattern=r"^\d{4}-\d\d-\d\d")
PAGED: Final = {"after": AFTER, "limit": LIMIT}
PAGED_DATA: Final = {"after": AFTER, "limit": number("most items of the answer", low=1, high=10_000)}
FORMAT: Final = one_of("json", "csv", "arrow")


@dataclass(frozen=True, slots=True)
class Operation:
    """``rule`` names the row of :data:`huitong.identity.authorize.RULES` that decides."""

    id: str
    method: Method
    path: str
    zh: str
    en: str
    answer: str
    rule: str = ""
    body: str = ""
    query: Mapping[str, Schema] | None = None
    app: AppName = "api"
    status: int = 200
    public: bool = False  # no sign-in; bounded by source
    bare: bool = False  # public, and without services: answers even when nothing else does
    per_minute: int = 60  # of a public operation, from one source
    most_body: int = 262_144
    media: tuple[str, ...] = ("application/json",)
    idempotent_by: str = ""  # a header


def o(id: str, route: str, zh: str, en: str, answer: str, rule: str = "", **more: object) -> Operation:
    method, _, path = route.partition(" ")
    return Operation(id, method, path, zh, en, answer, rule, **more)  # type: ignore[arg-type]
