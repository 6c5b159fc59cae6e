"""JSON and NDJSON given back: the sender's own text of each object, and two members in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TextIO

from huitong.intake.readers.json import JsonTable
from huitong.intake.returned import PROBLEMS_MEMBER, ROW_MEMBER
from huitong.quality.returning.problems import Problems, Wrong

_CHUNK: Final = 4 * 1024 * 1024
_SPACE: Final = " \t\r\n"


class _Digits(str):
    """A number as it was written."""

    __slots__ = ()


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=list, parse_float=_Digits, parse_int=_Digits, parse_constant=_Digits, strict=False
)


@dataclass(frozen=True, slots=True)
class Objects:
    table: JsonTable
    numbered: bool

    def write(self, target: Path, problems: Problems, *, whole: bool) -> int:
        """The number of rows written. An array stays an array, lines stay lines."""
        rows = 0
        with (
            self.table.path.open("r", encoding="utf-8", newline="") as stream,
            target.open("w", encoding="utf-8", newline="\n") as out,
        ):
            stream.seek(self.table.start)
            texts = _texts(stream)
            array = next(texts) == "["
            out.write("[\n" if array else "")
            for number, text in enumerate(texts, start=1):
                wrong = problems.rows.get(number)
                if whole or (wrong is not None and wrong.error):
                    out.write(",\n" if array and rows else "")
                    out.write(self._with(text, number, wrong))
                    out.write("" if array else "\n")
                    rows += 1
            out.write("\n]\n" if array else "")
        return rows

    def _with(self, text: str, number: int, wrong: Wrong | None) -> str:
        if not text.startswith("{"):
            text = f'{{"_value":{text}}}'
        more = {ROW_MEMBER: str(number)} if self.numbered else {}
        told = (
            [
                {"rule": rule, "column": c, "severity": s, "zh": zh, "en": en}
                for c, rule, s, zh, en in wrong.said
            ]
            if wrong
            else []
        )
        if f'"{PROBLEMS_MEMBER}"' in text or f'"{ROW_MEMBER}"' in text:
            pairs = [(k, v) for k, v in _DECODER.decode(text) if k != PROBLEMS_MEMBER]
            more = {} if any(k == ROW_MEMBER for k, _ in pairs) else more
            text = (
                "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_written(v)}" for k, v in pairs) + "}"
            )
        inner = text[:-1].rstrip()
        parts = [f'"{k}":{v}' for k, v in more.items()]
        parts += [f'"{PROBLEMS_MEMBER}":{json.dumps(told, ensure_ascii=False)}'] if told else []
        if not parts:
            return text
        comma = "" if inner == "{" else ","
        return f"{inner}{comma}{','.join(parts)}}}"


def _written(value: Any) -> str:
    """A decoded value as JSON; numbers with the digits that they had. Objects are lists of pairs."""
    if isinstance(value, _Digits):
        return str(value)
    if isinstance(value, list) and all(isinstance(v, tuple) for v in value) and value:
        return "{" + ",".join(f"{json.dumps(k, ensure_ascii=False)}:{_written(v)}" for k, v in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_written, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _texts(stream: TextIO) -> Iterator[str]:
    """First "[" or "" (an array or lines), then the text of each value. The reader has proven them right."""
    decoder, text, at, ended = _DECODER, "", 0, False

    def more() -> bool:
        nonlocal text, at, ended
        piece = stream.read(_CHUNK)
        text, at, ended = text[at:] + piece, 0, not piece
        return bool(piece)

    def following(skipped: str) -> str:
        nonlocal at
        while True:
            while at < len(text) and text[at] in skipped:
                at += 1
            if at < len(text) or not more():
                return text[at : at + 1]

    array = following(_SPACE) == "["
    at += array
    yield "[" if array else ""
    while following(_SPACE + ",") not in ("", "]"):
        while True:
            try:
                _, end = decoder.raw_decode(text, at)
            except json.JSONDecodeError:
                if not more():
                    raise
                continue
            if end < len(text) or not more():
                break
        start, at = at, end
        yield text[start:end]
