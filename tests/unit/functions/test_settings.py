from __future__ import annotations

import pytest

from huitong.settings import NotConfigured, PushSettings, QuerySettings, Settings

EVIDENCE = {"EVIDENCE_TABLE": "e", "EVIDENCE_BUCKET": "b", "EVENT_BUS": "v", "SECRETS_KEY": "k"}
QUERY = {
    **EVIDENCE,
    "REGISTER_TABLE": "r",
    "SIGNING_KEY": "k",
    "STAGING_BUCKET": "s",
    "WAREHOUSE_BUCKET": "w",
    "GLUE_DATABASE": "d",
}


def test_every_missing_variable_is_named_at_once() -> None:
    with pytest.raises(NotConfigured) as caught:
        QuerySettings.read({"REGISTER_TABLE": "r", "STAGING_BUCKET": ""})
    assert set(caught.value.where["missing"]) == {
        *EVIDENCE,
        "SIGNING_KEY",
        "GLUE_DATABASE",
        "STAGING_BUCKET",
        "WAREHOUSE_BUCKET",
    }


def test_malformed_values_are_named_with_the_missing_ones() -> None:
    with pytest.raises(NotConfigured) as caught:
        QuerySettings.read({**QUERY, "GLUE_DATABASE": "", "QUERY_ENGINE": "presto", "WARM_MEGABYTES": "much"})
    assert caught.value.where["missing"] == ["GLUE_DATABASE"]
    assert set(caught.value.where["malformed"]) == {"QUERY_ENGINE", "WARM_MEGABYTES"}


def test_values_get_their_types_and_the_rest_their_defaults() -> None:
    read = QuerySettings.read({**QUERY, "QUERY_ENGINE": "athena", "WARM_MEGABYTES": "64", "UNKNOWN": "x"})
    assert (read.query_engine, read.warm_megabytes, read.stage) == ("athena", 64, "local")


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("False", False), ("1", True), ("no", False), ("", False)]
)
def test_flags_are_read_in_the_usual_ways(text: str, value: bool) -> None:
    needed = dict.fromkeys(("REGISTER_TABLE", "QUEUE_URL", "EVENT_BUS", "STAGING_BUCKET", "WAREHOUSE_BUCKET", "GLUE_DATABASE", "WAITING_QUEUE_URL", *EVIDENCE, "DEAD_LETTER_QUEUE_URL"), "x")  # fmt: skip
    assert PushSettings.read({**needed, "ALLOW_LOCAL_ENDPOINTS": text}).allow_local_endpoints is value


def test_settings_are_of_one_process_and_cannot_be_changed() -> None:
    read = Settings.read({**EVIDENCE, "REGISTER_TABLE": "r"})
    with pytest.raises(AttributeError):
        read.register_table = "other"  # type: ignore[misc]
    assert hash(read) == hash(Settings.read({**EVIDENCE, "REGISTER_TABLE": "r"}))


@pytest.mark.parametrize("days", ["1826", "0", "-1", "five years"])
def test_evidence_cannot_be_kept_shorter_than_five_years(days: str) -> None:
    """L-33, S-14: configurable upwards only."""
    base = {**EVIDENCE, "REGISTER_TABLE": "r"}
    with pytest.raises(NotConfigured):
        Settings.read({**base, "EVIDENCE_DAYS": days})
    assert Settings.read({**base, "EVIDENCE_DAYS": "3650"}).evidence_days == 3650
