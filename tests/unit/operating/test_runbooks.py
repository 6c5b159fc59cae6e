"""Runbooks name only what exists: commands with their options, make targets, alarms, AWS operations, pages (L-54)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import typer.main
from botocore import xform_name

from huitong.cli.main import app
from huitong.operating.metrics import ALARMS, METRICS

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "docs/operate"
PAGES = sorted(FOLDER.glob("*.md"))
RUNBOOKS = [page for page in PAGES if page.name not in ("README.md", "observe.md")]
#: What the AWS command line has beside the operations of services.
AWS_OWN = {
    ("s3", "sync"): set(),
    ("s3api", "list-object-versions"): {"bucket", "prefix", "query"},  # as the command line calls s3's own
    ("cloudformation", "deploy"): {"stack-name", "template-file", "s3-bucket", "capabilities",
                                   "parameter-overrides", "no-execute-changeset"},
    ("cloudformation", "wait"): {"stack-name"},
}  # fmt: skip


def commands(page: Path) -> Iterator[list[str]]:
    """Lines of all blocks, as a shell splits them."""
    for block in re.findall(r"^[ ]*```\n(.*?)^[ ]*```", page.read_text(), re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            words = shlex.split(line, comments=True)
            if words and words[0] in ("huitong", "make", "aws"):
                yield words


EVERY = [(page.name, words) for page in PAGES for words in commands(page)]


@cache
def command_line() -> Any:
    return typer.main.get_command(app)


def of_tool(tool: str) -> list[Any]:
    return [
        pytest.param(words, id=f"{page}: {' '.join(words)[:70]}") for page, words in EVERY if words[0] == tool
    ]


@pytest.mark.parametrize("words", of_tool("huitong"))
def test_a_command_of_huitong_exists_with_its_options_and_takes_its_arguments(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Parsed by the command line itself, up to the point where it would begin to work."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").touch()
    (tmp_path / "FOLDER").mkdir()
    found = command_line()
    context = found.make_context("huitong", words[1:], resilient_parsing=False)
    rest = [*context._protected_args, *context.args]
    while hasattr(found, "commands"):
        name, found, rest = found.resolve_command(context, rest)
        assert found is not None, name
        context = found.make_context(name, rest, parent=context)
        rest = [*getattr(context, "_protected_args", ()), *context.args]
    assert rest == []


@pytest.mark.parametrize("words", of_tool("make"))
def test_a_make_target_exists(words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {word for word in words[1:] if "=" not in word} <= targets


@pytest.mark.parametrize("words", of_tool("aws"))
def test_an_operation_of_aws_exists_with_its_parameters(words: list[str]) -> None:
    service, operation = words[1], words[2]
    options = {word[2:] for word in words[3:] if word.startswith("--")}
    if (service, operation) in AWS_OWN:
        assert options <= AWS_OWN[service, operation]
        return
    model = botocore.session.get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    assert operation in names
    shape = model.operation_model(names[operation]).input_shape
    known = {xform_name(name, "-") for name in shape.members}
    assert {option.removeprefix("no-") for option in options} <= known


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere_and_alarms_and_figures_exist(page: Path) -> None:
    text = page.read_text()
    for target in re.findall(r"\]\(([^)#]+)", text):
        assert target.startswith("http") or (page.parent / target).is_file(), target
    template = (ROOT / "template.yaml").read_text()
    for alarm in re.findall(r"`([A-Z]\w+Alarm)`", text):
        assert alarm in {one.id for one in ALARMS} or f"{alarm}:" in template, alarm
    for parameter in re.findall(r"parameters? `([A-Z]\w+)`", text):
        assert f"\n  {parameter}:\n" in template, parameter


def test_the_page_on_observing_names_every_figure_and_alarm() -> None:
    text = (FOLDER / "observe.md").read_text()
    assert [name for name in (*METRICS, *(alarm.id for alarm in ALARMS)) if f"`{name}`" not in text] == []


@pytest.mark.parametrize("page", RUNBOOKS, ids=lambda page: page.name)
def test_a_runbook_is_a_numbered_list_in_both_languages_that_says_when(page: Path) -> None:
    text = page.read_text()
    head, *_ = text.splitlines()
    assert re.match(r"# [\u4e00-\u9fff]+ [A-Z]", head), head
    assert re.search(r"何时 When|目标 Goals|L-54", text)
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        numbers = [int(n) for n in re.findall(r"^(\d+)\. ", section, re.MULTILINE)]
        assert numbers == list(range(1, len(numbers) + 1))
    assert len(re.findall(r"^\d+\. ", text, re.MULTILINE)) >= 5


def test_every_runbook_stands_in_the_list() -> None:
    listed = set(re.findall(r"\]\(([\w-]+\.md)\)", (FOLDER / "README.md").read_text()))
    assert listed == {page.name for page in PAGES} - {"README.md"}


def test_alarms_that_name_a_page_name_one_that_is_there() -> None:
    for alarm in ALARMS:
        for page in re.findall(r"docs/\S+\.md", alarm.en):
            assert (ROOT / page).is_file(), alarm.id
