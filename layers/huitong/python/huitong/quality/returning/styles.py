"""Cell styles of a workbook with a colour added: each style that is asked for, and its coloured twin."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

ERROR: Final = "FFFFC7CE"
WARNING: Final = "FFFFEB9C"
HEADING: Final = "FFD9D9D9"

_FILLS: Final = re.compile(rb"<((?:\w+:)?)fills\b[^>]*?(?:/>|>(.*?)</(?:\w+:)?fills>)", re.DOTALL)
_FILL: Final = re.compile(rb"<(?:\w+:)?fill\b[^>]*?(?:/>|>.*?</(?:\w+:)?fill>)", re.DOTALL)
_XFS: Final = re.compile(rb"<((?:\w+:)?)cellXfs\b[^>]*>(.*?)</(?:\w+:)?cellXfs>", re.DOTALL)
_XF: Final = re.compile(rb"<(?:\w+:)?xf\b[^>]*?(?:/>|>.*?</(?:\w+:)?xf>)", re.DOTALL)


@dataclass
class Styles:
    """``xml`` is the styles part as it was. :meth:`of` gives numbers of styles, :meth:`written` has them."""

    xml: bytes
    _known: dict[tuple[int, str], int] = field(default_factory=dict)
    _added: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        fills, formats = _FILLS.search(self.xml), _XFS.search(self.xml)
        self._fills = _FILL.findall(fills[2] or b"") if fills else []
        self._formats = _XF.findall(formats[2]) if formats else []
        self._prefix = formats[1] if formats else b""
        self.usable = bool(fills and formats and self._formats)
        self._colours: dict[str, int] = {}

    def of(self, style: int, colour: str) -> int:
        """The style that looks like ``style``, with this fill."""
        if not self.usable:
            return style
        key = (style, colour)
        if key not in self._known:
            fill = self._colours.setdefault(colour, len(self._fills) + len(self._colours))
            like = self._formats[style] if style < len(self._formats) else self._formats[0]
            head, end, rest = like.partition(b">")
            closed = head.endswith(b"/")
            head = re.sub(rb'\s(?:fillId|applyFill)="[^"]*"', b"", head.removesuffix(b"/"))
            head += b' fillId="%d" applyFill="1"' % fill
            self._added.append(head + (b"/" if closed else b"") + end + rest)
            self._known[key] = len(self._formats) + len(self._added) - 1
        return self._known[key]

    def written(self) -> bytes:
        """The styles part with everything that was handed out."""
        if not self._added:
            return self.xml
        p = self._prefix
        fills = [
            b'<%sfill><%spatternFill patternType="solid"><%sfgColor rgb="%s"/><%sbgColor indexed="64"/>'
            b"</%spatternFill></%sfill>" % (p, p, p, colour.encode(), p, p, p)
            for colour in self._colours
        ]
        xml = _replaced(_FILLS, self.xml, b"fills", [*self._fills, *fills])
        return _replaced(_XFS, xml, b"cellXfs", [*self._formats, *self._added])


def _replaced(pattern: re.Pattern[bytes], xml: bytes, name: bytes, parts: list[bytes]) -> bytes:
    found = pattern.search(xml)
    if found is None:
        return xml
    tag = found[1] + name
    made = b'<%s count="%d">%s</%s>' % (tag, len(parts), b"".join(parts), tag)
    return xml[: found.start()] + made + xml[found.end() :]
