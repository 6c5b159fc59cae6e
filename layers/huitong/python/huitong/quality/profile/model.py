"""A profile as a value: what the columns of a delivery or table look like, masked. Quick to import."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self

#: Values of fewer rows than this are told to nobody but the unit whose data it is.
FEWEST: Final = 5
VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``top`` and ``shapes`` are (text, rows), most frequent first; ``steps`` are the 21
    quantiles 0, 5, … 100 % of numbers or dates (days since 1970). ``mask`` was applied to every value."""

    name: str
    title: str = ""
    rows: int = 0
    nulls: int = 0
    distinct: int = 0
    exact: bool = True  # ``distinct`` was counted, not estimated
    shortest: int = 0
    longest: int = 0
    type: str = "string"  # what all values are, or the contract's
    scale: int = 0
    digits: int = 0  # before the point, of numbers
    semantic: str = ""
    fitting: float = 0.0  # share of values that fit ``semantic``
    level: str = ""
    mask: str = ""
    minimum: str | None = None
    maximum: str | None = None
    shapes: tuple[tuple[str, int], ...] = ()
    top: tuple[tuple[str, int], ...] = ()
    steps: tuple[float, ...] = ()
    key: bool = False  # no two rows share a value, and none lacks one

    @property
    def null_share(self) -> float:
        return self.nulls / self.rows if self.rows else 0.0

    @property
    def guarded(self) -> bool:
        return bool(self.mask)


@dataclass(frozen=True, slots=True)
class Profile:
    """``of``: what it was made from (resource, batch, publication …)."""

    rows: int
    columns: tuple[Column, ...]
    keys: tuple[tuple[str, ...], ...] = ()  # columns that could be the key, shortest first
    of: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> Self:
        columns = tuple(
            Column(
                **{
                    **c,
                    "shapes": tuple((s, n) for s, n in c["shapes"]),
                    "top": tuple((s, n) for s, n in c["top"]),
                    "steps": tuple(c["steps"]),
                }
            )
            for c in raw["columns"]
        )
        return cls(raw["rows"], columns, tuple(tuple(k) for k in raw["keys"]), dict(raw["of"]))

    def column(self, name: str) -> Column | None:
        return next((c for c in self.columns if c.name == name), None)

    def for_staff(self) -> Profile:
        """Without what could point at single rows: rare values and shapes, ends of guarded columns."""
        return replace(self, columns=tuple(_for_staff(c) for c in self.columns))


def _for_staff(column: Column) -> Column:
    few = column.rows - column.nulls < FEWEST
    hidden = column.guarded or few
    return replace(
        column,
        top=_common(column.top),
        shapes=_common(column.shapes),
        minimum=None if hidden else column.minimum,
        maximum=None if hidden else column.maximum,
        steps=() if hidden else column.steps,
        nulls=column.nulls if column.nulls >= FEWEST or not column.nulls else FEWEST,
    )


def _common(listed: Sequence[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    return tuple((text, rows) for text, rows in listed if rows >= FEWEST)
