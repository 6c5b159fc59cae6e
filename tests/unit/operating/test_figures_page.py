"""Every stated figure names a test or a measurement that is there (C-35)."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs/figures.md").read_text()


def test_each_property_has_a_figure_and_a_test_that_exists() -> None:
    rows = [line.split("|")[1:-1] for line in TEXT.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 7  # response, throughput, clustering, extension, reliability, security, usability
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for name, figure, tests in rows:
        assert figure.strip(), name
        named = re.findall(r"`(make [^`]+|tests/[^`]+)`", tests)
        assert named, name
        for one in named:
            if one.startswith("tests/"):
                assert (ROOT / one).exists(), one
            else:
                words = [w for w in re.sub(r'\w+="[^"]*"', "", one).split()[1:] if "=" not in w]
                assert set(words) <= targets, one


def test_parts_of_the_bench_that_are_named_exist() -> None:
    source = (ROOT / "benchmarks/__main__.py").read_text()
    for part in re.findall(r"--only (\w+)", TEXT):
        assert f'"{part}"' in source, part
