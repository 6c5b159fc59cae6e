"""Third-party packages of a layer: by hash from its lock, as wheels for the target; nothing is built here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Final

from infra.packaging import elf, uv
from infra.packaging.plan import Target

_LEGACY: Final = {"manylinux1": (2, 5), "manylinux2010": (2, 12), "manylinux2014": (2, 17)}
_PLATFORM: Final = re.compile(r"(manylinux\d+)_(\w+)|manylinux_(\d+)_(\d+)_(\w+)")


def install(lock: Path, target: Target, into: Path) -> None:
    """Unpack every package of a lock into a folder. Raises PackagingError with the installer's words."""
    major, minor = target.glibc
    uv.pip(
        *("install", "--quiet", "--no-config", "--link-mode", "copy"),
        *("--require-hashes", "--no-deps", "--only-binary", ":all:", "--target", str(into)),
        *("--python-version", target.python),
        *("--python-platform", f"{target.machine}-manylinux_{major}_{minor}"),
        *("-r", str(lock)),
        about=lock,
    )


def packages(folder: Path) -> list[Distribution]:
    """The distributions unpacked in a folder, by name."""
    return sorted(distributions(path=[str(folder)]), key=lambda d: d.metadata["Name"].lower())


def strangers(folder: Path, target: Target) -> list[str]:
    """What in a folder was made for another machine: wheels by their tags, libraries by their own header."""
    return [*_wrong_wheels(folder, target), *_wrong_libraries(folder, target)]


def _wrong_wheels(folder: Path, target: Target) -> Iterator[str]:
    for found in packages(folder):
        tags = HeaderParser().parsestr(found.read_text("WHEEL") or "").get_all("Tag", [])
        if not any(_fits(tag.rpartition("-")[2], target) for tag in tags):
            yield f"{found.metadata['Name']}: {', '.join(tags) or 'no tag'}"


def _fits(tag: str, target: Target) -> bool:
    if tag == "any":
        return True
    for platform in tag.split("."):
        found = _PLATFORM.fullmatch(platform)
        if found is None:
            continue
        legacy, old_machine, major, minor, machine = found.groups()
        glibc = _LEGACY.get(legacy, (99, 0)) if legacy else (int(major), int(minor))
        if (old_machine or machine) == target.machine and glibc <= target.glibc:
            return True
    return False


def _wrong_libraries(folder: Path, target: Target) -> Iterator[str]:
    for library in libraries(folder):
        if library.machine != target.machine:
            yield f"{library.path.relative_to(folder)}: {library.machine}"


@dataclass(frozen=True, slots=True)
class Library:
    path: Path
    machine: str


def libraries(folder: Path) -> Iterator[Library]:
    """Every ELF file, whatever its name."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with path.open("rb") as source:
                found = elf.machine(source.read(64))
            if found:
                yield Library(path, found)
