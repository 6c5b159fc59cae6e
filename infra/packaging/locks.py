"""The locks of the layers: cut out of requirements.lock, so that what is tested is what is deployed."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from infra.packaging import uv
from infra.packaging.plan import ROOT, Layer, Plan

WHOLE: Final = ROOT / "requirements.lock"
EXCLUDED: Final = ROOT / "layers/excluded.txt"
ASKED: Final = "requirements.in"
LOCK: Final = "requirements.lock"
_PIN: Final = re.compile(r"(?P<name>[\w.-]+)(\[[^\]]*\])?==(?P<version>\S+)(?:\s*;\s*(?P<marker>.*))?")
_HASH: Final = re.compile(r"--hash=(\S+)")


@dataclass(frozen=True, slots=True)
class Pin:
    name: str
    version: str
    marker: str
    hashes: frozenset[str]


def pins(lock: str) -> list[Pin]:
    """The entries of a lock's text."""
    found = []
    for entry in lock.replace("\\\n", " ").splitlines():
        text = entry.split("#", 1)[0].strip()
        match = _PIN.match(text.split("--hash", 1)[0].strip())
        if match:
            name, version, marker = match["name"].lower(), match["version"], (match["marker"] or "").strip()
            found.append(Pin(name, version, marker, frozenset(_HASH.findall(text))))
    return found


def names(listed: Path) -> list[str]:
    """Normalized package names in a requirements.in or a list of exclusions."""
    lines = (line.split("#", 1)[0].strip() for line in listed.read_text().splitlines())
    return [re.split(r"[\[<>=!~ ;]", line)[0].lower().replace("_", "-") for line in lines if line]


def write(plan: Plan) -> list[Path]:
    """Write the lock of every layer of third-party packages anew. Raises PackagingError."""
    written: dict[str, Path] = {}
    for layer in plan.layers:
        if (ROOT / layer.folder / ASKED).is_file():
            written[layer.name] = _write(layer, written)
    return list(written.values())


def _write(layer: Layer, before: Mapping[str, Path]) -> Path:
    """What lower layers hold is left out; uv knows the rest."""
    lock = ROOT / layer.folder / LOCK
    below = [pin.name for name in layer.base if name in before for pin in pins(before[name].read_text())]
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as excluded:
        excluded.write("\n".join([*names(EXCLUDED), *below]))
        excluded.flush()
        _compile(ROOT / layer.folder / ASKED, Path(excluded.name), lock)
    return lock


def _compile(asked: Path, excluded: Path, lock: Path) -> None:
    uv.pip(
        *("compile", "--quiet", "--universal", "--generate-hashes"),
        *("--python-version", "3.11", "--no-header", "--no-annotate", "--no-emit-index-url"),
        *("-c", str(WHOLE), "--excludes", str(excluded), "-o", str(lock), str(asked)),
        about=asked,
    )


def differences(lock: Iterable[Pin], whole: Iterable[Pin]) -> list[str]:
    """Entries of a layer's lock that are not, to the hash, in the whole one."""
    known = {(pin.name, pin.version): pin for pin in whole}
    found = []
    for pin in lock:
        same = known.get((pin.name, pin.version))
        if same is None:
            found.append(f"{pin.name}=={pin.version} is not in requirements.lock")
        elif not pin.hashes or pin.hashes != same.hashes:
            found.append(f"{pin.name}=={pin.version} has other hashes than in requirements.lock")
    return found
