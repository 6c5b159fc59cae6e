"""The guard of the API's tests: a function finds only the packages of its layers (issue 5)."""

from __future__ import annotations

import threading

import pytest
from tests.support import packaged


def run(code: str, importer: str = "huitong.web.fresh") -> None:
    exec(code, {"__name__": importer})


@pytest.mark.parametrize(
    ("function", "code", "lacks"),
    [
        ("api", "import pyarrow", "pyarrow"),
        ("api", "import pyarrow.parquet as pq", "pyarrow"),
        ("api", "from huitong.warehouse.arrow_schema import pa", "pyarrow"),
        ("api", "from huitong.warehouse import arrow_schema", "pyarrow"),
        ("api", "import reportlab", "reportlab"),
        ("query_data", "import fastexcel", "fastexcel"),
        ("ingest_file", "from reportlab.platypus import Paragraph", "reportlab"),
    ],
)
def test_a_package_of_another_layer_is_missing(function: str, code: str, lacks: str) -> None:
    with packaged.watched(), packaged.function(function), pytest.raises(ModuleNotFoundError) as told:
        run(code)
    assert told.value.name == lacks


@pytest.mark.parametrize(
    ("function", "code"),
    [
        ("api", "import sqlglot, openpyxl, yaml, pydantic, boto3, json"),
        ("api", "from huitong.contracts import odcs"),
        ("query_data", "import duckdb, pyarrow, reportlab"),
        ("ingest_file", "import fastexcel"),
    ],
)
def test_the_packages_of_its_own_layers_are_there(function: str, code: str) -> None:
    with packaged.watched(), packaged.function(function):
        run(code)


def test_others_import_as_ever() -> None:
    with packaged.watched():
        run("import pyarrow")  # no function
        with packaged.function("api"):
            run("import pyarrow", importer="openpyxl.compat.numbers")  # a package that takes what is there
            run("import pyarrow", importer="huitong.local.platform")  # what stands in for AWS
            elsewhere = threading.Thread(target=run, args=("import pyarrow",))
            elsewhere.start()
            elsewhere.join()
    run("import pyarrow")
