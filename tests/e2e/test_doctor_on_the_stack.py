"""``huitong doctor`` on the running stack: what is broken on purpose is told, and nothing else (Q-05, L-54)."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.town import Town

pytestmark = pytest.mark.e2e


def examined(town: Town, *words: str) -> tuple[int, dict[str, set[str]]]:
    """Exit status, and the checks by severity."""
    done = town.huitong().run("doctor", *words, "--json")
    told = json.loads(done.stdout)
    assert told["exit"] == done.returncode, done.stderr
    found: dict[str, set[str]] = {}
    for one in told["findings"]:
        found.setdefault(one["severity"], set()).add(one["check"])
    return done.returncode, found


def test_processing_that_was_stopped_and_a_bucket_broken_on_purpose_are_found(town: Town) -> None:
    """And all is well again when they are mended."""
    s3, bucket = town.stack.client("s3"), {"Bucket": town.stack.outputs["StagingBucket"]}
    here = ("--stack", town.stack.name, "--endpoint", town.stack.endpoint)
    stopped = town.huitong()("processing", "stop", *here)
    s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Suspended"})
    try:
        status, broken = examined(town)
        assert status == 2
        assert broken["error"] == {"schedule.enabled", "mapping.enabled", "bucket.versions"}
    finally:
        started = town.huitong()("processing", "start", *here)
        s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
    assert stopped == started
    assert min(stopped.values()) > 3
    _, after = examined(town)
    assert after.get("error", set()) == set(), after
    assert {
        "schedule.enabled", "mapping.enabled", "machine.state", "bucket.versions", "evidence.chains",
    } <= after["ok"]  # fmt: skip
    assert "bucket.encryption" not in after["ok"]  # the emulator does not keep it: told as not checkable


def test_somebody_without_rights_on_aws_still_learns_what_the_api_tells(town: Town) -> None:
    _, found = examined(town, "--api-only")
    assert "api.reached" in found["ok"]
    assert {"stack.state", "bucket.versions", "key.enabled"} <= found["unknown"]


def test_an_api_that_does_not_answer_is_an_error_and_hides_nothing_else(town: Town, tmp_path: Any) -> None:
    told = json.loads(town.stack.profile.read_text())
    gone = tmp_path / "profile.json"
    gone.write_text(json.dumps({**told, "api_url": "http://127.0.0.1:9"}))
    from tests.support.town import CommandLine

    done = CommandLine(gone).run("doctor", "--json")
    found = {one["check"]: one["severity"] for one in json.loads(done.stdout)["findings"]}
    assert (done.returncode, found["api.reached"]) == (2, "error")
    assert found["stack.state"] == "ok"
    assert found["ledger.balance"] == "unknown"
