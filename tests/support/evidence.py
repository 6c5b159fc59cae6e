"""The capabilities of evidence over a test world's register, under the names of huitong.wiring.evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from huitong.audit.archive import Archive
from huitong.audit.chain import Keyring
from huitong.audit.checking import Checking
from huitong.audit.disclosed import Disclosures
from huitong.audit.heads import Heads
from huitong.audit.search import Evidence
from huitong.audit.suspensions import Suspensions
from huitong.audit.trace import Traces
from huitong.audit.unusual import Unusual
from huitong.local.messages import MemoryEvents
from huitong.local.objects import DiskObjects
from huitong.local.signing import LocalSigner
from huitong.procedures.calendar import Calendar

SUBJECTS_KEY = "a key of tests"


def evidence_areas(world: Any, root: Path | None = None) -> None:
    """Sets traces, disclosures, evidence, evidence_heads, evidence_checking, suspensions, archive."""
    register, clock = world.register, world.clock
    store = DiskObjects(root or world.landing._root.parent / "evidence")
    world.evidence_store, world.alerts = store, MemoryEvents()
    world.evidence_keys = Keyring(lambda name: f"secret of {name}", ("evidence",))
    world.signer = LocalSigner()
    world.traces = Traces(register, clock, world.evidence_keys, events=world.alerts)
    world.disclosures = Disclosures(lambda: SUBJECTS_KEY, store, clock)
    world.suspensions = Suspensions(register, world.traces, clock)
    world.evidence = Evidence(register, store)
    world.archive = Archive(register, store, clock)
    world.unusual = Unusual(register, world.suspensions, Calendar(register), clock, world.alerts)
    world.evidence_heads = Heads(
        register, store, world.signer, world.evidence_keys, clock, world.alerts, [world.unusual]
    )
    world.evidence_checking = Checking(
        register, store, world.signer, world.evidence_keys, world.evidence_heads
    )
    world.evidence_register = register
