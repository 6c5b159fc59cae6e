"""What a unit may ask for when it announces a file or sends rows."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from huitong.errors import BadRequest, NotFound, TooLarge
from huitong.intake.rows import MAX_ROWS, put_rows
from huitong.intake.uploads import safe_filename

UNIT, RESOURCE = "11440300MB2C0001XX", "IN-90"


def test_an_upload_says_where_to_put_the_file_and_remembers_what_was_said(intake: Any) -> None:
    id, target = intake.uploads.open(
        UNIT,
        RESOURCE,
        "债权 2026.csv",
        mode="full",
        edition="2026-01",
        options={"sheet": 2, "header_row": "3"},
        by="clerk",
    )
    upload = intake.uploads.get(id)

    assert upload.key == f"{UNIT}/{RESOURCE}/{id}/债权 2026.csv"
    assert upload.key in target.url
    assert (upload.mode, upload.edition, upload.by) == ("full", "2026-01", "clerk")
    assert (upload.layout.sheet, upload.layout.header_row) == ("2", 3)
    with pytest.raises(NotFound):
        intake.uploads.get("u0000")


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("债权.csv", "债权.csv"),
        ("../../etc/passwd", "passwd"),
        ("C:\\数据\\债权.xlsx", "债权.xlsx"),
        ("a\x00b\n\u202ec.csv", "abc.csv"),
        ("", "file"),
        ("..", "file"),
        ("长" * 300 + ".csv", "长" * 65 + ".csv"),
        ("x" * 300, "x" * 199),
    ],
)
def test_a_filename_keeps_its_chinese_and_loses_paths_and_invisible_characters(name: str, safe: str) -> None:
    assert safe_filename(name) == safe


def test_all_problems_of_an_upload_are_told_at_once(intake: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        intake.uploads.open(
            "a/b",
            "..",
            "x.csv",
            mode="sometimes",
            edition="x" * 201,
            options={"format": "pdf", "speed": 9},
            by="clerk",
        )
    assert {p.rule for p in caught.value.problems} == {
        "upload.unit",
        "upload.resource",
        "upload.mode",
        "upload.edition",
        "option.format",
        "option.unknown",
    }


def test_announcing_uploads_and_profiles_needs_no_heavy_import() -> None:
    code = "import sys, huitong.intake.uploads, huitong.intake.profiles, huitong.intake.rows, huitong.intake.receive;"
    code += "print([m for m in ('pyarrow', 'duckdb', 'numpy', 'fastexcel', 'boto3') if m in sys.modules])"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert run.stdout.strip() == "[]", run.stderr


def rows(intake: Any, rows: Any, **more: Any) -> str:
    return put_rows(intake.landing, intake.uploads, UNIT, RESOURCE, rows, by="system", **more)


def test_rows_with_nested_values_are_refused_with_row_and_field(intake: Any) -> None:
    with pytest.raises(BadRequest) as caught:
        rows(intake, [{"a": 1}, {"a": {"b": 1}, "c": [1]}, {}, 7, {"a": float("nan")}, {"_op": "delete"}])

    assert [(p.rule, p.where.get("row"), p.where.get("field")) for p in caught.value.problems] == [
        ("cell.nested", 2, "a"),
        ("cell.nested", 2, "c"),
        ("row.empty", 3, None),
        ("row.not-object", 4, None),
        ("cell.not-a-number", 5, "a"),
        ("row.reserved", 6, "_op"),
    ]
    assert list(intake.landing.list("")) == []


@pytest.mark.parametrize(
    ("given", "more", "error"),
    [
        ([], {}, BadRequest),
        ([{"a": 1}], {"deletions": [{"a": 2}], "mode": "full"}, BadRequest),
        ([{"a": "\ud800"}], {}, BadRequest),
        ([{"a": 1}] * (MAX_ROWS + 1), {}, TooLarge),
        ([{"a": "x" * 600_000}] * 10, {}, TooLarge),
    ],
)
def test_rows_beyond_the_bounds_are_refused(intake: Any, given: Any, more: Any, error: Any) -> None:
    with pytest.raises(error):
        rows(intake, given, **more)
    assert list(intake.landing.list("")) == []
