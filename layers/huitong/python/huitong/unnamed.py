"""Landed objects and messages as events, notices and log lines tell of them: by ids alone (S-16).

People choose the names of files ("张三债权.xlsx") and of folders that they put into the landing bucket
themselves, and unknown members of a message may be anything. What goes out holds neither: a unit, a resource
and an upload as the platform gave them, and of the rest nothing but what kind of file it was. The whole is
found by the upload, the batch, or the object's version in the bucket.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from huitong import correlation

#: Members of a message that are ids, codes or counts.
_IDS: Final = (
    "batch_id", "resource", "seq", "subscription", "group", "returned", "let_go", "unit", "sequence",
    "reason", "attempts", "http_status", "count", "execution",
)  # fmt: skip
_CODE: Final = re.compile(r"[\w.:#-]{1,256}", re.ASCII)  # a name of a person is a word, too
#: An identity number or a mobile number: what a folder may be called after a person, too.
_PERSON: Final = re.compile(
    r"(?<!\d)(?:\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]|1[3-9]\d{9})(?!\d)"
)
_UPLOAD: Final = re.compile(r"u[0-9a-f]{16,64}")
_ENDINGS: Final = frozenset(
    ("csv", "tsv", "txt", "xls", "xlsx", "json", "jsonl", "ndjson", "parquet", "zip", "gz", "pdf")
)
_HIDDEN: Final = "…"
#: From the unit on: a key that stands in a text. Names may hold anything, so it reaches to the line's end.
_LANDED: Final = re.compile(r"(?<![0-9A-Za-z])[0-9A-Z]{18}/[^\r\n]*")


def key(key: str) -> str:
    """A key of the landing bucket, with "…" for each part that a person may have named: the last one, and
    what stands where unit, resource or upload should, but is none."""
    return "/".join([*map(_folder, range(99), key.split("/")[:-1]), _HIDDEN])


def landed(key: str, version: str = "") -> dict[str, str]:
    """Members of an event about a landed object: its bucket, unit, resource and upload as far as its key has
    them, the file's kind, its version in the bucket, and its id (:func:`huitong.correlation.of_object`)."""
    *folders, name = key.split("/")
    told = [_folder(depth, folder) for depth, folder in enumerate(folders)]
    of = dict(zip(("unit", "resource", "upload"), told, strict=False))
    ending = name.rpartition(".")[2].lower()
    return {
        "bucket": "landing",
        **{member: id for member, id in of.items() if id != _HIDDEN},
        "ending": ending if ending in _ENDINGS else "",
        "version": version,
        "object": correlation.of_object(key, version),
    }


def message(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of a message is ids, codes and counts, also of one that waits inside another."""
    inner = body.get("message")
    known = {**body, **(inner if isinstance(inner, Mapping) else {})}
    return {name: known[name] for name in _IDS if name in known and _harmless(known[name])}


def code(id: str) -> str:
    """A unit or a resource of a delivery: both are folders of its key, so each may be anything."""
    return id if not id or _is_code(id) else _HIDDEN


def members(told: Mapping[str, Any]) -> dict[str, Any]:
    """Members of an event or a log line, with :func:`code` of its unit and its resource."""
    hidden = {n: code(told[n]) for n in ("unit", "resource") if isinstance(told.get(n), str)}
    return {**told, **hidden}


def text(said: str) -> str:
    """A text in which a key of the landing bucket may stand, without what people named in it."""
    return _LANDED.sub(lambda found: _in_text(found.group()), said)


def _in_text(rest: str) -> str:
    """Up to the third folder; all that follows may be part of a name."""
    parts = rest.split("/")
    depth = 3 if len(parts) > 3 and _UPLOAD.fullmatch(parts[2]) else 2 if len(parts) > 2 else 1
    return "/".join([*map(_folder, range(depth), parts[:depth]), _HIDDEN])


def _folder(depth: int, name: str) -> str:
    """Unit, resource and upload as they are; what somebody else put in their places, not."""
    known = _is_code(name) if depth < 2 else _UPLOAD.fullmatch(name) is not None
    return name if known else _HIDDEN


def _harmless(value: Any) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and _CODE.fullmatch(value) is not None)


def _is_code(text: str) -> bool:
    return _CODE.fullmatch(text) is not None and _PERSON.search(text) is None
