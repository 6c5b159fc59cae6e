"""``huitong credential issue --save``: a profile that its holder can use at once."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest
from bridge import Gateway, serving
from tests.support.api_world import COURT, World
from tests.support.terminal import invoke


def test_a_saved_credential_is_a_profile_for_its_owner_alone(
    apps: dict[str, Any], world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """S-06: the token goes to a file that nobody else reads, and is not shown."""
    profile = tmp_path / "court.json"
    monkeypatch.delenv("HUITONG_PROFILE", raising=False)
    with serving(Gateway(apps, lambda *_: None)) as gateway:
        with monkeypatch.context() as first:
            first.setenv("HUITONG_API_URL", gateway.url)
            first.setenv("HUITONG_TOKEN", world.tokens["admin"])
            words = ["credential", "issue", "court", "--role", "source", "--unit", COURT]
            made = invoke([*words, "--save", str(profile), "--json"])
        assert made.exit_code == 0, made.output
        assert "token" not in json.loads(made.stdout)
        assert stat.S_IMODE(profile.stat().st_mode) == 0o600
        told = invoke(["--profile-file", str(profile), "whoami", "--json"])
    assert json.loads(told.stdout)["unit"] == COURT
