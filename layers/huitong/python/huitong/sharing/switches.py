"""Ways out that are switched off for a unit and a resource, by whom and at which level (S-37). Light.

One entry beside the unit's grants, not a mark on each: every decision reads it with them in one query, so a
grant that is made at the very moment of a switch, or years later, is as shut as those that were there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, Literal, get_args

from huitong.errors import NotPermitted
from huitong.ports import Item
from huitong.sharing.access import Path_

#: Who switches: the resource's source unit, the operator, the security administrator. What one closed is
#: opened by the same level or a later one.
Level = Literal["source", "operator", "security"]
LEVELS: Final[tuple[Level, ...]] = get_args(Level)
_NAMES: Final[Mapping[str, tuple[str, str]]] = {
    "source": ("数源单位", "the source unit"),
    "operator": ("管理方", "the operator"),
    "security": ("安全管理员", "the security administrator"),
}
_SK: Final = "~closed"
#: Marks that older versions put on each grant tell nobody's level: the operator opens them.
_UNKNOWN: Final[Level] = "operator"


@dataclass(frozen=True, slots=True)
class Closure:
    """Why a way is shut."""

    level: Level
    by: str = ""
    at: str = ""
    reason: str = ""

    def as_dict(self) -> dict[str, str]:
        return asdict(self)


Closures = Mapping[Path_, Closure]


def is_closures(item: Item) -> bool:
    """Whether an entry among grants is this one."""
    return item.sk.endswith(_SK)


def closures_in(items: Sequence[Item]) -> dict[tuple[str, str], Closures]:
    """What is shut, by unit and resource, of entries that were read among grants."""
    return {
        (str(item.body["unit"]), str(item.body["resource"])): {
            way: Closure(**told) for way, told in item.body["ways"].items()
        }
        for item in items
        if is_closures(item)
    }


def closures_item(unit: str, resource: str, ways: Closures, version: int = 0) -> Item:
    """``GRANT#{unit}`` / ``{resource}~closed``, in the index of the resource's grants, too; 0 = a new one."""
    return Item(
        pk=f"GRANT#{unit}",
        sk=f"{resource}{_SK}",
        body={"unit": unit, "resource": resource, "ways": {w: c.as_dict() for w, c in ways.items()}},
        version=version,
        index1=(f"GRANTS#{resource}", f"{unit}{_SK}"),
    )


def closed(shut: Closures, ways: Sequence[Path_], closure: Closure) -> dict[Path_, Closure]:
    """What is shut with these ways. Whoever closes again what a higher level closed changes nothing."""
    mine = {way: closure for way in ways if not _above(shut.get(way), closure.level)}
    return {**shut, **mine}


def opened(
    shut: Closures, ways: Sequence[Path_], level: Level, marked: Sequence[Path_] = ()
) -> dict[Path_, Closure]:
    """What stays shut when somebody of this level opens these ways; ``marked`` are those that are shut by a
    mark on a grant. Raises NotPermitted when a higher level closed one of them."""
    older: Closures = {way: Closure(_UNKNOWN) for way in marked}
    for found, way in ((closures.get(way), way) for closures in (shut, older) for way in ways):
        if found is not None and _above(found, level):
            zh, en = _NAMES[found.level]
            raise NotPermitted(
                f"方式 {way} 由{zh}关闭,须由其重新开放",
                f"The way {way} was closed by {en}, who opens it again",
                way=way,
                level=found.level,
            )
    return {way: closure for way, closure in shut.items() if way not in ways}


def _above(found: Closure | None, level: Level) -> bool:
    return found is not None and LEVELS.index(found.level) > LEVELS.index(level)
