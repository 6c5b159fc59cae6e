"""Drafts and what is not shared, in every way out of the catalogue, for a stranger (C-31)."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from typing import Any

from test_catalogue import CONTENT, Step, desk, step  # noqa: F401 (fixtures)
from tests.support.api_world import Call, World

HIDDEN = ("debtor_id", "债务人证件", "/v1/resources/claims")


def _text(said: Any) -> str:
    text = json.dumps(said.body, ensure_ascii=False)
    if isinstance(said.body, dict) and said.body.get("workbook"):
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(said.body["workbook"]["content"]))) as book:
            text = "".join(book.read(name).decode(errors="replace") for name in book.namelist())
    return text


def _ways(call: Call, who: str) -> dict[str, str]:
    found = {
        "search": call("GET", "/v1/catalog/search", as_=who, query={"q": "债务", "drafts": "true"}),
        "entries": call("GET", "/v1/catalog/entries", as_=who),
        "open": call("GET", "/v1/open/catalogue"),
    }
    for form in ("json", "dcat", "workbook"):
        found[form] = call("GET", "/v1/catalog/export", as_=who, query={"format": form})
    assert {said.status for said in found.values()} == {200}
    return {way: _text(said) for way, said in found.items()}


def test_items_of_drafts_and_of_what_is_not_shared_leave_by_no_way(
    desk: World,  # noqa: F811
    call: Call,
    step: Step,  # noqa: F811
) -> None:
    """Strangers see neither in search, lists, exports and DCAT; the desk sees the draft, so there is one."""
    assert call("POST", "/v1/catalog/elements/seed", as_="editor").status == 200
    content = {**CONTENT, "share_type": "3"}
    made = call("POST", "/v1/catalog/entries", as_="editor", body={"resource": "claims", "content": content})
    assert made.status == 201, made.body
    assert "claims" in _ways(call, "editor")["entries"]
    for way, text in _ways(call, "bank-analyst").items():
        assert '"claims"' not in text, way
        assert [h for h in HIDDEN if h in text] == [], way
