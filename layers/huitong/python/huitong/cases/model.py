"""A case as the register has it, and what a piece of news from the court makes of it: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Literal, Self

from huitong.cases.stages import BY_CODE, DISCHARGES, ENDS, EXTENDED, RULINGS, TRANSITIONS
from huitong.procedures.calendar import china_day

Relation = Literal["debtor", "spouse", "dependant"]
#: ``other``: interested parties (利害关系人), named by a request and known to its grant only.
Named = Literal["debtor", "spouse", "dependant", "other"]
Place = tuple[int, int]  # (publication, ordinal) in a change log
What = Literal["opened", "moved", "extended", "kept", "noted", "gone", "refused", "repeated", "unknown"]


@dataclass(frozen=True, slots=True)
class Terms:
    """Periods that the law or the units set; every one can be configured."""

    look_back_years: int = 2  # 可撤销期间 before the application
    after_discharge_days: int = 365  # sharing ends so long after a discharge
    retention_years: int = 5  # then what was shared for the case is due for destruction


@dataclass(frozen=True, slots=True)
class Moved:
    """One step of the case. ``source`` is ``IN-01@12.3`` (resource, publication, ordinal) or a correction."""

    stage: str
    stage_time: str
    at: str
    source: str
    document: str = ""


@dataclass(frozen=True, slots=True)
class Case:
    """``subjects``: blind index of the debtor, with the relation; ``named``: those whom an approved request
    named, family and others, by its id, which is its grant's: known to that grant only. ``seen``: how far
    each resource has been applied to this case. ``flag``: what the court's resource says that cannot be
    (the stage is then the last possible one)."""

    case_no: str
    stage: str
    stage_time: str
    court: str = ""
    procedure_type: str = ""
    administrator: str = ""
    apply_date: str = ""
    subjects: Mapping[str, Relation] = field(default_factory=dict)
    named: Mapping[str, Mapping[str, Named]] = field(default_factory=dict)
    history: tuple[Moved, ...] = ()
    seen: Mapping[str, Place] = field(default_factory=dict)
    flag: str = ""
    present: bool = True
    ended: str = ""  # day; sharing for the case is over
    end_due: str = ""  # day on which it will be, after a discharge
    retain_until: str = ""
    version: int = 0

    def as_dict(self) -> dict[str, Any]:
        return {k: v for k, v in asdict(self).items() if k != "version"}

    @classmethod
    def from_dict(cls, body: Mapping[str, Any], version: int) -> Self:
        raw = dict(body)
        raw["history"] = tuple(Moved(**one) for one in raw["history"])
        raw["seen"] = {k: (int(v[0]), int(v[1])) for k, v in raw["seen"].items()}
        return cls(**raw, version=version)


@dataclass(frozen=True, slots=True)
class News:
    """One change row of the court's resource, as the register needs it. ``debtor`` is a blind index."""

    case_no: str
    kind: Literal["stage", "ruling", "gone"]
    resource: str
    place: Place
    court: str = ""
    stage: str = ""
    time: str = ""
    procedure_type: str = ""
    administrator: str = ""
    apply_date: str = ""
    debtor: str = ""
    document: str = ""
    document_type: str = ""

    @property
    def source(self) -> str:
        return f"{self.resource}@{self.place[0]}.{self.place[1]}"


@dataclass(frozen=True, slots=True)
class Outcome:
    """``case`` None: there is none, none was made. ``problem`` (zh, en) is for the court and the operator."""

    what: What
    case: Case | None
    problem: tuple[str, str] | None = None
    ends: bool = False


def applied(case: Case | None, news: News, at: str, terms: Terms) -> Outcome:
    """What the news makes of a case (None: it is not known yet)."""
    if case is not None and news.place <= case.seen.get(news.resource, (0, 0)):
        return Outcome("repeated", case)
    if case is None:
        return _first(news, at, terms)
    case = replace(case, seen={**case.seen, news.resource: news.place})
    if news.kind == "gone":
        problem = (
            f"法院数据中已没有案件 {case.case_no}",
            f"The court's data no longer has case {case.case_no}",
        )
        return Outcome("gone", replace(case, present=False, flag="gone"), problem)
    if news.kind == "ruling":
        return _ruled(case, news, at, terms)
    case = _told(case, news)
    return _stage(case, news.stage, news, at, terms)


def to_stage(case: Case, stage: str, moved: Moved, terms: Terms) -> Outcome:
    """The case in a stage, whatever the one before: for what was checked or corrected."""
    again = case.stage == stage
    case = replace(case, stage=stage, stage_time=moved.stage_time, history=(*case.history, moved), flag="")
    if stage in ENDS and not case.ended:
        case = ended(case, china_day(datetime.fromisoformat(moved.at)).isoformat(), terms)
        return Outcome("moved", case, ends=True)
    if stage in DISCHARGES:
        case = replace(case, end_due=_plus_days(moved.stage_time, terms.after_discharge_days))
    elif stage not in ENDS:
        case = replace(case, end_due="")
    return Outcome("extended" if again else "moved", case)


def ended(case: Case, day: str, terms: Terms) -> Case:
    """The case when sharing for it is over: the retention clock is set."""
    return replace(case, ended=day, end_due="", retain_until=_years(day, terms.retention_years))


def _first(news: News, at: str, terms: Terms) -> Outcome:
    if news.kind != "stage" or news.stage not in BY_CODE:
        zh = f"案件 {news.case_no} 尚未登记,或阶段不明({news.source})"
        return Outcome(
            "unknown", None, (zh, f"Case {news.case_no} is not known, or its stage ({news.source})")
        )
    blank = Case(news.case_no, news.stage, news.time, seen={news.resource: news.place})
    made = to_stage(_told(blank, news), news.stage, Moved(news.stage, news.time, at, news.source), terms)
    return replace(made, what="opened")


def _told(case: Case, news: News) -> Case:
    """What the court's row says beside the stage. A corrected number of the debtor replaces the wrong one."""
    family = {k: v for k, v in case.subjects.items() if v != "debtor" and k != news.debtor}
    debtor: dict[str, Relation] = {news.debtor: "debtor"} if news.debtor else {}
    return replace(
        case,
        court=news.court,
        procedure_type=news.procedure_type,
        administrator=news.administrator,
        apply_date=news.apply_date,
        subjects={**family, **debtor},
        present=True,
    )


def _ruled(case: Case, news: News, at: str, terms: Terms) -> Outcome:
    stages = RULINGS.get(news.document_type, ())
    been = {m.stage for m in case.history}
    if news.document_type == "09":
        return _stage(case, "42", news, at, terms, extends=True)
    if not stages or been.intersection(stages):
        return Outcome("noted", case)
    able = [s for s in stages if (case.stage, s) in TRANSITIONS]
    return _stage(case, able[0] if able else stages[0], news, at, terms)


def _stage(case: Case, stage: str, news: News, at: str, terms: Terms, *, extends: bool = False) -> Outcome:
    moved = Moved(stage, news.time or case.stage_time, at, news.source, news.document)
    if stage == case.stage and not extends:
        extends = (stage, stage) == EXTENDED and news.time > case.stage_time
        if not extends:
            return Outcome("kept", replace(case, flag=""))
    if (case.stage, stage) in TRANSITIONS:
        return to_stage(case, stage, moved, terms)
    if _behind(case, stage, news):
        return Outcome("noted", case)
    shown = stage if stage in BY_CODE else "?"
    zh = f"案件 {case.case_no}:阶段不能从 {case.stage} 转为 {shown}({news.source}),登记簿保持原阶段"
    en = f"Case {case.case_no}: stage {case.stage} cannot become {shown} ({news.source}) and stays"
    return Outcome("refused", replace(case, flag=f"stage:{shown}"), (zh, en))


def _behind(case: Case, stage: str, news: News) -> bool:
    """A row that has not caught up with a ruling that was faster: no contradiction."""
    if news.kind != "stage" or not case.history or not case.history[-1].document:
        return False
    before = [m.stage for m in case.history if not m.document]
    return bool(before) and before[-1] == stage


def _plus_days(moment: str, days: int) -> str:
    return (date.fromisoformat(moment[:10]) + timedelta(days=days)).isoformat()


def _years(day: str, years: int) -> str:
    """The same day so many years on (29 February: 28 February)."""
    start = date.fromisoformat(day[:10])
    try:
        return start.replace(year=start.year + years).isoformat()
    except ValueError:
        return start.replace(year=start.year + years, day=28).isoformat()


# --- what a case allows ----------------------------------------------------


@dataclass(frozen=True, slots=True)
class CaseBinding:
    """What somebody bound to a case may ask for: about whom, and from which day on (``since``, "" = any)."""

    case_no: str
    stage: str
    subjects: frozenset[str]
    since: str = ""


def since(case: Case, terms: Terms) -> str:
    """First day of the look-back period; "" when the day of the application is not known."""
    return _years(case.apply_date, -terms.look_back_years) if case.apply_date else ""
