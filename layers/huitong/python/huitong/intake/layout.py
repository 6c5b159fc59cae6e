"""How a file is laid out, as far as its sender declares it (Q-13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Self

from huitong.errors import Problem

FORMATS: Final = ("csv", "excel", "json", "parquet")

#: What a declared encoding may be called, and the codec that reads it. GBK and
#: GB2312 are read as GB18030, of which they are a part.
ENCODINGS: Final[Mapping[str, str]] = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "utf-8-sig": "utf-8",
    "utf-16": "utf-16",
    "utf16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16-le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "utf-16-be": "utf-16-be",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "big5": "big5",
}

_DELIMITER_NAMES: Final = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_FORMAT_NAMES: Final = {
    "tsv": "csv",
    "txt": "csv",
    "xlsx": "excel",
    "xls": "excel",
    "ndjson": "json",
    "jsonl": "json",
}


@dataclass(frozen=True, slots=True)
class Layout:
    """Empty (or 0) means: find out. ``quote`` "none" means that no character quotes."""

    format: str = ""
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    sheet: str = ""  # a name, or a position from 1
    header_row: int = 0  # as a spreadsheet counts, from 1

    @classmethod
    def read(cls, raw: Mapping[str, Any], where: str) -> tuple[Self, list[Problem]]:
        """A layout from loose input, with everything that is wrong with it."""
        problems: list[Problem] = []
        known = {f.name for f in fields(cls)}
        for name in raw:
            if name not in known:
                problems.append(
                    Problem(
                        "option.unknown",
                        f"没有名为 {name} 的选项",
                        f"There is no option {name}",
                        {"field": f"{where}{name}"},
                        advice_en=f"Options are {', '.join(sorted(known))}",
                        advice_zh=f"可用选项:{'、'.join(sorted(known))}",
                    )
                )
        layout = cls(
            format=_named(str(raw.get("format") or "").lower(), _FORMAT_NAMES),
            encoding=str(raw.get("encoding") or "").lower().replace("_", "-"),
            delimiter=_named(str(raw.get("delimiter") or ""), _DELIMITER_NAMES),
            quote=str(raw.get("quote") or ""),
            sheet=str(raw.get("sheet") or ""),
            header_row=_whole(raw.get("header_row")),
        )
        return layout, problems + layout.problems(where)

    def problems(self, where: str = "") -> list[Problem]:
        checks = (
            (
                "format",
                self.format in ("", *FORMATS),
                f"one of {', '.join(FORMATS)}",
                f"{'、'.join(FORMATS)} 之一",
            ),
            (
                "encoding",
                self.encoding in ("", *ENCODINGS),
                f"one of {', '.join(ENCODINGS)}",
                f"{'、'.join(ENCODINGS)} 之一",
            ),
            (
                "delimiter",
                self.delimiter == "" or (len(self.delimiter) == 1 and self.delimiter not in '"\r\n'),
                "a single character",
                "单个字符",
            ),
            (
                "quote",
                self.quote in ("", "none") or (len(self.quote) == 1 and self.quote.isascii()),
                'a single ASCII character, or "none"',
                "单个 ASCII 字符,或 none",
            ),
            ("header_row", 0 <= self.header_row <= 1_000, "a row number from 1 to 1000", "1 至 1000 的行号"),
        )
        return [
            Problem(
                f"option.{name}",
                f"选项 {name} 的值不可用,应为{zh}",
                f"Option {name} has no usable value; it must be {en}",
                {"field": f"{where}{name}"},
            )
            for name, good, en, zh in checks
            if not good
        ]

    def over(self, other: Layout) -> Layout:
        """This layout, and what it leaves open from ``other``."""
        mine = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(other, **{name: value for name, value in mine.items() if value})


def _named(value: str, names: Mapping[str, str]) -> str:
    return names.get(value.lower(), value)


def _whole(value: Any) -> int:
    if value in (None, ""):
        return 0
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1
