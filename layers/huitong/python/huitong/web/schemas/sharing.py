"""Bodies and answers of sharing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from huitong.web.schemas.parts import Schema, text

#: For what data are asked, as members of a body; the same as the headers Huitong-Case, -Duty, -Purpose, -Grant.
USE_MEMBERS: Final[Mapping[str, Schema]] = {
    "case_no": text("案号 the case for which the data are used", most=80),
    "duty": text("法定职责 the statutory duty for which they are used", most=128),
    "purpose": text("用途 the purpose in words", most=500),
    "grant": text("授权编号 the grant to use, where there are several", most=600),
}

SHARING: Final[Mapping[str, Schema]] = {}
