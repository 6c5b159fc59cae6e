"""The example of the manual signs as the platform checks (S-36)."""

from __future__ import annotations

import io
import re
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from huitong.identity.credentials import Credentials
from huitong.identity.model import Principal
from huitong.identity.signed import Signable, SignedRequests
from huitong.local.messages import PlainSecrets
from huitong.local.register import MemoryRegister
from huitong.ports import SystemClock

MANUAL = Path(__file__).resolve().parents[3] / "docs" / "identity.md"


@pytest.mark.parametrize("hash_name", ["sm3", "sha256"])
def test_the_example_in_plain_python_is_accepted(hash_name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    register, by = MemoryRegister(), Principal("a", "", frozenset({"security"}))
    credentials = Credentials(register, SystemClock(), secrets=PlainSecrets())
    made, _ = credentials.issue("系统", "U", ["source"], by=by)
    _, key = credentials.signing_key(made.id, by=by)
    found = re.search(r"```python\n(.*?)```", MANUAL.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    example: dict[str, Any] = {}
    exec(found[1], example)
    named = {"sm3": "HUITONG-HMAC-SM3", "sha256": "HUITONG-HMAC-SHA256"}[hash_name]
    example |= {"CREDENTIAL": made.id, "KEY": key, "ALGORITHM": named, "HASH": hash_name}
    sent: list[urllib.request.Request] = []

    def urlopen(request: urllib.request.Request) -> io.BytesIO:
        sent.append(request)
        return io.BytesIO(b"{}")

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    query, headers = (("from", "2026-01-01"), ("a", "甲 乙")), (("Huitong-Purpose", "核对"), ("Accept", "x"))
    example["call"]("POST", "/v1/queries", query, b'{"sql": 1}', headers)
    request = Signable("POST", "/v1/queries", query, headers, b'{"sql": 1}')
    who = SignedRequests(register, PlainSecrets(), SystemClock()).authenticate(
        str(sent[0].get_header("Authorization")), request
    )
    assert who.id == made.id
