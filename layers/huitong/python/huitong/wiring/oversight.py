"""Builders of standing and supervision: what units agreed, the gates on it, and what the operator watches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Final

from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.audit.trace import Traces
    from huitong.contracts.frequency import Working
    from huitong.contracts.registry import Contracts
    from huitong.sharing.grants import Grants
    from huitong.standing.controls import Controls
    from huitong.standing.desks import Standing
    from huitong.standing.docking import DockingWork
    from huitong.standing.documents import Documents
    from huitong.standing.expiry import Expiry
    from huitong.standing.gates import Gates
    from huitong.standing.licences import Licences
    from huitong.standing.registration import Registrations
    from huitong.supervision.annual import AnnualReports
    from huitong.supervision.desks import Supervision
    from huitong.supervision.figures import Figures
    from huitong.supervision.restrictions import Restrictions


def standing(s: Any) -> Standing:
    from huitong.identity.units import Units
    from huitong.procedures.calendar import Calendar
    from huitong.standing.desks import Standing

    kept = parts.register(s)
    return Standing(kept, _traces(s), Calendar(kept), parts.CLOCK, Units(kept), _contracts(s))


def registrations(s: Any) -> Registrations:
    from huitong.identity.units import Units
    from huitong.standing.partners import partners
    from huitong.standing.registration import Registrations

    kept = parts.register(s)
    known = partners(standing(s), _contracts(s), _grants(s))
    return Registrations(kept, Units(kept), _traces(s), parts.CLOCK, known)


def gates(s: Any) -> Gates:
    from huitong.standing.gates import Gates

    return Gates(
        standing(s),
        registrations(s),
        _contracts(s),
        parts.CLOCK,
        restricted=restrictions(s).problems,
        strict=bool(getattr(s, "strict_gates", True)),
    )


def licences(s: Any) -> Licences:
    from huitong.standing.licences import Licences

    return Licences(standing(s), parts.register(s), parts.CLOCK)


def docking(s: Any) -> DockingWork:
    from huitong.standing.docking import DockingWork

    return DockingWork(standing(s), parts.register(s), _traces(s), parts.CLOCK)


def documents(s: Any) -> Documents:
    from huitong.standing.documents import Documents

    return Documents(parts.bucket(s, s.staging_bucket))


def expiry(s: Any) -> Expiry:
    from huitong.standing.expiry import Expiry

    return Expiry(standing(s), parts.register(s), parts.CLOCK)


def controls(s: Any) -> Controls:
    from huitong.standing.controls import Controls

    return Controls(
        gates(s), standing(s), _grants(s), cache(lambda: _subscriptions(s)), _traces(s), parts.CLOCK
    )


def supervision(s: Any) -> Supervision:
    from huitong.identity.units import Units
    from huitong.procedures.calendar import Calendar
    from huitong.supervision.desks import Supervision

    kept, contracts = parts.register(s), _contracts(s)
    return Supervision(
        kept,
        _traces(s),
        Calendar(kept),
        parts.CLOCK,
        Units(kept),
        affected=receivers(_grants(s)),
        owner=lambda resource: contracts.get(resource).provider,
    )


def restrictions(s: Any) -> Restrictions:
    from huitong.batches.lateness import found
    from huitong.supervision.restrictions import Restrictions

    contracts, batches = _contracts(s), parts.batches(s)
    return Restrictions(
        parts.register(s),
        _traces(s),
        parts.CLOCK,
        lambda unit: found(contracts.all(), batches, parts.CLOCK.now(), unit, working_day(s)),
    )


def working_day(s: Any) -> Working:
    """Whether a day is a working day, by the calendar as it is now."""
    from huitong.procedures.calendar import Calendar

    return Calendar(parts.register(s)).working_days().is_working


def figures(s: Any) -> Figures:
    from huitong.delivery.accounts import Deliveries
    from huitong.procedures.all import every
    from huitong.procedures.calendar import Calendar
    from huitong.supervision.figures import Figures

    kept = parts.register(s)
    return Figures(
        kept,
        _contracts(s).all,
        parts.batches(s),
        Deliveries(kept),
        _traces(s),
        lambda: every().values(),
        Calendar(kept),
        parts.CLOCK,
    )


def annual(s: Any) -> AnnualReports:
    from huitong.identity.units import Units
    from huitong.notices.notices import Notices
    from huitong.supervision.annual import AnnualReports, in_force, unusual_uses

    contracts, grants, kept = _contracts(s), _grants(s), parts.register(s)
    return AnnualReports(
        figures(s),
        contracts.all,
        Units(kept).list,
        lambda: in_force(contracts.all(), grants),
        unusual_uses(Notices(kept, parts.CLOCK)),
    )


def receivers(grants: Grants) -> Callable[[Iterable[str]], set[str]]:
    """Units that a grant in force gives something of the resources."""

    def of(resources: Iterable[str]) -> set[str]:
        today = grants.today()
        return {g.unit for r in resources for g in grants.of_resource(r) if g.valid_on(today)}

    return of


def _traces(s: Any) -> Traces:
    return parts.traces(s)


def _grants(s: Any) -> Grants:
    from huitong.sharing.grants import Grants

    return Grants(parts.register(s), parts.CLOCK)


def _contracts(s: Any) -> Contracts:
    return parts.contracts(s, s.staging_bucket)


def _subscriptions(s: Any) -> Any:
    pushes = parts.queue(s, s.push_queue_url, waiting=s.waiting_queue_url)
    return parts.subscriptions(s, s.secrets_key, pushes, parts.endpoint_rules())


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "standing": standing,
    "registrations": registrations,
    "gates": gates,
    "licences": licences,
    "docking": docking,
    "documents": documents,
    "expiry": expiry,
    "controls": controls,
    "supervision": supervision,
    "restrictions": restrictions,
    "figures": figures,
    "annual": annual,
}
#: Job of the clock → (area, method).
SWEEPS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "hour": (("supervision", "tick"), ("restrictions", "tick"), ("expiry", "run"), ("figures", "tick")),
}
