"""What signatures and one-time codes are made of, against published vectors (S-03, S-36)."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime

import pytest

from huitong.errors import BadRequest, Fault
from huitong.identity import signed, totp
from huitong.identity.signed import Claim, Signable, digest_of, mac, sign, text_to_sign

#: RFC 6238, appendix B, SHA-1: the last six of eight digits.
RFC6238 = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    20000000000: "353130",
}


@pytest.mark.parametrize(("at", "expected"), RFC6238.items())
def test_codes_are_those_of_rfc_6238(at: int, expected: str) -> None:
    secret = base64.b32encode(b"12345678901234567890").decode()
    assert totp.code(secret, datetime.fromtimestamp(at, UTC)) == expected


def test_codes_are_good_for_one_step_of_drift_only() -> None:
    secret, at = totp.new_secret(), datetime(2026, 1, 5, 8, tzinfo=UTC)
    good = {totp.code(secret, at, steps=n) for n in (-1, 0, 1)}
    assert all(totp.matching_step(secret, code, at) for code in good)
    for steps in (-3, -2, 2, 3):
        code = totp.code(secret, at, steps=steps)
        assert code in good or not totp.matching_step(secret, code, at)
    assert not totp.matching_step(secret, "", at)
    assert not totp.matching_step(secret, "一二三四五六", at)


def test_digests_are_those_of_gb_t_32905() -> None:
    """GB/T 32905-2016, appendix A: examples 1 and 2."""
    assert digest_of("HUITONG-HMAC-SM3", b"abc") == (
        "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    )
    assert digest_of("HUITONG-HMAC-SM3", b"abcd" * 16) == (
        "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
    )


def test_sm3_is_found_where_the_interpreter_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import hmac

    expected = hmac.new(b"key", b"text", "sm3").hexdigest()
    long_key = hmac.new(b"k" * 100, b"text", "sm3").hexdigest()
    plain = hashlib.new

    def without(name: str, data: bytes = b"") -> object:
        if name == "sm3":
            raise ValueError(f"unsupported hash type {name}")
        return plain(name, data)

    monkeypatch.setattr(hashlib, "new", without)
    assert mac("HUITONG-HMAC-SM3", b"key", b"text") == expected
    assert mac("HUITONG-HMAC-SM3", b"k" * 100, b"text") == long_key
    monkeypatch.setitem(__import__("sys").modules, "cryptography.hazmat.primitives", None)
    with pytest.raises(Fault, match="SM3"):
        mac("HUITONG-HMAC-SM3", b"key", b"text")


def test_the_text_to_sign_is_what_the_manual_says() -> None:
    claim = Claim("HUITONG-HMAC-SM3", "c1", "2026-01-05T08:00:00Z", "n" * 16, "d" * 64, "")
    request = Signable(
        "get", "/v1/batches", (("to", "乙"), ("from", "甲 1")), (("Huitong-Unit", " U  1 "), ("Accept", "x"))
    )
    lines = text_to_sign(claim, request).decode().split("\n")
    assert lines == [
        "HUITONG-HMAC-SM3", "c1", "2026-01-05T08:00:00Z", "n" * 16, "GET", "/v1/batches",
        "from=%E7%94%B2%201&to=%E4%B9%99", "huitong-unit:U 1", "d" * 64,
    ]  # fmt: skip


def test_another_algorithm_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(BadRequest):
        sign("HUITONG-HMAC-MD5", "k", "c", Signable("GET", "/v1/me"), datetime.now(UTC))
    assert set(signed.ALGORITHMS) == {"HUITONG-HMAC-SM3", "HUITONG-HMAC-SHA256"}
