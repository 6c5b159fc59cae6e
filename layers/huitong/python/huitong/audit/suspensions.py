"""Who may not use data for now (S-33): set by a rule or by security, lifted by security with a reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, Conflict, NotFound, NotPermitted
from huitong.identity.model import Principal
from huitong.ports import Clock, Item, Register, timestamp

_SK: Final = "SUSPENDED"
_LISTED: Final = "SUSPENSIONS"


@dataclass(frozen=True, slots=True)
class Suspension:
    principal: str
    reason: str
    at: str
    by: str
    lifted: bool = False
    lifted_at: str = ""
    lifted_by: str = ""
    lifted_reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class Suspensions:
    def __init__(self, register: Register, traces: Traces, clock: Clock) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock

    def check(self, principal: Principal | str) -> None:
        """Raises NotPermitted while the principal is suspended, or the person who answers for it: evidence,
        and so the rules, name the person. Every way to data asks here first."""
        ids = (principal,) if isinstance(principal, str) else (principal.id, principal.who)
        every = (self.find(id) for id in dict.fromkeys(ids))
        found = next((one for one in every if one is not None and not one.lifted), None)
        if found is not None:
            raise NotPermitted(
                "数据使用已被暂停,请联系安全管理员",
                "The use of data is suspended: ask the security administrator",
                suspended=found.at,
            )

    def find(self, principal: str) -> Suspension | None:
        item = self._register.get(_pk(principal), _SK)
        return Suspension(**item.body) if item else None

    def suspend(self, principal: str, reason: str, *, by: str, creates: Sequence[Item] = ()) -> Suspension:
        """Takes effect with the next request. Raises BadRequest without a reason; harmless when repeated.

        ``creates``: further entries of the same write (notices).
        """
        _needed(reason)
        item = self._register.get(_pk(principal), _SK)
        if item is not None and not item.body["lifted"]:
            return Suspension(**item.body)
        made = Suspension(principal, reason, timestamp(self._clock.now()), by)
        self._write(item, made, by, "suspend", creates)
        return made

    def lift(self, principal: str, reason: str, *, by: str) -> Suspension:
        """Raises NotFound, BadRequest without a reason, Conflict when it was lifted meanwhile."""
        _needed(reason)
        item = self._register.get(_pk(principal), _SK)
        if item is None:
            raise NotFound(f"{principal} 未被暂停", f"{principal} is not suspended", principal=principal)
        if item.body["lifted"]:
            raise Conflict(f"{principal} 已恢复", f"{principal} was let in again", principal=principal)
        if principal == by:
            raise NotPermitted("不能恢复自己", "Nobody lifts an own suspension")
        now = timestamp(self._clock.now())
        made = replace(
            Suspension(**item.body), lifted=True, lifted_at=now, lifted_by=by, lifted_reason=reason
        )
        self._write(item, made, by, "lift", ())
        return made

    def all(self) -> list[Suspension]:
        """Every principal that was ever suspended, with the last suspension."""
        found = (self.find(item.sk) for item in self._register.query(_LISTED))
        return [one for one in found if one is not None]

    def _write(self, item: Item | None, made: Suspension, by: str, act: str, creates: Sequence[Item]) -> None:
        pk, body = _pk(made.principal), made.as_dict()
        new = [Item(pk, _SK, body), Item(_LISTED, made.principal, {})] if item is None else []
        self._traces.commit(
            Trace("rights", by, "", detail=f"{act}:{made.principal}"),
            creates=[*new, *creates],
            replaces=[replace(item, body=body)] if item else [],
        )


def _needed(reason: str) -> None:
    if not reason.strip():
        raise BadRequest("请给出理由", "Give a reason")


def _pk(principal: str) -> str:
    return f"SUSPENDED#{principal}"
