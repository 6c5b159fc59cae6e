"""The code of a resource (信息资源代码): class code, ``/``, running number (the guide of 2017).

A code is unique across the catalogue and never used again: it is an entry of
the register that is created once and stays. A change of class gives a new
code; the old one is kept among the related codes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from huitong.catalog.model import Entry
from huitong.errors import BadRequest, Conflict
from huitong.ports import Item, Register

CODE: Final = re.compile(r"[123][0-9]{2}[0-9]{3}[0-9A-Za-z]*/[0-9]+")
MOST: Final = 64


def is_code(text: str) -> bool:
    return len(text) <= MOST and CODE.fullmatch(text) is not None


def class_code(code: str) -> str:
    """分类码: what stands before the stroke."""
    return code.partition("/")[0]


def with_code(before: Entry, after: Entry) -> Entry:
    """``after`` with the code of ``before`` among its related ones, when they differ.

    Raises BadRequest when a code that was published is changed within its class: only a change of
    class gives a new one.
    """
    if not before.code or before.code == after.code:
        return after
    if before.edition and class_code(before.code) == class_code(after.code):
        raise BadRequest(
            f"类目未变,已发布的代码 {before.code} 不得更改",
            f"The class is the same: the published code {before.code} cannot be changed",
            code=before.code,
        )
    if not before.edition or before.code in after.related:
        return after
    return after.stamped(related=(*after.related, before.code))


def reservation(register: Register, entry: Entry) -> Sequence[Item]:
    """What to create so that the code is the resource's for good; nothing when it is already.

    Raises Conflict when it is or was another's, also when that one was withdrawn.
    """
    if not is_code(entry.code):
        return ()
    held = register.get(_pk(entry.code), "CODE")
    if held is None:
        return (Item(_pk(entry.code), "CODE", {"resource": entry.resource}),)
    if held.body["resource"] != entry.resource:
        raise Conflict(
            f"信息资源代码 {entry.code} 已被使用,代码不得重复使用",
            f"The code {entry.code} is or was another resource's, and codes are never used again",
            code=entry.code,
        )
    return ()


def _pk(code: str) -> str:
    return f"CATALOG-CODE#{code}"
