"""Limits on units that are in arrears with their deliveries (L-36), and by decision of the operator.

A restriction shows its reason and ends when the arrears are cleared. What it
forbids and whether it comes by itself is policy, kept as data. Keys:
``RESTRICTION#{unit}`` / ``ARREARS`` or ``DECISION#{id}``; ``PAST#{since}#{id}``
keeps those that ended; ``index1`` = (``RESTRICTIONS``, ``{unit}#…``) lists what is in force or proposed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self
from uuid import uuid4

from huitong.audit.trace import Trace, Traces
from huitong.batches.lateness import Late
from huitong.errors import BadRequest, Conflict, NotFound, NotPermitted, Problem
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, Item, Register, timestamp

Effect = Literal["grants", "derived"]
RestrictionState = Literal["proposed", "in_force", "ended"]
#: What a restriction can forbid its unit.
EFFECTS: Final[Mapping[str, tuple[str, str]]] = {
    "grants": ("不受理新的共享申请与开通", "no new grants and interfaces for the unit"),
    "derived": ("不提供衍生服务(统计、比对、报表)", "no derived services (statistics, comparison, reports)"),
}
_PLATFORM: Final = "platform"


@dataclass(frozen=True, slots=True)
class Policy:
    """``automatic`` False: arrears only propose a restriction, an officer decides. ``grace_days``: calendar
    days after the due moment before anything happens."""

    automatic: bool = True
    grace_days: int = 0
    effects: tuple[str, ...] = ("grants", "derived")


@dataclass(frozen=True, slots=True)
class Restriction:
    """``ground`` arrears: of the resources named; decision: of the operator, with its own reason."""

    unit: str
    ground: Literal["arrears", "decision"]
    state: RestrictionState
    reason_zh: str
    reason_en: str
    effects: tuple[str, ...]
    since: str
    by: str
    resources: tuple[str, ...] = ()
    id: str = ""
    ended_at: str = ""
    ended_by: str = ""
    end_reason: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{**body, "effects": tuple(body["effects"]), "resources": tuple(body["resources"])})


def decided(
    policy: Policy, unit: str, late: Sequence[Late], current: Restriction | None, now: datetime
) -> Restriction | None:
    """What a unit's arrears make of its restriction: the new one, or ``current`` when nothing changes."""
    latest = timestamp(now - timedelta(days=policy.grace_days))
    counted = sorted(
        (one for one in late if one.unit == unit and one.due <= latest), key=lambda x: x.resource
    )
    living = current if current is not None and current.state != "ended" else None
    if not counted:
        if living is None:
            return current
        reason = "欠报已补齐 arrears cleared"
        return replace(living, state="ended", ended_at=timestamp(now), ended_by=_PLATFORM, end_reason=reason)
    resources = tuple(one.resource for one in counted)
    zh = "未按公布的更新时限报送:" + "、".join(f"{one.resource}(应于 {one.due[:10]} 前)" for one in counted)
    en = "late by the published update limits: " + ", ".join(
        f"{o.resource} (due {o.due[:10]})" for o in counted
    )
    if living is not None:
        return replace(living, resources=resources, reason_zh=zh, reason_en=en)
    return Restriction(
        unit,
        "arrears",
        "in_force" if policy.automatic else "proposed",
        zh,
        en,
        policy.effects,
        since=timestamp(now),
        by=_PLATFORM,
        resources=resources,
        id=uuid4().hex[:12],
    )


class Restrictions:
    """``late`` tells what a unit ("" = every unit) is late with now."""

    def __init__(
        self, register: Register, traces: Traces, clock: Clock, late: Callable[[str], Sequence[Late]]
    ) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock
        self._late = late

    # --- asking

    def check(self, unit: str, effect: str = "grants") -> None:
        """Raises NotPermitted, with the reasons, when the unit is restricted in this."""
        if problems := self.problems(unit, effect):
            reasons = ";".join(p.zh for p in problems)
            raise NotPermitted(
                f"单位受限:{reasons}", f"The unit is restricted: {problems[0].en}", problems=problems
            )

    def problems(self, unit: str, effect: str = "grants") -> list[Problem]:
        """Why the unit is restricted. Arrears are looked at anew: what was cleared restricts no more."""
        found = [r for r in self.of_unit(unit) if r.state == "in_force"]
        if any(r.ground == "arrears" for r in found):
            self.refresh(unit)
            found = [r for r in self.of_unit(unit) if r.state == "in_force"]
        return [
            Problem(
                "gate.restricted",
                f"单位 {unit} 受限:{r.reason_zh}",
                f"Unit {unit} is restricted: {r.reason_en}",
                {"unit": unit},
                "补报欠缺的数据后自动解除" if r.ground == "arrears" else "由管理方解除",
                "It ends when the arrears are cleared" if r.ground == "arrears" else "The operator ends it",
            )
            for r in found
            if effect in r.effects
        ]

    def of_unit(self, unit: str) -> list[Restriction]:
        """In force, proposed, and the last one of arrears though ended."""
        items = self._register.query(f"RESTRICTION#{unit}")
        return [Restriction.from_dict(i.body) for i in items if not i.sk.startswith("PAST#")]

    def past(self, unit: str) -> list[Restriction]:
        """Those that ended, newest first."""
        items = self._register.query(f"RESTRICTION#{unit}", prefix="PAST#", descending=True)
        return [Restriction.from_dict(i.body) for i in items]

    def all(self) -> list[Restriction]:
        """In force or proposed, of all units. Eventually consistent."""
        found = [Restriction.from_dict(i.body) for i in self._register.query_index("index1", "RESTRICTIONS")]
        return [r for r in found if r.state != "ended"]

    # --- arrears

    def policy(self) -> Policy:
        item = self._register.get("SUPERVISION", "RESTRICTION-POLICY")
        return Policy(**{**item.body, "effects": tuple(item.body["effects"])}) if item else Policy()

    def set_policy(self, policy: Policy, *, by: str, unit: str = "") -> Policy:
        """Raises BadRequest, Conflict."""
        if policy.grace_days < 0 or not policy.effects or set(policy.effects) - set(EFFECTS):
            raise BadRequest("限制办法有误", "The policy is not valid", effects=sorted(EFFECTS))
        stored = self._register.get("SUPERVISION", "RESTRICTION-POLICY")
        item = Item("SUPERVISION", "RESTRICTION-POLICY", asdict(policy), stored.version if stored else 0)
        trace = Trace("configure", by, unit, detail="restriction-policy")
        self._traces.commit(trace, creates=[] if stored else [item], replaces=[item] if stored else [])
        return policy

    def tick(self) -> dict[str, int]:
        """For the hourly job: every unit's restriction as its arrears say. Conflicts wait for the next."""
        late, policy = list(self._late("")), self.policy()
        known = {r.unit for r in self.all() if r.ground == "arrears"}
        changed = 0
        for unit in sorted({one.unit for one in late if one.unit} | known):
            try:
                changed += self._apply(unit, [one for one in late if one.unit == unit], policy)
            except Conflict:
                continue
        return {"restrictions": changed}

    def refresh(self, unit: str) -> None:
        """One unit's restriction as its arrears say now. A conflict means that somebody else just did it."""
        try:
            self._apply(unit, self._late(unit), self.policy())
        except Conflict:
            return

    def _apply(self, unit: str, late: Sequence[Late], policy: Policy) -> bool:
        stored = self._register.get(f"RESTRICTION#{unit}", "ARREARS")
        current = Restriction.from_dict(stored.body) if stored else None
        after = decided(policy, unit, late, current, self._clock.now())
        if after is None or after == current:
            return False
        self._write(after, stored, by=_PLATFORM, acting="", tell=not current or after.state != current.state)
        return True

    # --- by decision

    def impose(self, unit: str, reason: str, effects: Sequence[str], *, by: str, acting: str) -> Restriction:
        """Restrict a unit by decision. Raises BadRequest."""
        if not reason.strip() or not effects or set(effects) - set(EFFECTS):
            raise BadRequest("请说明理由与限制内容", "Give the reason and what is restricted", unit=unit)
        now = timestamp(self._clock.now())
        made = Restriction(
            unit, "decision", "in_force", reason, reason, tuple(effects), now, by, id=uuid4().hex[:12]
        )
        self._write(made, None, by=by, acting=acting)
        return made

    def decide(self, unit: str, id: str, step: str, reason: str, *, by: str, acting: str) -> Restriction:
        """``confirm`` a proposed restriction or ``lift`` one. One for arrears that last comes back.

        Raises NotFound, BadRequest, Conflict.
        """
        found = [i for i in self._register.query(f"RESTRICTION#{unit}") if i.body["id"] == id]
        stored = next((i for i in found if not i.sk.startswith("PAST#")), None)
        if stored is None:
            raise NotFound(f"没有限制 {id}", f"There is no restriction {id}", restriction=id)
        if not reason.strip():
            raise BadRequest("请说明理由", "Give the reason", restriction=id)
        before = Restriction.from_dict(stored.body)
        wanted = {"confirm": ("proposed",), "lift": ("proposed", "in_force")}
        if before.state not in wanted.get(step, ()):
            raise Conflict(f"限制处于 {before.state}", f"The restriction is {before.state}", restriction=id)
        if step == "confirm":
            after = replace(before, state="in_force", by=by)
        else:
            now = timestamp(self._clock.now())
            after = replace(before, state="ended", ended_at=now, ended_by=by, end_reason=reason)
        self._write(after, stored, by=by, acting=acting)
        return after

    def _write(
        self, after: Restriction, stored: Item | None, *, by: str, acting: str, tell: bool = True
    ) -> None:
        now = timestamp(self._clock.now())
        ended = after.state == "ended"
        sk = "ARREARS" if after.ground == "arrears" else f"DECISION#{after.id}"
        listed = None if ended else ("RESTRICTIONS", f"{after.unit}#{after.id}")
        item = Item(f"RESTRICTION#{after.unit}", sk, after.as_dict(), stored.version if stored else 0, listed)
        past = [Item(item.pk, f"PAST#{after.since}#{after.id}", after.as_dict())] if ended else []
        told = [entry_of(_notice(after), now)] if tell else []
        trace = Trace("rights", by, acting, detail=f"restriction:{after.unit}:{after.id}:{after.state}")
        self._traces.commit(
            trace,
            creates=[*([] if stored else [item]), *past, *told],
            replaces=[item] if stored else [],
        )


def _notice(r: Restriction) -> Notice:
    zh = {"proposed": "拟限制", "in_force": "已限制", "ended": "限制已解除"}[r.state]
    en = {"proposed": "Restriction proposed", "in_force": "Restricted", "ended": "Restriction ended"}[r.state]
    return Notice(
        r.unit,
        f"restriction.{r.state}",
        f"restriction:{r.unit}",
        f"{zh}:{r.end_reason if r.state == 'ended' else r.reason_zh}",
        f"{en}: {r.end_reason if r.state == 'ended' else r.reason_en}",
    )
