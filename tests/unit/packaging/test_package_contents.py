"""What stays out of a package, and that nothing for another machine gets in (issue 5, S-18)."""

from __future__ import annotations

import importlib.util
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from infra.packaging import elf, trimming, wheels
from infra.packaging.plan import Target

ARM, INTEL = Target("3.13", "arm64"), Target("3.13", "x86_64")


def library(machine: int, *, bits: int = 2) -> bytes:
    ident = b"\x7fELF" + bytes([bits, 1, 1]) + bytes(9)
    return struct.pack("<16sHHIQQQIHHHHHH", ident, 3, machine, 1, 0, 64, 0, 0, 64, 56, 0, 64, 0, 0)


def unpacked(folder: Path, tag: str, machine: int = 183) -> Path:
    (folder / "thing-1.0.dist-info").mkdir(parents=True)
    (folder / "thing-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1.0\n")
    (folder / "thing-1.0.dist-info/WHEEL").write_text(f"Wheel-Version: 1.0\nTag: {tag}\n")
    (folder / "thing.so").write_bytes(library(machine))
    return folder


class TestMachine:
    @pytest.mark.parametrize(
        ("content", "machine"),
        [(library(62), "x86_64"), (library(183), "aarch64"), (library(40), "other"), (b"#!/bin/sh", "")],
    )
    def test_the_processor_of_a_library_is_read_from_its_header(self, content: bytes, machine: str) -> None:
        assert elf.machine(content) == machine

    def test_a_library_of_32_bits_is_of_neither(self) -> None:
        assert elf.machine(library(62, bits=1)) == "other"

    @pytest.mark.parametrize(
        "tag",
        [
            "cp313-cp313-manylinux_2_28_aarch64",
            "cp313-cp313-manylinux_2_34_aarch64",
            "cp313-cp313-manylinux2014_aarch64",
            "cp39-abi3-manylinux_2_17_aarch64.manylinux2014_aarch64",
            "py3-none-any",
        ],
    )
    def test_a_wheel_of_the_target_is_taken(self, tmp_path: Path, tag: str) -> None:
        assert wheels.strangers(unpacked(tmp_path, tag), ARM) == []

    @pytest.mark.parametrize(
        "tag",
        [
            "cp313-cp313-manylinux_2_28_x86_64",
            "cp313-cp313-manylinux_2_35_aarch64",  # newer than the runtime's glibc
            "cp313-cp313-musllinux_1_2_aarch64",
            "cp313-cp313-macosx_11_0_arm64",
            "cp313-cp313-linux_aarch64",
        ],
    )
    def test_a_wheel_for_another_machine_is_told(self, tmp_path: Path, tag: str) -> None:
        assert wheels.strangers(unpacked(tmp_path, tag), ARM) == [f"thing: {tag}"]

    def test_an_intel_library_in_a_wheel_that_says_arm_is_told(self, tmp_path: Path) -> None:
        folder = unpacked(tmp_path, "cp313-cp313-manylinux_2_28_aarch64", machine=62)
        assert wheels.strangers(folder, ARM) == ["thing.so: x86_64"]
        assert len(wheels.strangers(folder, INTEL)) == 1  # the tag


class TestTrimming:
    def trimmed(self, folder: Path, *names: str, services: set[str] | None = None) -> set[str]:
        for name in names:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("x")
        trimming.trim(folder, services or set())
        return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}

    def test_tests_sources_commands_and_traces_of_the_installing_go(self, tmp_path: Path) -> None:
        left = self.trimmed(
            tmp_path, "pkg/a.py", "pkg/tests/test_a.py", "pkg/a.pyx", "pkg/a.pyi", "pkg/a.h", "bin/run",
            "pkg-1.dist-info/RECORD", "pkg-1.dist-info/INSTALLER", "pkg-1.dist-info/direct_url.json",
            "pkg/__pycache__/a.cpython-313.pyc", "pkg/testing.py",
        )  # fmt: skip
        assert left == {"pkg/a.py", "pkg/testing.py"}

    def test_licences_and_what_a_package_says_of_itself_stay(self, tmp_path: Path) -> None:
        names = {
            f"pkg-1.dist-info/{n}" for n in ("METADATA", "WHEEL", "licenses/LICENSE", "sboms/a.cdx.json")
        }
        assert self.trimmed(tmp_path, *names) == names

    def test_of_three_names_of_a_library_the_one_that_is_loaded_stays(self, tmp_path: Path) -> None:
        left = self.trimmed(
            tmp_path, "pyarrow/libarrow_python.so", "pyarrow/libarrow_python.so.2600",
            "pyarrow/libarrow_python.so.2600.1.0", "pyarrow/libarrow_flight.so.2600", "pyarrow/lib.cpython-313.so",
        )  # fmt: skip
        assert left == {"pyarrow/libarrow_python.so.2600", "pyarrow/lib.cpython-313.so"}

    def test_of_botocore_the_services_stay_that_the_code_names(self, tmp_path: Path) -> None:
        left = self.trimmed(
            tmp_path, "botocore/data/s3/a.json", "botocore/data/ec2/a.json", "botocore/data/endpoints.json",
            services={"s3"},
        )  # fmt: skip
        assert left == {"botocore/data/s3/a.json", "botocore/data/endpoints.json"}

    def test_services_are_read_from_calls_of_client(self, tmp_path: Path) -> None:
        source = tmp_path / "a.py"
        source.write_text('a = client(s, "s3")\nb = boto3.client("sqs", x="ec2")\nc = other("iam")\n')
        assert trimming.services_named([source]) == {"s3", "sqs"}


class TestSymbols:
    """Libraries without symbols are smaller and work."""

    def test_a_library_of_a_wheel_works_without_its_symbols(self, tmp_path: Path) -> None:
        spec = importlib.util.find_spec("mmh3")
        assert spec is not None
        assert spec.origin is not None
        content = Path(spec.origin).read_bytes()
        smaller = elf.without_symbols(content)
        assert len(smaller) < 0.6 * len(content)
        assert elf.without_symbols(smaller) == smaller
        (tmp_path / Path(spec.origin).name).write_bytes(smaller)
        asked = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import mmh3; print(mmh3.__file__, mmh3.hash('汇通'))"
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", asked], capture_output=True, text=True, check=True
        )
        import mmh3

        assert done.stdout.split() == [str(tmp_path / Path(spec.origin).name), str(mmh3.hash("汇通"))]

    def test_libraries_that_a_tool_has_rearranged_load_and_compute(self, tmp_path: Path) -> None:
        """numpy's are laid out anew when its wheel is made: parts lie behind the symbols."""
        import numpy as np

        site = Path(np.__file__).parents[1]
        for name in ("numpy", "numpy.libs"):
            shutil.copytree(
                site / name, tmp_path / name, ignore=shutil.ignore_patterns("tests", "__pycache__")
            )
        before = sum(p.stat().st_size for p in tmp_path.rglob("*.so*"))
        for path in tmp_path.rglob("*.so*"):
            path.write_bytes(elf.without_symbols(path.read_bytes()))
        assert sum(p.stat().st_size for p in tmp_path.rglob("*.so*")) < before - 1_000_000
        asked = (
            f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import numpy as np; "
            "a = np.arange(9.0).reshape(3, 3); print(np.linalg.det(a + np.eye(3)), (a @ a).sum())"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-B", "-c", asked], capture_output=True, text=True, check=True
        )
        a = np.arange(9.0).reshape(3, 3)
        det, total = map(float, done.stdout.split())
        assert det == pytest.approx(np.linalg.det(a + np.eye(3)))
        assert total == (a @ a).sum()

    def test_what_is_no_library_or_has_no_symbols_stays_as_it_is(self) -> None:
        for content in (b"", b"\x7fELF", b"text", library(62)):
            assert elf.without_symbols(content) == content
