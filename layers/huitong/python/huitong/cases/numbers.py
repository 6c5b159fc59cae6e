"""Case numbers as they are published: the light twin of :mod:`huitong.quality.semantics.case_number`."""

from __future__ import annotations

import re
from typing import Final

_BLANK: Final = re.compile(r"[\t\n\f\r \u3000]+")
_SUFFIX: Final = re.compile(r"之[一二三四五六七八九十]+$")
_FORM: Final = re.compile(r"\(\d{4}\)[^\s/#?]{3,60}\Z")
#: No longer text is looked at.
MOST: Final = 120


def canonical(text: str) -> str:
    """Half-width brackets, no blanks, without the 之N of a document."""
    return _SUFFIX.sub("", _BLANK.sub("", text.replace("（", "(").replace("）", ")")))


def looks_like_one(text: str) -> bool:
    """Whether a text may stand in evidence as a case number: what somebody typed there may be a person's."""
    return len(text) <= MOST and _FORM.match(text) is not None
