"""docs/contracts.md says what is true."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from huitong.contracts.frequency import FREQUENCIES
from huitong.contracts.model import KNOWN_SEMANTICS
from huitong.contracts.odcs import parse

DOCUMENT = (Path(__file__).resolve().parents[3] / "docs/contracts.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", DOCUMENT, re.DOTALL)


def test_the_document_has_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example_of_the_document_is_a_contract(example: str) -> None:
    assert parse(example).keys


def test_the_full_example_means_what_the_document_says() -> None:
    contract = parse(EXAMPLES[1])
    fields = {f.name: f for f in contract.fields}

    assert [r.expression for r in contract.rules] == ['"due_on" >= "lent_on"']
    assert fields["id_no"].semantic == "citizen-id"
    assert (fields["principal"].type, fields["principal"].semantic) == ("decimal", "amount")
    assert fields["lent_on"].formats == ("%Y/%m/%d",)
    assert contract.limits.max_quarantined_percent == 20


@pytest.mark.parametrize("name", [*KNOWN_SEMANTICS, *FREQUENCIES])
def test_every_meaning_and_frequency_is_documented(name: str) -> None:
    assert f"`{name}`" in DOCUMENT
