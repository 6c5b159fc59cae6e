"""The semantic types of data items (standards.md section 2): what a value must be, beyond its type.

``NAMES`` is quick to import; :func:`semantic` loads the module that holds the
checks (numpy, pyarrow). One module for a family of types.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from huitong.quality.semantics.base import Semantic

_MODULES: Final[Mapping[str, str]] = {
    "citizen-id": "citizen_id",
    "uscc": "uscc",
    "division": "division",
    "sex": "code_sets",
    "marital": "code_sets",
    "employment": "code_sets",
    "case-number": "case_number",
    "document-number": "case_number",
    "mobile": "phone",
    "phone": "phone",
    "amount": "amount",
    "month": "periods",
    "year": "periods",
    "date": "periods",
    "timestamp": "periods",
    "vin": "identifiers",
    "sm3-hex": "identifiers",
    "licence17": "identifiers",
    "unit28": "identifiers",
}

NAMES: Final = frozenset(_MODULES)


def semantic(name: str) -> Semantic:
    """The semantic type of this name. Raises KeyError for a name that is not in ``NAMES``."""
    module = import_module(f"huitong.quality.semantics.{_MODULES[name]}")
    found: Semantic = module.TYPES[name]
    return found
