"""How results reach people (tables) and scripts (one JSON document on standard output)."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any, Final, NoReturn, TypeVar

from huitong.errors import HuitongError

REFUSED: Final = 1
HELD: Final = 3
UNFINISHED: Final = 4
_WIDEST: Final = 60

F = TypeVar("F", bound=Callable[..., Any])


def show_json(value: Any) -> None:
    """Indented for people at a terminal only: it takes ten times as long."""
    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(value, ensure_ascii=False, indent=indent, default=str))


def say(text: str) -> None:
    """A line for people, without characters that would steer a terminal."""
    print(_visible(text))


def note(text: str) -> None:
    """Progress and remarks, on standard error."""
    print(_visible(text), file=sys.stderr, flush=True)


def show_table(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """``columns``: member → heading."""
    if not rows:
        note("(没有记录 nothing)")
        return
    lines = [list(columns.values())]
    lines += [[_cell(row.get(name)) for name in columns] for row in rows]
    widths = [max(_width(line[place]) for line in lines) for place in range(len(columns))]
    for number, line in enumerate(lines):
        print("  ".join(_padded(text, width) for text, width in zip(line, widths, strict=True)).rstrip())
        if number == 0:
            print("  ".join("-" * width for width in widths))


def show_members(value: Mapping[str, Any], names: Mapping[str, str]) -> None:
    """One thing, a member a line."""
    width = max(_width(heading) for heading in names.values())
    for name, heading in names.items():
        if value.get(name) not in (None, "", [], {}):
            print(f"{_padded(heading, width)}  {_text(value[name])}")


def fail(problem: Mapping[str, Any], as_json: bool, status: int = REFUSED) -> NoReturn:
    """Tell a refusal and end with a status that is not 0."""
    if as_json:
        show_json(problem)
    else:
        note(f"✗ {problem.get('detail', '')}")
        for one in problem.get("problems") or ():
            note(f"  - {one.get('zh', '')} / {one.get('en', '')}")
    raise SystemExit(status)


def command(work: F) -> F:
    """Turn refusals of a command into a message and exit status 1."""

    @wraps(work)
    def guarded(**given: Any) -> Any:
        from huitong.cli.client import Refused

        as_json = bool(given.get("as_json"))
        try:
            return work(**given)
        except Refused as refused:
            fail(refused.problem, as_json)
        except HuitongError as error:
            problems = [p.as_dict() for p in error.problems]
            detail = f"{error.zh} / {error.en}"
            fail({"code": error.code, "status": 0, "detail": detail, "problems": problems}, as_json)

    return guarded  # type: ignore[return-value]


def _cell(value: Any) -> str:
    text = _text(value).replace("\r", " ").replace("\n", " ")
    if _width(text) <= _WIDEST:
        return text
    while _width(text) > _WIDEST - 1:
        text = text[:-1]
    return f"{text}…"


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "是 yes" if value else "否 no"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return _visible(str(value))


def _visible(text: str) -> str:
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "�" for c in text)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
