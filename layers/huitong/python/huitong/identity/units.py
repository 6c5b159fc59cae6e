"""The register of units (单位), known by their unified social credit code (GB 32100-2015)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from huitong.audit.trace import Trace, Traces, commit_with
from huitong.errors import BadRequest, NotFound
from huitong.ports import Item, Register

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(frozen=True, slots=True)
class Unit:
    code: str
    name: str
    contact: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def is_credit_code(text: str) -> bool:
    """18 characters of the code's alphabet whose last is the right check character."""
    if len(text) != 18 or any(c not in _ALPHABET for c in text):
        return False
    total = sum(_ALPHABET.index(c) * pow(3, place, 31) for place, c in enumerate(text[:17]))
    return _ALPHABET[(31 - total % 31) % 31] == text[17]


class Units:
    def __init__(self, register: Register, traces: Traces | None = None) -> None:
        self._register = register
        self._traces = traces

    def put(self, code: str, name: str, contact: str = "", *, by: str = "") -> Unit:
        """Register a unit or change its name and contact. Raises BadRequest on a wrong code or empty name."""
        if not is_credit_code(code):
            raise BadRequest(
                f"{code} 不是有效的统一社会信用代码", f"{code} is no unified social credit code", unit=code
            )
        if not name.strip():
            raise BadRequest("单位名称不能为空", "A unit needs a name", unit=code)
        unit = Unit(code, name.strip(), contact.strip())
        stored = self._register.get(f"UNIT#{code}", "UNIT")
        if stored is not None:
            told = Trace("configure", by, "", detail=f"unit:{code}")
            changed = stored.with_body(**unit.as_dict())
            commit_with(self._traces, told, self._register, replaces=[changed])
            return unit
        commit_with(
            self._traces,
            Trace("configure", by, "", detail=f"unit:{code}"),
            self._register,
            creates=[Item(f"UNIT#{code}", "UNIT", unit.as_dict()), Item("UNITS", code, {"code": code})],
        )
        return unit

    def find(self, code: str) -> Unit | None:
        item = self._register.get(f"UNIT#{code}", "UNIT")
        return Unit(**item.body) if item else None

    def get(self, code: str) -> Unit:
        """Raises NotFound."""
        unit = self.find(code)
        if unit is None:
            raise NotFound(f"没有登记单位 {code}", f"There is no unit {code}", unit=code)
        return unit

    def list(self) -> list[Unit]:
        return [self.get(item.sk) for item in self._register.query("UNITS")]
