"""What of the packages stays at home. What is left is imported afterwards, as functions do (importing.py)."""

from __future__ import annotations

import ast
import shutil
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Final

from infra.packaging import elf

#: Paths in a layer's python/ folder; ``*`` crosses folders.
EVERYWHERE: Final = (
    *("bin/*", "share/*", "*/tests/*", "*.pyi", "*/py.typed"),  # commands, tests, types
    *("*.pyx", "*.pxd", "*.pxi", "*.c", "*.cc", "*.cpp", "*.h", "*.hpp", "*.cmake", "*.a"),  # sources
    *("*/RECORD", "*/INSTALLER", "*/REQUESTED", "*/direct_url.json"),  # how it was installed
    *("*/__pycache__/*", "*.pyc", ".lock"),
)
BY_PACKAGE: Final = {
    # One library under three names, of which the middle one is loaded; Flight, ORC, Feather, encrypted
    # Parquet, the stores of others. libarrow_substrait is linked, so it stays.
    "pyarrow": "pyarrow/libarrow*.so pyarrow/libarrow*.so.*.*.* pyarrow/include/* pyarrow/src/* "
    "pyarrow/*flight* pyarrow/_substrait* pyarrow/substrait.py pyarrow/_orc* pyarrow/_dataset_orc* "
    "pyarrow/orc.py pyarrow/*feather* pyarrow/*parquet_encryption* pyarrow/_azurefs* pyarrow/_gcsfs* "
    "pyarrow/_hdfs* pyarrow/_cuda* pyarrow/cuda.py pyarrow/jvm.py pyarrow/_pyarrow_cpp_tests*",
    # random, fft and polynomial are loaded when they are named: nobody names them (a test looks).
    "numpy": "numpy/random/* numpy/fft/* numpy/polynomial/* numpy/f2py/* numpy/_core/include/* "
    "numpy/_core/_simd.* numpy/_core/_*_tests.*",
    "pyiceberg": "hive_metastore/* pyiceberg/cli/* pyiceberg/catalog/hive.py",
    "zstandard": "zstandard/_cffi.* zstandard/backend_cffi.py",  # for other interpreters than CPython
    "duckdb": "duckdb/experimental/*",
    # reportlab wants PIL.Image; reports hold neither pictures of these kinds nor drawn text.
    "pillow": "PIL/_avif* PIL/_webp* PIL/_imagingft* PIL/_imagingcms* PIL/_imagingtk* pillow.libs/libavif* "
    "pillow.libs/libwebp* pillow.libs/libsharpyuv* pillow.libs/liblcms* pillow.libs/libfreetype* "
    "pillow.libs/libharfbuzz* pillow.libs/libbrotli* pillow.libs/libpng*",
    "reportlab": "reportlab/fonts/*",  # Latin fonts to embed; ours is a CID font, which every reader has
    "boto3": "boto3/examples/* boto3/data/*",  # resources; we use clients
    "aws-lambda-powertools": "aws_lambda_powertools/event_handler/* aws_lambda_powertools/utilities/parser/* "
    "aws_lambda_powertools/utilities/kafka/* aws_lambda_powertools/utilities/auth_alpha/*",
    # What deploys; functions need chalice.app.
    "chalice": "chalice/cli/* chalice/deploy/* chalice/cdk/* chalice/templates/* chalice/api/* "
    "chalice/vendored/* chalice/p*.py chalice/policies*.json chalice/awsclient.py chalice/analyzer.py "
    "chalice/config.py chalice/invoke.py chalice/logs.py chalice/test.py",
    "cffi": "cffi/recompiler.py",
}
_SERVICES: Final = "botocore/data"


def trim(folder: Path, services: Iterable[str]) -> None:
    """Take away in place what no function needs; of botocore's services keep only those named."""
    patterns = (*EVERYWHERE, *(p for each in BY_PACKAGE.values() for p in each.split()))
    for path in [p for p in folder.rglob("*") if p.is_file() or p.is_symlink()]:
        name = path.relative_to(folder).as_posix()
        if any(fnmatchcase(name, pattern) for pattern in patterns):
            path.unlink()
    _keep_services(folder / _SERVICES, set(services))
    for path in (p for p in folder.rglob("*") if p.is_file()):
        _without_symbols(path)
    _without_empty_folders(folder)


def services_named(sources: Iterable[Path]) -> set[str]:
    """Names of AWS services in calls of a function or method ``client``, as in ``client(s, "s3")``."""
    return {
        word.value
        for source in sources
        for node in ast.walk(ast.parse(source.read_text()))
        if isinstance(node, ast.Call) and _called(node.func) == "client"
        for word in node.args
        if isinstance(word, ast.Constant) and isinstance(word.value, str)
    }


def _called(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _keep_services(data: Path, services: set[str]) -> None:
    if not data.is_dir():
        return
    for service in data.iterdir():
        if service.is_dir() and service.name not in services:
            shutil.rmtree(service)


def _without_symbols(path: Path) -> None:
    with path.open("rb") as source:
        if not elf.machine(source.read(64)):
            return
    content = path.read_bytes()
    smaller = elf.without_symbols(content)
    if len(smaller) < len(content):
        path.write_bytes(smaller)


def _without_empty_folders(folder: Path) -> None:
    for path in sorted((p for p in folder.rglob("*") if p.is_dir()), reverse=True):
        if not any(path.iterdir()):
            path.rmdir()
