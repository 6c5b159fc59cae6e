"""Which deployment the command line finds."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from huitong.cli.connection import Connection, find
from huitong.errors import BadRequest


def write(folder: Path, **more: str) -> Path:
    path = folder / ".stack" / "profile.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"api_url": "http://one/", "token": "t1", "unit": "", **more}))
    return path


@pytest.fixture(autouse=True)
def _no_virtualenv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "elsewhere" / ".venv"))


def test_a_profile_of_a_folder_above_is_found(tmp_path: Path) -> None:
    write(tmp_path)
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert find(environ={}, start=deep) == Connection("http://one", "t1", "")


def test_a_profile_beside_the_virtual_environment_is_found(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere")
    assert find(environ={}, start=Path("/")).token == "t1"


def test_a_named_profile_goes_before_all_others(tmp_path: Path) -> None:
    write(tmp_path)
    other = write(tmp_path / "other", token="t2")
    environ = {"HUITONG_API_URL": "http://env", "HUITONG_TOKEN": "t3"}
    assert find(str(other), environ={}, start=tmp_path).token == "t2"
    assert find(environ={"HUITONG_PROFILE": str(other)}, start=tmp_path).token == "t2"
    assert find(environ=environ, start=tmp_path) == Connection("http://env", "t3", "")


def test_a_token_of_the_environment_replaces_that_of_the_profile(tmp_path: Path) -> None:
    write(tmp_path, unit="U")
    assert find(environ={"HUITONG_TOKEN": "t3"}, start=tmp_path) == Connection("http://one", "t3", "U")


@pytest.mark.parametrize("text", ["{", "[]", '{"token": "x"}', "null"])
def test_a_profile_that_is_none_is_named(text: str, tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_text(text)
    with pytest.raises(BadRequest, match=r"profile\.json"):
        find(environ={}, start=tmp_path)


def test_without_any_profile_the_way_out_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="make up"):
        find(environ={}, start=tmp_path)
    with pytest.raises(BadRequest, match=r"nowhere\.json"):
        find("nowhere.json", environ={}, start=tmp_path)
