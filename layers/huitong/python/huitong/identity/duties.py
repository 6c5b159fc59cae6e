"""Statutory duties (法定职责): what a unit may do by law, since when and until when (L-40, Q-60).

A use of data under a duty needs the duty held here and named in the grant.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, NotFound
from huitong.identity.model import Principal
from huitong.ports import Clock, Item, Register
from huitong.procedures.calendar import china_day


@dataclass(frozen=True, slots=True)
class Duty:
    """``starts`` and ``ends`` are days (China), both included; an empty end is open. ``posts`` bound it to
    holders of these posts of the unit; empty = everybody who acts for the unit, systems included."""

    unit: str
    code: str
    zh: str
    en: str
    basis: str  # 法律依据: law and article
    starts: str = ""
    ends: str = ""
    posts: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{**body, "posts": tuple(body["posts"])})


class Duties:
    """Register keys: ``DUTY#{unit}`` / code."""

    def __init__(self, register: Register, traces: Traces, clock: Clock) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock

    def put(self, duty: Duty, *, by: Principal) -> Duty:
        """Register a duty or change it. Raises BadRequest without a legal basis, Conflict."""
        if not duty.basis.strip():
            raise BadRequest(
                "法定职责须写明法律依据", "A statutory duty needs its legal basis", duty=duty.code
            )
        if duty.starts and duty.ends and duty.ends < duty.starts:
            raise BadRequest("止期早于起期", "The duty ends before it starts", duty=duty.code)
        stored = self._register.get(f"DUTY#{duty.unit}", duty.code)
        item = Item(f"DUTY#{duty.unit}", duty.code, duty.as_dict(), stored.version if stored else 0)
        self._traces.commit(
            _trace(duty, "put", by),
            creates=[] if stored else [item],
            replaces=[item] if stored else [],
        )
        return duty

    def get(self, unit: str, code: str) -> Duty:
        """Raises NotFound."""
        item = self._register.get(f"DUTY#{unit}", code)
        if item is None:
            raise NotFound(f"没有职责 {code}", f"There is no duty {code}", unit=unit, duty=code)
        return Duty.from_dict(item.body)

    def of_unit(self, unit: str) -> list[Duty]:
        return [Duty.from_dict(item.body) for item in self._register.query(f"DUTY#{unit}")]

    def delete(self, unit: str, code: str, *, by: Principal) -> Duty:
        """End it at once. Raises NotFound."""
        duty = self.get(unit, code)
        self._traces.commit(_trace(duty, "delete", by), deletes=[(f"DUTY#{unit}", code)])
        return duty

    def held(self, principal: Principal, unit: str, duty: str) -> bool:
        """Whether the asker may use data under the duty of the unit today. An unknown duty is not held."""
        item = self._register.get(f"DUTY#{unit}", duty) if unit and duty else None
        if item is None or not principal.may_act_for(unit):
            return False
        known, today = Duty.from_dict(item.body), china_day(self._clock.now()).isoformat()
        if today < known.starts or (known.ends and today > known.ends):
            return False
        return not known.posts or self._post(principal, unit) in known.posts

    def _post(self, principal: Principal, unit: str) -> str:
        account = self._register.get(f"ACCOUNT#{principal.person}", "ACCOUNT") if principal.person else None
        return str(account.body["post"]) if account and account.body["unit"] == unit else ""


def _trace(duty: Duty, step: str, by: Principal) -> Trace:
    detail = f"duty:{duty.unit}:{duty.code}:{step}"
    return Trace(act="configure", actor=by.who, unit=by.unit, detail=detail)
