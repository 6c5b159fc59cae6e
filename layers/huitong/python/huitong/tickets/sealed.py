"""Which record a ticket is about, and what is said to be wrong with it: sealed, for its parties only.

The register holds the record's blind index and a sealed text. Only the unit that
filed and the source unit get it unsealed, each time on record.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from huitong.ports import Secrets

#: A sealed text must stay within what a key service seals at once (4 KB).
MOST_WRONG: Final = 600


@dataclass(frozen=True, slots=True)
class Doubt:
    """``key``: the record's key values as text by field name; ``wrong``: what is said to be wrong."""

    key: Mapping[str, str] = field(default_factory=dict)
    wrong: str = ""


def sealed(secrets: Secrets, ticket: str, doubt: Doubt) -> str:
    text = json.dumps([dict(doubt.key), doubt.wrong], ensure_ascii=False, separators=(",", ":"))
    return secrets.seal(text, _context(ticket))


def unsealed(secrets: Secrets, ticket: str, text: str) -> Doubt:
    """Raises Corrupt when the text is not the ticket's."""
    key, wrong = json.loads(secrets.unseal(text, _context(ticket)))
    return Doubt(key, wrong)


def _context(ticket: str) -> str:
    return f"ticket:{ticket}"
