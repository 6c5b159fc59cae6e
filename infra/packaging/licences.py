"""Under which licences the deployed packages are, as SPDX expressions; none may be unknown or forbidden."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from email.message import Message
from functools import cache
from importlib.metadata import Distribution
from typing import Any, Final

from license_expression import AND, ExpressionError, LicenseExpression, get_spdx_licensing  # type: ignore[import-untyped]

#: Licences that let a closed system be deployed, on the condition that their texts go along (they do).
ALLOWED: Final = frozenset(
    {"MIT", "MIT-0", "MIT-CMU", "X11", "ISC", "HPND", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0"}
    | {"Zlib", "Apache-2.0", "PSF-2.0", "CC0-1.0", "Unlicense", "Unicode-3.0", "Unicode-DFS-2016", "libtiff"}
    | {"IJG", "CDLA-Permissive-2.0"}
)
#: Where the metadata do not say it exactly: read from the licence file of the package.
READ: Final = {
    "python-dateutil": "BSD-3-Clause",  # Apache-2.0 besides for newer parts; "BSD License" says not which
    "reportlab": "BSD-3-Clause",  # "BSD license (see license.txt)"
}
_WORDS: Final = {
    "MIT": "MIT",
    "MIT License": "MIT",
    "Apache-2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: MIT No Attribution License (MIT-0)": "MIT-0",
    "License :: OSI Approved :: Python Software Foundation License": "PSF-2.0",
}
_SPDX: Final = get_spdx_licensing()


@dataclass(frozen=True, slots=True)
class Licence:
    """``expression`` is "" where the metadata say nothing that SPDX knows."""

    package: str
    version: str
    expression: str

    @property
    def fault(self) -> str:
        """ "" where it may be deployed."""
        if not self.expression:
            return f"{self.package} {self.version}: no licence that SPDX knows; read it and enter it in READ"
        return "" if allowed(self.expression) else f"{self.package} {self.version}: {self.expression}"


def of(package: Distribution) -> Licence:
    """The licence of an installed package."""
    said: Message = package.metadata  # type: ignore[assignment]
    name = str(said["Name"])
    return Licence(name, package.version, READ.get(name.lower()) or _declared(said))


def _declared(said: Message) -> str:
    expression = said.get("License-Expression")
    if expression:
        return expression if known(expression) else ""
    words = [str(said.get("License") or ""), *said.get_all("Classifier", [])]
    found = [_WORDS[word] for word in words if word in _WORDS]
    return found[0] if found else ""


def known(expression: str) -> bool:
    """Whether SPDX knows every licence named."""
    return bool(expression) and not _SPDX.validate(expression).errors


@cache
def allowed(expression: str) -> bool:
    """Whether a licence that may be chosen, or all that apply together, are allowed. Crates write "A/B" for
    "A OR B"."""
    if not expression:
        return False
    try:
        parsed = _SPDX.parse(expression.replace("/", " OR "), validate=True)
    except ExpressionError:
        return False
    return _allowed(parsed)


def _allowed(node: LicenseExpression) -> bool:
    parts: Sequence[Any] = getattr(node, "args", ())
    if parts:
        return (all if isinstance(node, AND) else any)(_allowed(part) for part in parts)
    return getattr(node, "license_symbol", node).key in ALLOWED


def table(licences: Iterable[Licence]) -> str:
    """Markdown, by package."""
    rows = sorted(
        {(one.package, one.version, one.expression) for one in licences}, key=lambda row: row[0].lower()
    )
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(["| package | version | licence |", "|---|---|---|", *lines])
