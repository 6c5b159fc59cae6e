"""The annual sharing report (L-45): figures of twelve months, put together for people.

What was not counted is ``None`` and is shown as such, never as 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from huitong.audit.unusual import UNUSUAL
from huitong.contracts.model import Contract
from huitong.identity.model import OPERATOR
from huitong.identity.units import Unit
from huitong.notices.notices import Notices
from huitong.sharing.grants import Grants
from huitong.supervision.figures import Figures, span

SHARE_TYPES: Final = {"1": ("无条件共享", "unconditional"), "2": ("有条件共享", "conditional"),
                      "3": ("不予共享", "not shared"), "": ("未定", "undecided")}  # fmt: skip
_USES: Final = {
    "query": ("查询", "queries"),
    "compare": ("比对", "comparisons"),
    "share": ("推送", "pushes"),
    "access": ("拉取与查阅", "pulls and views"),
    "download": ("下载", "downloads"),
    "refuse": ("拒绝", "refusals"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of the summary; ``value`` None = not counted, ``note`` says why."""

    key: str
    zh: str
    en: str
    value: float | None
    note: str = ""


class AnnualReports:
    """``alerts`` counts the security events of a year."""

    def __init__(
        self,
        figures: Figures,
        contracts: Callable[[], Iterable[Contract]],
        units: Callable[[], Iterable[Unit]],
        grants_in_force: Callable[[], Mapping[str, int]],
        alerts: Callable[[int], int],
    ) -> None:
        self._figures = figures
        self._contracts = contracts
        self._units = units
        self._grants = grants_in_force
        self._alerts = alerts

    def of(self, year: int) -> dict[str, Any]:
        """The figures as JSON-ready values: what is kept of twelve months, and registers as of now."""
        kept = {month: self._figures.month(year, month) for month in range(1, 13)}
        missing = [f"{year}-{month:02}" for month, items in kept.items() if not items]
        resources: dict[str, Counter[str]] = {}
        about: dict[str, dict[str, Any]] = {}
        procedures: dict[str, dict[str, Any]] = {}
        complete = not missing
        for items in kept.values():
            for item in items:
                kind, _, name = item.sk.partition("#")
                if kind == "RESOURCE":
                    about[name] = {k: item.body[k] for k in ("provider", "title", "share_type")}
                    resources.setdefault(name, Counter()).update(_flat(item.body))
                    complete = complete and bool(item.body["acts_complete"])
                elif kind == "PROCEDURE":
                    _add(procedures.setdefault(name, _empty(item.body)), item.body)
        grants = self._grants()
        rows = [{"resource": r, **about[r], **dict(c)} for r, c in sorted(resources.items())]
        counted = len(missing) < 12
        return {
            "year": year,
            "months": [m for m, items in kept.items() if items],
            "missing": missing,
            "summary": [
                {"key": x.key, "zh": x.zh, "en": x.en, "value": x.value, "note": x.note}
                for x in self._summary(year, rows, procedures, grants, counted, complete)
            ],
            "resources": rows,
            "units": self._of_units(rows, grants, procedures, counted),
            "procedures": procedures,
        }

    def _summary(
        self,
        year: int,
        rows: list[dict[str, Any]],
        procedures: Mapping[str, Any],
        grants: Mapping[str, int],
        counted: bool,
        complete: bool,
    ) -> list[Line]:
        types = Counter(str(c.share_type) for c in self._contracts())
        gaps = "" if complete else "部分月份或记录未统计 some months or records are not counted"

        def total(name: str) -> int | None:
            return sum(int(r.get(name, 0)) for r in rows) if counted else None

        lines = [Line("units", "登记单位", "registered units", sum(1 for _ in self._units()))]
        lines += [
            Line(f"resources.{t or 'undecided'}", f"数据资源:{zh}", f"resources: {en}", types.get(t, 0))
            for t, (zh, en) in SHARE_TYPES.items()
        ]
        lines += [
            Line("grants", "有效授权", "grants in force", sum(grants.values())),
            Line("batches", "报送批次", "deliveries received", total("batches"), gaps),
            Line("rows", "报送行数", "rows received", total("rows.received"), gaps),
            Line("quarantined", "问题行数", "rows in quarantine", total("rows.quarantined"), gaps),
            Line("quality", "数据合格率(%)", "rows that passed, percent", _quality(rows, counted), gaps),
            Line("events", "推送变更数", "changes pushed", total("events"), gaps),
        ]
        lines += [
            Line(f"acts.{act}", f"使用:{zh}", f"uses: {en}", total(f"acts.{act}"), gaps)
            for act, (zh, en) in _USES.items()
        ]
        for name, one in sorted(procedures.items()):
            lines.append(
                Line(f"{name}.all", f"{one['zh']}:合计", f"{one['en']}: all", sum(one["states"].values()))
            )
            lines.append(
                Line(f"{name}.breaches", f"{one['zh']}:逾期", f"{one['en']}: past a time limit",
                     sum(one["breaches"].values()))
            )  # fmt: skip
            if one["ended"]:
                lines.append(
                    Line(f"{name}.days", f"{one['zh']}:平均办理工作日", f"{one['en']}: working days, mean",
                         round(one["days"] / one["ended"], 1))
                )  # fmt: skip
        alerts = self._alerts(year) if counted else None
        return [*lines, Line("alerts", "安全告警", "security alerts", alerts, gaps if alerts is None else "")]

    def _of_units(
        self,
        rows: list[dict[str, Any]],
        grants: Mapping[str, int],
        procedures: Mapping[str, Any],
        counted: bool,
    ) -> list[dict[str, Any]]:
        found = []
        for unit in self._units():
            own = [r for r in rows if r["provider"] == unit.code]

            def total(name: str, own: list[dict[str, Any]] = own) -> int | None:
                return sum(int(r.get(name, 0)) for r in own) if counted else None

            involved = {n: int(p["units"].get(unit.code, 0)) for n, p in procedures.items()}
            found.append(
                {
                    "unit": unit.code,
                    "name": unit.name,
                    "resources": len(own),
                    "batches": total("batches"),
                    "rows": total("rows.received"),
                    "quarantined": total("rows.quarantined"),
                    "pushed_to": sum(int(r.get(f"pushed_to.{unit.code}", 0)) for r in rows)
                    if counted
                    else None,
                    "grants": grants.get(unit.code, 0),
                    "complaints": involved.get("complaint") if counted else None,
                    "rectifications": involved.get("rectification") if counted else None,
                    "applications": involved.get("application") if counted else None,
                }
            )
        return found


def unusual_uses(notices: Notices) -> Callable[[int], int]:
    """The year's alerts of unusual use that the operator was told of (S-33)."""

    def of(year: int) -> int:
        return notices.count(OPERATOR, UNUSUAL, span(year, 1)[0], span(year, 12)[1])

    return of


def in_force(contracts: Iterable[Contract], grants: Grants) -> dict[str, int]:
    """Grants in force by unit: one query for each resource."""
    today = grants.today()
    found = (g.unit for c in contracts for g in grants.of_resource(c.id) if g.valid_on(today))
    return dict(Counter(found))


def _flat(body: Mapping[str, Any]) -> dict[str, int]:
    flat = {"batches": sum(body["batches"].values()), "events": int(body["events"])}
    for group in ("rows", "pushes", "acts", "pushed_to"):
        flat |= {f"{group}.{name}": int(n) for name, n in body[group].items()}
    return flat


def _empty(body: Mapping[str, Any]) -> dict[str, Any]:
    named = {name: body[name] for name in ("zh", "en", "state_zh")}
    return {**named, "states": {}, "breaches": {}, "units": {}, "days": 0, "ended": 0}


def _add(into: dict[str, Any], body: Mapping[str, Any]) -> None:
    for group in ("states", "breaches", "units"):
        for name, n in body[group].items():
            into[group][name] = into[group].get(name, 0) + int(n)
    into["days"] += sum(int(n) for n in body["elapsed"])
    into["ended"] += len(body["elapsed"])


def _quality(rows: list[dict[str, Any]], counted: bool) -> float | None:
    received = sum(int(r.get("rows.received", 0)) for r in rows)
    bad = sum(int(r.get("rows.quarantined", 0)) for r in rows)
    return round(100 * (1 - bad / received), 2) if counted and received else None
