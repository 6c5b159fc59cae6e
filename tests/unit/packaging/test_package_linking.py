"""What a package is known to lack although no interpreter here can load it (issue 5, S-18)."""

from __future__ import annotations

import importlib.util
import struct
from pathlib import Path

import pytest
from infra.packaging import elf, linking
from infra.packaging.plan import Plan, Target, read
from tests.support.package_world import repository

ARM = Target("3.13", "arm64")
_MACHINES = {name: number for number, name in elf.MACHINES.items()}


def library(
    machine: str = "aarch64",
    needs: tuple[str, ...] = ("libc.so.6",),
    run_path: str = "",
    versions: tuple[str, ...] = (),
) -> bytes:
    """A shared library that holds nothing but what it asks the loader for."""
    names, places = b"\0", dict[str, int]()
    for name in (*needs, run_path, *versions):
        places[name] = len(names)
        names += name.encode() + b"\0"
    at = 64 + 2 * 56
    needed = b"".join(
        struct.pack("<IHHII", 0, 0, 2, places[v], 16 if n + 1 < len(versions) else 0)
        for n, v in enumerate(versions)
    )
    table = struct.pack("<HHIII", 1, len(versions), places[needs[0]], 16, 0) + needed if versions else b""
    entries = [(1, places[one]) for one in needs] + [(5, at)]
    entries += [(29, places[run_path])] if run_path else []
    entries += [(0x6FFFFFFE, at + len(names))] if versions else []
    dynamic = b"".join(struct.pack("<QQ", *one) for one in [*entries, (0, 0)])
    start, end = at + len(names) + len(table), at + len(names) + len(table) + len(dynamic)
    magic = b"\x7fELF\x02\x01\x01" + bytes(9)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", magic, 3, _MACHINES[machine], 1, 0, 64, 0, 0, 64, 56, 2, 0, 0, 0
    )
    whole = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, end, end, 1)
    pointed = struct.pack("<IIQQQQQQ", 2, 6, start, start, start, len(dynamic), len(dynamic), 8)
    return header + whole + pointed + names + table + dynamic


class Packaged:
    """A tree of which the layer ``data`` is filled by the test."""

    def __init__(self, root: Path) -> None:
        self.plan: Plan = read(repository(root) / "template.yaml")
        self.tree = root / "tree"
        self.layer = self.tree / "layers/data/python"

    def put(self, name: str, content: bytes = b"") -> None:
        (self.layer / name).parent.mkdir(parents=True, exist_ok=True)
        (self.layer / name).write_bytes(content)

    def faults(self, *modules: str) -> list[str]:
        return linking.faults(self.plan, ARM, self.tree, modules)


@pytest.fixture
def packaged(tmp_path: Path) -> Packaged:
    return Packaged(tmp_path)


EXTENSION = "rows/core.cpython-313-aarch64-linux-gnu.so"


def test_libraries_that_find_each_other_and_modules_that_are_there_are_sound(packaged: Packaged) -> None:
    needs = ("libc.so.6", "librows-1.so.2")
    packaged.put(
        EXTENSION,
        library(needs=needs, run_path="$ORIGIN/../rows.libs", versions=("GLIBC_2.17", "GLIBC_2.34")),
    )
    packaged.put("rows.libs/librows-1.so.2", library())
    packaged.put("rows/__init__.pyc")
    packaged.put("rows/plain.py")
    packaged.put("rows/steady.abi3.so", library())
    assert packaged.faults("rows", "rows.core", "rows.plain", "rows.steady") == []


def test_a_library_that_was_trimmed_away_is_missed(packaged: Packaged) -> None:
    packaged.put(EXTENSION, library(needs=("librows-1.so.2",), run_path="$ORIGIN/../rows.libs"))
    assert packaged.faults() == [f"{EXTENSION}: needs librows-1.so.2, which is not where it looks"]


@pytest.mark.parametrize("run_path", ["", "/usr/lib", "$ORIGIN/elsewhere"])
def test_a_library_that_is_there_but_not_where_it_is_looked_for_is_missed(
    packaged: Packaged, run_path: str
) -> None:
    packaged.put(EXTENSION, library(needs=("librows-1.so.2",), run_path=run_path))
    packaged.put("rows.libs/librows-1.so.2", library())
    assert len(packaged.faults()) == 1


def test_a_newer_glibc_than_lambdas_is_told(packaged: Packaged) -> None:
    packaged.put(EXTENSION, library(versions=("GLIBC_2.34", "GLIBC_2.38", "GLIBCXX_3.4.29")))
    assert packaged.faults() == [f"{EXTENSION}: needs GLIBC_2.38"]


@pytest.mark.parametrize("kind", ["cpython-312-aarch64", "cpython-313-x86_64"])
def test_an_extension_for_another_python_or_processor_is_told(packaged: Packaged, kind: str) -> None:
    packaged.put(f"rows/core.{kind}-linux-gnu.so", library())
    (fault,) = packaged.faults()
    assert fault.endswith(f"for Python {kind.split('-')[1]} on {kind.split('-')[2]}")


@pytest.mark.parametrize("module", ["columns", "rows.gone"])
def test_a_module_that_code_names_and_no_layer_has_is_told(packaged: Packaged, module: str) -> None:
    packaged.put("rows/__init__.py")
    assert packaged.faults("rows", module) == [f"{module} is in no layer"]


def test_what_a_real_library_needs_is_read_the_same_after_its_symbols_went() -> None:
    found = importlib.util.find_spec("pyarrow.lib")
    assert found is not None
    assert found.origin
    content = Path(found.origin).read_bytes()
    linked = elf.linked(content)
    assert "libc.so.6" in linked.libraries
    assert any(name.startswith("libarrow") for name in linked.libraries)
    assert any(folder.startswith("$ORIGIN") for folder in linked.folders)
    assert any(version.startswith("GLIBC_2.") for version in linked.versions)
    assert elf.linked(elf.without_symbols(content)) == linked


def test_what_is_no_library_needs_nothing() -> None:
    assert elf.linked(b"#!/bin/sh") == elf.linked(b"\x7fELF\x02\x01") == elf.Linked()
