"""Keys of the platform have versions and are rotated while everything goes on (S-24)."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from huitong.audit.chain import CHAIN, SHARDS, Entry, Keyring, Tail, partition
from huitong.audit.trace import Trace, Traces
from huitong.audit.verify import follow
from huitong.aws.signing import KmsSigner
from huitong.errors import BadRequest, NotFound, Unavailable
from huitong.identity.platform_keys import PlatformKeys
from huitong.local.messages import ManualClock, PlainSecrets
from huitong.local.register import MemoryRegister
from huitong.operating.keys import KEYS, KeyRotation


class Process:
    """One running function: its own keyring over the common register."""

    def __init__(self, register: MemoryRegister) -> None:
        self.keys = PlatformKeys(register, PlainSecrets(), ManualClock())
        self.ring = Keyring(self.keys.get, ("evidence",), "sha256", lambda: self.keys.versions("evidence"))
        self.traces = Traces(register, ManualClock(), self.ring)
        self.rotation = KeyRotation(self.keys, self.traces)


def chains(register: MemoryRegister) -> list[list[Entry]]:
    found = [register.query(partition(shard)) for shard in range(SHARDS)]
    return [[Entry.from_dict(item.body) for item in items] for items in found if items]


def test_what_was_sealed_under_former_keys_stays_good_and_new_instances_seal_under_the_new_one() -> None:
    register = MemoryRegister()
    running = Process(register)
    for _ in range(5):
        running.traces.write(Trace("query", "a", "u"))
    made = running.rotation.rotate("evidence", "年度更换", by="security")
    assert [one["version"] for one in made["versions"]] == [1, 2]
    fresh = Process(register)
    for process in (running, fresh) * 5:  # one still seals with the old key, one with the new
        process.traces.write(Trace("query", "a", "u"))
    used = {entry.key for entries in chains(register) for entry in entries}
    assert used == {"evidence", "evidence@2"}
    for verifier in (running, fresh, Process(register)):
        for entries in chains(register):
            raws = [(entry.n, entry.as_dict()) for entry in entries]
            verdict = follow(raws, Tail(entries[0].shard), verifier.ring, to_end=True)
            assert (verdict.finding, verdict.count) == (None, len(entries))


def test_an_entry_under_a_key_that_the_platform_never_made_does_not_fit() -> None:
    register = MemoryRegister()
    process = Process(register)
    process.traces.write(Trace("query", "a", "u"))
    forger = Keyring(lambda _name: "guess", ("evidence@9",))
    forged = forger.seal(Tail(0), {"id": "x", "at": "2026-01-01"})
    assert not process.ring.fits(forged)


def test_a_version_that_is_not_there_is_never_made_up() -> None:
    with pytest.raises(Unavailable):
        PlatformKeys(MemoryRegister(), PlainSecrets()).get("evidence@7")


def test_the_list_and_the_record_of_a_rotation_hold_no_key() -> None:
    register = MemoryRegister()
    process = Process(register)
    secret = process.keys.get("evidence")
    process.rotation.rotate("evidence", "x", by="security")
    shown = repr(process.rotation.list())
    newer = process.keys.get("evidence@2")
    assert secret != newer
    assert secret not in shown
    assert newer not in shown
    traced = [i.body["record"] for s in range(SHARDS) for i in register.query(f"{CHAIN}{s:02}")]
    assert [one["detail"] for one in traced] == ["key:evidence@2:rotated"]
    assert (process.rotation.list()[0]["versions"][-1]["reason"]) == "x"


@pytest.mark.parametrize("name", [name for name, (rotates, _, _) in KEYS.items() if not rotates])
def test_a_key_by_which_persons_are_found_is_not_rotated_away(name: str) -> None:
    register = MemoryRegister()
    process = Process(register)
    with pytest.raises(BadRequest) as refused:
        process.rotation.rotate(name, "x", by="security")
    assert "rotate-keys.md" in refused.value.en
    assert process.keys.history(name) == []


def test_an_unknown_key_and_a_missing_reason_are_refused() -> None:
    process = Process(MemoryRegister())
    with pytest.raises(NotFound):
        process.rotation.rotate("nothing", "x", by="security")
    with pytest.raises(BadRequest):
        process.rotation.rotate("evidence", " ", by="security")


class Kms:
    """A signing key as the key service has it."""

    def __init__(self) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())

    def get_public_key(self, KeyId: str) -> dict[str, Any]:
        form = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        return {
            "PublicKey": self.key.public_key().public_bytes(*form),
            "SigningAlgorithms": ["ECDSA_SHA_256"],
        }

    def sign(self, Message: bytes, **_: Any) -> dict[str, Any]:
        return {"Signature": self.key.sign(Message, ec.ECDSA(hashes.SHA256()))}


def test_heads_signed_by_a_former_key_are_trusted_only_where_the_deployment_names_it() -> None:
    """S-24, S-25: after a new signing key, or a restore to a place that has another one."""
    before = KmsSigner(Kms(), "old")
    signature = before.sign(b"head")
    digest = hashlib.sha256(signature.public_key.encode()).hexdigest()
    assert KmsSigner(Kms(), "new", [digest]).verify(b"head", signature)
    assert not KmsSigner(Kms(), "new", [digest]).verify(b"another head", signature)
    assert not KmsSigner(Kms(), "new").verify(b"head", signature)
    assert not KmsSigner(Kms(), "new", ["0" * 64]).verify(b"head", signature)
