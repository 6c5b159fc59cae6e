"""``huitong case``, ``request`` and ``verify`` over HTTP against the real apps."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from case_town import (  # noqa: F401 (fixtures)
    CIVIL,
    DEBTOR,
    ESTATES_OF,
    PARTNERS,
    Publish,
    case_row,
    made_comparison,
    made_town,
)
from tests.support.api_world import World
from tests.support.court import CASE_NO
from tests.support.terminal import Result, invoke

Run = Callable[..., Result]


@pytest.fixture
def run(world: World, apps: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    monkeypatch.delenv("HUITONG_PROFILE", raising=False)

    def made(*words: str, as_: str, stdin: str = "") -> Result:
        monkeypatch.setenv("HUITONG_TOKEN", world.tokens[as_])
        return invoke(words, stdin=stdin)

    with serving(Gateway(apps, lambda *_: None)) as gateway:
        monkeypatch.setenv("HUITONG_API_URL", gateway.url)
        yield made


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_a_request_is_filed_followed_and_decided_from_the_command_line(
    town: Publish,
    run: Run,
    tmp_path: Path,
) -> None:
    """Q-56."""
    town("IN-01", case_row("21"))
    town("IN-07", *ESTATES_OF)
    persons = tmp_path / "persons.csv"
    persons.write_text(f"id_no,relation,name\n{DEBTOR},debtor,张某某\n", encoding="utf-8")
    words = [
        "request",
        "file",
        "IN-07",
        "--fields",
        "cert_no,location",
        "--purpose",
        "核对",
        "--case",
        CASE_NO,
    ]
    id = told(run(*words, "--persons", str(persons), "--json", as_="lawyer"))["id"]
    assert run("request", "step", id, "approve", as_="clerk").exit_code == 1
    assert told(run("request", "step", id, "check", "--json", as_="partner"))["state"] == "sent"
    assert "待数源单位审批" in run("request", "show", id, as_="lawyer").stdout
    assert "张某某" in run("request", "persons", id, as_="clerk").stdout
    done = told(run("request", "step", id, "approve", "--fields", "cert_no", "--json", as_="clerk"))
    assert done["state"] == "approved"
    assert id in run("request", "list", as_="lawyer").stdout
    told(run("request", "step", id, "withdraw", "--reason", "不再需要", "--json", as_="lawyer"))


def test_a_case_is_listed_shown_joined_and_corrected_from_the_command_line(
    town: Publish,
    run: Run,
) -> None:
    town("IN-01", case_row("21"))
    assert CASE_NO in run("case", "list", as_="desk").stdout
    assert "申请审查" in run("case", "show", CASE_NO, as_="lawyer").stdout
    assert told(run("case", "add", CASE_NO, "p-1", CIVIL, "--json", as_="desk"))["id"] == "p-1"
    assert told(run("case", "remove", CASE_NO, "p-1", "--json", as_="desk"))["ended_at"]
    made = told(run("case", "correct", CASE_NO, "30", "--reason", "来函", "--json", as_="desk"))
    assert run("case", "decide", made["id"], "confirm", as_="desk").exit_code == 1
    assert told(run("case", "decide", made["id"], "confirm", "--json", as_="desk2"))["state"] == "applied"
    assert made["id"] in run("case", "corrections", as_="desk").stdout


@pytest.mark.parametrize("form", ["csv", "json"])
def test_claims_are_compared_from_a_file_and_from_standard_input(
    compared: Any,
    run: Run,
    tmp_path: Path,
    form: str,
) -> None:
    """S-38."""
    if form == "csv":
        text, more = f"id_no,spouse_name,marital_code\n{DEBTOR},{PARTNERS[0]},10\n", ["--key", "id_no"]
    else:
        claims = [{"key": {"id_no": DEBTOR}, "claimed": {"spouse_name": PARTNERS[0], "marital_code": "10"}}]
        text, more = json.dumps(claims, ensure_ascii=False), []
    words = ["verify", "IN-04", "-", *more, "--case", CASE_NO, "--purpose", "核对婚姻"]
    said = run(*words, "--json", as_="lawyer", stdin=text)
    assert told(said) == {"items": [{"spouse_name": "agree", "marital_code": "differ"}]}
    assert PARTNERS[0] not in said.stdout
