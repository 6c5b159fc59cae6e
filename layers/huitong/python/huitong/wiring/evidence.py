"""Builders of the capabilities of evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from huitong import settings
from huitong.wiring import parts

if TYPE_CHECKING:
    from huitong.audit.archive import Archive
    from huitong.audit.checking import Checking
    from huitong.audit.clock_drift import ClockDrift
    from huitong.audit.disclosed import Disclosures
    from huitong.audit.heads import Heads
    from huitong.audit.search import Evidence
    from huitong.audit.suspensions import Suspensions
    from huitong.aws.signing import KmsSigner

SignedSettings = settings.QuerySettings | settings.ScheduleSettings


def evidence(s: settings.Settings) -> Evidence:
    from huitong.audit.search import Evidence

    return Evidence(parts.register(s), parts.bucket(s, s.evidence_bucket))


def disclosures(s: settings.Settings) -> Disclosures:
    return parts.disclosures(s)


def suspensions(s: settings.Settings) -> Suspensions:
    from huitong.audit.suspensions import Suspensions

    return Suspensions(parts.register(s), parts.traces(s), parts.CLOCK)


def archive(s: settings.Settings) -> Archive:
    from huitong.audit.archive import Archive

    return Archive(parts.register(s), parts.bucket(s, s.evidence_bucket), parts.CLOCK)


def signer(s: SignedSettings) -> KmsSigner:
    from huitong.aws.signing import KmsSigner

    former = [one.strip() for one in s.former_signers.split(",") if one.strip()]
    return KmsSigner(parts.client(s, "kms"), s.signing_key, former)


def heads(s: SignedSettings) -> Heads:
    from huitong.audit.heads import Heads
    from huitong.audit.unusual import Unusual
    from huitong.procedures.calendar import Calendar

    register, events = parts.register(s), parts.events(s, s.event_bus)
    unusual = Unusual(register, suspensions(s), Calendar(register), parts.CLOCK, events)
    store = parts.bucket(s, s.evidence_bucket)
    return Heads(register, store, signer(s), parts.evidence_keys(s), parts.CLOCK, events, [unusual])


def checking(s: SignedSettings) -> Checking:
    from huitong.audit.checking import Checking

    store, keys = parts.bucket(s, s.evidence_bucket), parts.evidence_keys(s)
    return Checking(parts.register(s), store, signer(s), keys, heads(s))


def clock_drift(s: settings.Settings) -> ClockDrift:
    from huitong.audit.clock_drift import ClockDrift
    from huitong.aws.remote_time import S3Time

    remote = S3Time(parts.client(s, "s3"), s.evidence_bucket)
    return ClockDrift(parts.CLOCK, remote, parts.events(s, s.event_bus))


BUILDERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "evidence": evidence,
    "evidence_heads": heads,
    "evidence_checking": checking,
    "clock_drift": clock_drift,
    "evidence_register": parts.register,
    "disclosures": disclosures,
    "suspensions": suspensions,
}
