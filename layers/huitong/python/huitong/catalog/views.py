"""Views (视图) of the catalogue (X-18): the same entries, filtered and grouped, described as data.

Four stand always; others are added, changed and removed. Keys: ``CATALOG-VIEWS`` / ``{id}``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal, Self, get_args

from huitong.audit.trace import Trace, Traces
from huitong.catalog.model import CLASSES, SHARE_TYPES
from huitong.catalog.search import Filters
from huitong.contracts.frequency import FREQUENCIES
from huitong.errors import BadRequest, Conflict, NotFound
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.deciding import Actor

Grouping = Literal["provider", "kind", "theme", "demand", "share_type", "frequency"]
GROUPINGS: Final[tuple[str, ...]] = get_args(Grouping)
_VIEWS: Final = "CATALOG-VIEWS"
#: The scheme of a category that says the theme.
THEME: Final = "主题"


@dataclass(frozen=True, slots=True)
class View:
    id: str
    zh: str
    en: str
    group_by: Grouping
    filters: Mapping[str, Any] = field(default_factory=dict)
    fixed: bool = False
    by: str = ""
    at: str = ""
    version: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_item(cls, item: Item) -> Self:
        return cls(**{**item.body, "version": item.version})


FIXED: Final[Mapping[str, View]] = {
    v.id: v
    for v in (
        View("department", "部门目录", "by department", "provider", fixed=True),
        View("theme", "主题目录", "by theme", "theme", fixed=True),
        View("demand", "需求目录", "by demand", "demand", fixed=True),
        View("open", "开放目录", "open to the public", "provider", {"open": True}, fixed=True),
    )
}


class Views:
    def __init__(self, register: Register, traces: Traces, clock: Clock) -> None:
        self._register, self._traces, self._clock = register, traces, clock

    def all(self) -> list[View]:
        return [*FIXED.values(), *(View.from_item(i) for i in self._register.query(_VIEWS))]

    def get(self, id: str) -> View:
        """Raises NotFound."""
        if id in FIXED:
            return FIXED[id]
        item = self._register.get(_VIEWS, id)
        if item is None:
            raise NotFound(f"没有视图 {id}", f"There is no view {id}", view=id)
        return View.from_item(item)

    def put(self, view: View, actor: Actor) -> View:
        """Add a view or change it. Raises BadRequest (a fixed one), Conflict (changed right now)."""
        _refuse_fixed(view.id)
        stored = self._register.get(_VIEWS, view.id)
        kept = replace(view, by=actor.principal.id, at=timestamp(self._clock.now()), fixed=False)
        body = {k: v for k, v in kept.as_dict().items() if k != "version"}
        item = Item(_VIEWS, view.id, body, version=stored.version if stored else 0)
        trace = Trace("configure", actor.principal.id, actor.unit, detail=f"catalogue-view:{view.id}")
        self._traces.commit(trace, creates=[] if stored else [item], replaces=[item] if stored else [])
        return replace(kept, version=item.version + 1)

    def remove(self, id: str, actor: Actor) -> View:
        """Raises BadRequest (a fixed one), NotFound, Conflict."""
        _refuse_fixed(id)
        view = self.get(id)
        trace = Trace("configure", actor.principal.id, actor.unit, detail=f"catalogue-view:{id}:removed")
        self._traces.commit(trace, deletes=[(_VIEWS, id)])
        return view


def grouped(view: View, documents: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Groups in order of their names; an entry stands in each group that it belongs to."""
    groups: dict[str, dict[str, Any]] = {}
    for one in documents:
        for key, title in _GROUPS[view.group_by](one):
            groups.setdefault(key, {"key": key, "title": title, "entries": []})["entries"].append(one)
    return [groups[key] for key in sorted(groups)]


def filters_of(view: View) -> Filters:
    """Raises BadRequest when the filter names what there is not."""
    try:
        return Filters(**view.filters)
    except TypeError as error:
        raise BadRequest("视图的过滤条件有误", "The view's filter is not valid", view=view.id) from error


def _refuse_fixed(id: str) -> None:
    if id in FIXED:
        raise Conflict(f"视图 {id} 是固定视图", f"The view {id} is fixed", view=id)


Groups = Callable[[Mapping[str, Any]], list[tuple[str, str]]]


def _provider(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    return [(str(one.get("provider", "")), str(one.get("provider_name", "")))]


def _kind(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    kind = str(one.get("code", ""))[:1]
    return [(kind, CLASSES[kind][0])] if kind in CLASSES else [("-", "未分类 not classed")]


def _theme(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    themes = [c for c in one.get("categories", ()) if THEME in str(c.get("standard", ""))]
    found = [(str(c.get("code", "")), str(c.get("name", ""))) for c in themes]
    return found or [("-", "未分主题 no theme")]


def _demand(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    served = [
        (str(s.get("code", "")), str(s.get("name") or s.get("code", ""))) for s in one.get("serves", ())
    ]
    return [*served, *((d, d) for d in one.get("demands", ()))] or [("-", "未登记需求 no demand")]


def _share(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    share = str(one.get("share_type", ""))
    return [(share, SHARE_TYPES[share][0])] if share in SHARE_TYPES else [("-", "未定 not set")]


def _frequency(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    found = FREQUENCIES.get(str(one.get("frequency", "")))
    return [(found.name, found.zh)] if found else [("-", "未定 not set")]


_GROUPS: Final[Mapping[str, Groups]] = {
    "provider": _provider,
    "kind": _kind,
    "theme": _theme,
    "demand": _demand,
    "share_type": _share,
    "frequency": _frequency,
}
