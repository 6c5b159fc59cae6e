"""For what a request asks for data: headers (URL-encoded UTF-8) or members of the body (Q-39, S-11)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_to_bytes

from huitong.errors import BadRequest
from huitong.sharing.access import Path_, Use

#: Header, member of a body, most characters.
_PARTS: Final = (
    ("huitong-case", "case_no", 80),
    ("huitong-duty", "duty", 128),
    ("huitong-purpose", "purpose", 500),
    ("huitong-grant", "grant", 600),
)
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


def use_of(path: Path_, headers: Mapping[str, str], body: Any = None) -> Use:
    """The declared use; what a body says goes before what a header says.

    Raises BadRequest when a part is too long, is no UTF-8 or holds control characters.
    """
    members = body if isinstance(body, dict) else {}
    found = {}
    for header, name, most in _PARTS:
        value = members[name] if name in members else _decoded(header, headers.get(header, ""), most)
        value = str(value).strip()
        if len(value) > most or _CONTROL.search(value):
            raise _wrong(header)
        found[name] = value
    return Use(path, **found)


def _decoded(header: str, value: str, most: int) -> str:
    if len(value) > 12 * most:
        raise _wrong(header)
    try:
        return unquote_to_bytes(value).decode()
    except UnicodeDecodeError as error:
        raise _wrong(header) from error


def _wrong(header: str) -> BadRequest:
    return BadRequest(
        f"请求头 {header} 有误:须为 URL 编码的 UTF-8 文本",
        f"The header {header} is not valid: URL-encoded UTF-8 text of limited length",
        header=header,
    )
