"""Values in the register that the key service sealed: opened for a backup, sealed anew by a restore.

What is sealed is bound to its purpose ("subscription:s1"), and the key stays in its account: without this a
backup would be good in no other place. The backup itself is encrypted (:mod:`.cipher`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from huitong.errors import Corrupt, HuitongError
from huitong.ports import Secrets

_SEALED: Final = "kms1:"
_OPEN: Final = "open1:"  # then the context, a unit separator, and the plain text
_MEMBER: Final = "sealed"  # every sealed value, or list of them, is a member of this name
_APART: Final = "\x1f"
#: What things are sealed for; a purpose is one of these and an id of the item.
PURPOSES: Final = ("platform", "subscription", "credential", "request", "statement", "ticket")
_ID: Final = re.compile(r"[#~]")


def opened(body: Any, pk: str, sk: str, secrets: Secrets) -> Any:
    """The body with its sealed values open. Raises Corrupt for one whose purpose is not known."""
    return _walked(body, _SEALED, lambda text: _opened(text, body, pk, sk, secrets))


def closed(body: Any, secrets: Secrets) -> Any:
    """The body with what was opened sealed again, for the same purposes."""
    return _walked(body, _OPEN, lambda text: _closed(text, secrets))


def is_sealed(body: Any) -> bool:
    """Does it hold a sealed value?"""
    found: list[str] = []
    _walked(body, _SEALED, lambda text: found.append(text) or text)  # type: ignore[func-returns-value]
    return bool(found)


def _opened(text: str, body: Any, pk: str, sk: str, secrets: Secrets) -> str:
    for context in _contexts(body, pk, sk):
        try:
            return f"{_OPEN}{context}{_APART}{secrets.unseal(text, context)}"
        except HuitongError as error:
            if error.status == 503:
                raise
    raise Corrupt(
        f"{pk} 中的密文用途不明,备份中止", f"It is not known what the sealed value of {pk} is for", item=pk
    )


def _closed(text: str, secrets: Secrets) -> str:
    context, _, plain = text.removeprefix(_OPEN).partition(_APART)
    return secrets.seal(plain, context)


def _contexts(body: Any, pk: str, sk: str) -> Iterator[str]:
    ids = [*_ID.split(pk)[1:], *_ID.split(sk)[1:], pk.partition("#")[2], sk.partition("#")[2]]
    if isinstance(body, Mapping):
        ids += [str(body[name]) for name in ("id", "credential", "subscription") if name in body]
    for id in dict.fromkeys(filter(None, ids)):
        yield from (f"{purpose}:{id}" for purpose in PURPOSES)


def _walked(value: Any, mark: str, change: Callable[[str], Any], within: bool = False) -> Any:
    """Only below a member of the name that seals have: a remark may begin with the mark, too."""
    if isinstance(value, str):
        return change(value) if within and value.startswith(mark) else value
    if isinstance(value, Mapping):
        return {name: _walked(one, mark, change, name == _MEMBER) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_walked(one, mark, change, within) for one in value]
    return value
