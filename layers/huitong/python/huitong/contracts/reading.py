"""What is needed to read any part of an ODCS document: the problems found so far, and custom properties."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from huitong.errors import Problem

if TYPE_CHECKING:
    from open_data_contract_standard.model import CustomProperty


@dataclass(slots=True)
class Problems:
    """Collects; nothing is raised before all is read."""

    found: list[Problem] = field(default_factory=list)

    def add(self, rule: str, path: str, zh: str, en: str, advice_zh: str = "", advice_en: str = "") -> None:
        self.found.append(Problem(rule, zh, en, {"path": path}, advice_zh, advice_en))


def custom(properties: Sequence[CustomProperty] | None) -> dict[str, Any]:
    """``customProperties`` as a mapping."""
    return {p.property: p.value for p in properties or () if p.property}


def text(value: object) -> str:
    return "" if value is None else str(value).strip()


def words(value: object) -> tuple[str, ...]:
    """A custom property that is one word, or a list of them."""
    if value is None:
        return ()
    return tuple(text(v) for v in value) if isinstance(value, list | tuple) else (text(value),)


def both_languages(value: str) -> tuple[str, str]:
    """``中文 / English`` → the two; a text without the stroke is both."""
    zh, stroke, en = value.partition(" / ")
    return (zh.strip(), en.strip()) if stroke else (value.strip(), value.strip())
