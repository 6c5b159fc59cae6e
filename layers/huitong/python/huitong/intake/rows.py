"""Rows that come by the API become an object in the landing bucket, like any file (Q-06).

So they are kept, hashed, ordered and replayed by the same means.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from huitong.batches.register import batch_id
from huitong.errors import BadRequest, Conflict, Problem, TooLarge
from huitong.intake.uploads import Uploads, with_batch
from huitong.ports import ObjectStore

MAX_ROWS: Final = 10_000
MAX_BYTES: Final = 5 * 1024 * 1024
OPERATION: Final = "_op"
_SHOWN: Final = 20


def put_rows(
    landing: ObjectStore,
    uploads: Uploads,
    unit: str,
    resource: str,
    rows: Sequence[Mapping[str, Any]],
    *,
    deletions: Sequence[Mapping[str, Any]] = (),
    mode: str = "",
    idempotency_key: str = "",
    profile: str = "",
    case_no: str = "",
    ticket: str = "",
    mends: str = "",
    by: str,
) -> str:
    """Land rows and return the upload id; ``uploads.get(id).batch_id`` is the batch they become.

    ``deletions`` are rows of keys that are to go; with them the mode is
    "increment". Numbers should arrive as :class:`decimal.Decimal` or text where
    every digit counts: floats are written as Python shows them.

    The same ``idempotency_key`` with the same rows lands once; without a key
    every call is a delivery of its own. Raises BadRequest with the problems
    of the rows (row and field named), TooLarge, and Conflict when the key was
    used for other rows.
    """
    if len(rows) + len(deletions) > MAX_ROWS:
        raise TooLarge(
            f"一次最多 {MAX_ROWS} 行,本次 {len(rows) + len(deletions)} 行",
            f"At most {MAX_ROWS} rows in one call, not {len(rows) + len(deletions)}",
        )
    mode = mode or ("increment" if deletions else "")
    _check(rows, deletions, mode)
    lines = [_line(row, "upsert" if deletions else "") for row in rows]
    lines += [_line(row, "delete") for row in deletions]
    body = _encoded("".join(lines))
    if len(body) > MAX_BYTES:
        raise TooLarge(
            f"一次最多 {MAX_BYTES // 1024 // 1024} MB;更多数据请上传文件",
            f"At most {MAX_BYTES // 1024 // 1024} MB in one call; upload a file for more",
        )
    id = upload_id_of(unit, resource, idempotency_key) if idempotency_key else uploads.new_id()
    digest = hashlib.sha256(body).hexdigest()
    upload = uploads.announced(
        unit,
        resource,
        "rows.ndjson",
        mode=mode,
        edition=idempotency_key or id,
        profile=profile,
        case_no=case_no,
        ticket=ticket,
        mends=mends,
        options={"format": "json"},
        by=by,
        id=id,
    )
    upload = with_batch(upload, batch_id(unit, resource, digest, upload.edition, mends), digest)
    try:
        uploads.add(upload)
    except Conflict:
        if uploads.get(id).sha256 != digest:
            raise Conflict(
                "该幂等键已用于另一批数据",
                "This idempotency key was used for other rows",
                idempotency_key=idempotency_key,
            ) from None
    with suppress(Conflict):  # a call before this one landed the same rows
        landing.put(upload.key, body, content_type="application/x-ndjson", if_absent=True)
    return id


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        row = text.count("\n", 0, error.start) + 1
        problem = Problem(
            "text.surrogate",
            f"第 {row} 行含不完整的 Unicode 字符(孤立代理项)",
            f"Row {row} holds half a Unicode character (a lone surrogate)",
            {"row": row},
        )
        raise BadRequest("数据行不可用", "The rows cannot be taken", problems=[problem]) from error


def upload_id_of(unit: str, resource: str, idempotency_key: str) -> str:
    """The id of the upload that rows with this key become: the same for every repetition."""
    named = "\x1f".join((unit, resource, idempotency_key)).encode()
    return f"u{hashlib.sha256(named).hexdigest()[:32]}"


def _check(rows: Sequence[Mapping[str, Any]], deletions: Sequence[Mapping[str, Any]], mode: str) -> None:
    problems: list[Problem] = []
    if not rows and not deletions:
        problems.append(Problem("rows.none", "没有任何行", "There are no rows", {"field": "rows"}))
    if deletions and mode != "increment":
        problems.append(
            Problem(
                "rows.deletions-mode",
                "删除清单只用于增量(increment)",
                "deletions belong to mode increment",
                {"field": "deletions"},
            )
        )
    for name, part in (("rows", rows), ("deletions", deletions)):
        for position, row in enumerate(part, start=1):
            problems += _row_problems(name, position, row)
            if len(problems) >= _SHOWN:
                break
    if problems:
        raise BadRequest(
            "数据行不可用",
            "The rows cannot be taken",
            problems=problems[:_SHOWN],
            problems_shown=len(problems[:_SHOWN]),
        )


def _row_problems(part: str, position: int, row: Any) -> list[Problem]:
    where: dict[str, Any] = {"path": part, "row": position}
    if not isinstance(row, Mapping):
        return [
            Problem("row.not-object", f"第 {position} 行不是对象", f"Row {position} is not an object", where)
        ]
    if all(value is None or value == "" for value in row.values()):
        return [Problem("row.empty", f"第 {position} 行为空", f"Row {position} is empty", where)]
    found = []
    for name, value in row.items():
        if isinstance(value, Mapping | list | tuple):
            found.append(
                Problem(
                    "cell.nested",
                    f"第 {position} 行字段 {name} 含嵌套值,只接受文本、数字、布尔或空值",
                    f"Row {position}, field {name}: only text, numbers, booleans and null are taken",
                    {**where, "field": name},
                )
            )
        elif isinstance(value, float) and not math.isfinite(value):
            found.append(
                Problem(
                    "cell.not-a-number",
                    f"第 {position} 行字段 {name} 不是有限数",
                    f"Row {position}, field {name} is not a finite number",
                    {**where, "field": name},
                )
            )
        elif name == OPERATION:
            found.append(
                Problem(
                    "row.reserved",
                    f"第 {position} 行:字段名 {OPERATION} 由平台保留,删除请用 deletions",
                    f"Row {position}: the name {OPERATION} is reserved; use deletions",
                    {**where, "field": name},
                )
            )
    return found


def _line(row: Mapping[str, Any], operation: str) -> str:
    full = {**row, OPERATION: operation} if operation else row
    # Decimals become text: the reader treats both alike, and no digit is lost.
    return json.dumps(full, ensure_ascii=False, separators=(",", ":"), default=str) + "\n"
