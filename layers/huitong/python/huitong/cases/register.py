"""The case register (案件登记簿): stages come from the court's resource alone (Q-01, Q-39, S-11). Light.

Keys: ``CASE#{case_no}`` / ``CASE`` the case, ``TEAM#{member}`` who is bound to it,
``FINDING#{resource}@{seq}.{ordinal}`` what the court's resource said that cannot be;
``CASES-OF#{member}`` / ``{case_no}`` what somebody is bound to; ``CASES`` /
``POSITION#{resource}`` how far a resource has been read (:mod:`huitong.cases.feed`),
``ENDING#{case_no}`` whose sharing is still to be ended (:mod:`huitong.cases.ending`);
``DESTRUCTION`` / ``{day}#{case_no}`` what is then due for destruction. ``index1`` =
(``CASES-END-DUE``, day), ``index2`` = (``CASES``, ``{stage}#{case_no}``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final, Self

from huitong.audit.trace import Trace, Traces
from huitong.cases.model import Case, CaseBinding, News, Outcome, Terms, applied, ended, since
from huitong.cases.numbers import canonical, looks_like_one
from huitong.cases.stages import FAMILY, USABLE
from huitong.errors import Conflict, NotFound, NotPermitted
from huitong.identity.model import OPERATOR, Principal
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.calendar import china_day

_CASE: Final = "CASE"
_ATTEMPTS: Final = 8
BY: Final = "case-register"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody bound to a case: a person or system of a unit, or (``id`` = ``unit``) the unit as a whole."""

    id: str
    unit: str
    by: str
    at: str
    request: str = ""  # the approved request that bound it
    ended_at: str = ""
    ended_by: str = ""

    @classmethod
    def from_item(cls, item: Item) -> Self:
        return cls(**item.body)


@dataclass(frozen=True, slots=True)
class Kept:
    """Entries that are written with something else: new ones, replaced ones."""

    creates: tuple[Item, ...] = ()
    replaces: tuple[Item, ...] = ()


class Cases:
    def __init__(self, register: Register, traces: Traces, clock: Clock, terms: Terms | None = None) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock
        self.terms = terms or Terms()

    # --- reading

    def find(self, case_no: str) -> Case | None:
        item = self._register.get(f"CASE#{canonical(case_no)}", _CASE)
        return Case.from_dict(item.body, item.version) if item else None

    def get(self, case_no: str) -> Case:
        """Raises NotFound."""
        found = self.find(case_no)
        if found is None:
            raise NotFound("没有该案件", "There is no such case")
        return found

    def of(self, principal: Principal, unit: str) -> list[Case]:
        """Cases to which the asker or its unit is bound."""
        numbers = {
            i.sk
            for who in {principal.id, principal.who, unit} - {""}
            for i in self._register.query(f"CASES-OF#{who}")
        }
        return [
            case for n in sorted(numbers) if (case := self.find(n)) and self.in_team(case, principal, unit)
        ]

    def all(self, *, stage: str = "", after: str = "", limit: int = 100) -> list[Case]:
        """By stage and number. Eventually consistent."""
        low = f"{stage}#{after}" if stage else after
        high = f"{stage}#\uffff" if stage else ""
        items = self._register.query_index("index2", "CASES", low=low, high=high, limit=limit + 1)
        found = [i for i in items if not after or i.index2 is None or i.index2[1] != low]
        return [Case.from_dict(i.body, i.version) for i in found[:limit]]

    def findings(self, case_no: str) -> list[dict[str, Any]]:
        """What the court's resource said that could not be applied, in order."""
        items = self._register.query(f"CASE#{canonical(case_no)}", prefix="FINDING#")
        return [dict(i.body) for i in items]

    # --- who is bound

    def team(self, case_no: str) -> list[Member]:
        items = self._register.query(f"CASE#{canonical(case_no)}", prefix="TEAM#")
        return [Member.from_item(i) for i in items]

    def add(self, case_no: str, member: str, unit: str, *, by: Principal, acting: str = "") -> Member:
        """Bind a person or system of a unit to a case. Raises NotFound, Conflict (sharing is over)."""
        case = self.get(case_no)
        if case.ended:
            raise Conflict("案件的共享已终止", "Sharing for the case has ended", case_no=case.case_no)
        stored = self._register.get(f"CASE#{case.case_no}", f"TEAM#{member}")
        if stored is not None and not stored.body["ended_at"] and stored.body["unit"] == unit:
            return Member.from_item(stored)
        made = Member(member, unit, by.who, timestamp(self._clock.now()))
        kept = self.bind_entries(case, made)
        trace = Trace("rights", by.who, acting, case_no=case.case_no, detail=f"case:team:+{member}")
        self._traces.commit(trace, creates=kept.creates, replaces=kept.replaces)
        return made

    def bind_entries(self, case: Case, member: Member) -> Kept:
        """The entries that bind somebody, for another's transaction."""
        stored = self._register.get(f"CASE#{case.case_no}", f"TEAM#{member.id}")
        body = {name: getattr(member, name) for name in Member.__slots__}
        entry = Item(f"CASE#{case.case_no}", f"TEAM#{member.id}", body, stored.version if stored else 0)
        pointer = self._pointers(case.case_no, member.id)
        return Kept(pointer, (entry,)) if stored else Kept((entry, *pointer))

    def remove(self, case_no: str, member: str, *, by: Principal, acting: str = "") -> Member:
        """Somebody is no longer bound: its next use is refused. Raises NotFound, Conflict."""
        case = self.get(case_no)
        stored = self._register.get(f"CASE#{case.case_no}", f"TEAM#{member}")
        if stored is None:
            raise NotFound("该人不在办案组", "It is not in the team", case_no=case.case_no, member=member)
        if not stored.body["ended_at"]:
            gone = stored.with_body(ended_at=timestamp(self._clock.now()), ended_by=by.who)
            trace = Trace("rights", by.who, acting, case_no=case.case_no, detail=f"case:team:-{member}")
            self._traces.commit(trace, replaces=[gone])
            stored = gone
        return Member.from_item(stored)

    def in_team(self, case: Case, principal: Principal, unit: str) -> bool:
        """The court and the administrator of the case are parties as units; others are bound one by one."""
        if unit and unit in (case.court, case.administrator):
            return True
        for who in dict.fromkeys((principal.who, principal.id, unit)):
            item = self._register.get(f"CASE#{case.case_no}", f"TEAM#{who}") if who else None
            if item is not None and not item.body["ended_at"] and item.body["unit"] == unit:
                return True
        return False

    def bound(self, case_no: str, principal: Principal, unit: str, *, grant: str = "") -> CaseBinding:
        """What the asker may ask for in the case now (S-11); ``grant`` narrows it to whom its request named.

        Raises NotPermitted, and leaves evidence of it: a case that is unknown or
        not the asker's (one answer for both), one outside stages 20 to 61, one whose
        sharing has ended. Raises faults of the register.
        """
        case = self.find(case_no) if looks_like_one(canonical(case_no)) else None
        if case is None or not self.in_team(case, principal, unit):
            zh, en = "没有该案件,或未绑定到该案件", "There is no such case, or you are not bound to it"
            raise self._refused(case, principal, unit, "team" if case else "unknown", zh, en)
        if not case.present:
            zh, en = "法院数据中已没有该案件", "The court's data no longer has the case"
            raise self._refused(case, principal, unit, "gone", zh, en)
        if case.ended or case.stage not in USABLE:
            zh = f"案件处于阶段 {case.stage},不得查询当事人信息"
            en = f"The case is in stage {case.stage}: nothing may be asked about its persons"
            raise self._refused(case, principal, unit, "stage", zh, en)
        known = {b for b, relation in case.subjects.items() if relation == "debtor"}
        if grant in case.named:  # a request's grant is about the persons that it named, and no others; whom
            # it calls a relative is one for its grant alone: its word opens no other resource about them
            family = case.stage in FAMILY
            named = case.named[grant]
            known = {
                b for b, is_ in named.items() if b in known or is_ == "other" or (family and is_ != "debtor")
            }
        return CaseBinding(case.case_no, case.stage, frozenset(known), since(case, self.terms))

    def _refused(
        self, case: Case | None, principal: Principal, unit: str, why: str, zh: str, en: str
    ) -> NotPermitted:
        number = case.case_no if case else ""
        self._traces.write(Trace("refuse", principal.who, unit, case_no=number, detail=f"case:{why}"))
        refused = NotPermitted(zh, en, reason=why)
        refused.on_record = True
        return refused

    # --- what the court says

    def apply(self, news: News) -> Outcome:
        """Apply one row of the court's resource, once, with its evidence, in one write.

        Repeated, it changes nothing. What is impossible is told to the court and
        the operator, and changes no stage. Raises Conflict only when others keep writing.
        """
        for attempt in range(_ATTEMPTS):
            try:
                return self._apply(news)
            except Conflict:
                if attempt + 1 == _ATTEMPTS:
                    raise
        raise AssertionError("unreachable")

    def _apply(self, news: News) -> Outcome:
        now = self._clock.now()
        before = self.find(news.case_no)
        outcome = applied(before, news, timestamp(now), self.terms)
        if outcome.what == "repeated":
            return outcome
        finding = self._finding(news, outcome) if outcome.problem else None
        if outcome.case is None:
            if finding is None or self._register.get(finding.pk, finding.sk) is not None:
                return outcome
            self._traces.commit(self._trace(news, outcome), creates=[finding, *self._told(news, outcome)])
            return outcome
        kept = self.entries(before, outcome.case, ends=outcome.ends)
        told = self._told(news, outcome)
        creates = [*kept.creates, *([finding] if finding else []), *told]
        self._traces.commit(self._trace(news, outcome), creates=creates, replaces=kept.replaces)
        return outcome

    def entries(self, before: Case | None, case: Case, *, ends: bool = False) -> Kept:
        """The entries that make ``case`` of ``before``, with what an end of sharing brings."""
        new = before is None or before.version == 0
        item = self._item(replace(case, version=0 if before is None else before.version))
        creates: list[Item] = [item] if new else []
        former = before.administrator if before else ""
        if case.administrator and case.administrator != former:
            creates += self._pointers(case.case_no, case.administrator)
        if ends:
            creates += self._end_entries(case)
        elif former and case.administrator != former:
            creates.append(self.ending(case.case_no, former))
        return Kept(tuple(creates), () if new else (item,))

    def ending(self, case_no: str, unit: str = "") -> Item:
        """Work for :mod:`huitong.cases.ending`: all that is shared for the case, or a unit's part of it."""
        at = timestamp(self._clock.now())
        return Item("CASES", f"ENDING#{case_no}#{unit}#{at}", {"case_no": case_no, "unit": unit, "at": at})

    def _end_entries(self, case: Case) -> list[Item]:
        due = {"case_no": case.case_no, "ended": case.ended, "due": case.retain_until, "state": "listed"}
        listed = Item("DESTRUCTION", f"{case.retain_until}#{case.case_no}", due)
        stored = self._register.get(listed.pk, listed.sk)
        return [self.ending(case.case_no), *([] if stored else [listed])]

    def _pointers(self, case_no: str, who: str) -> tuple[Item, ...]:
        if self._register.get(f"CASES-OF#{who}", case_no) is not None:
            return ()
        return (Item(f"CASES-OF#{who}", case_no, {"case_no": case_no}),)

    def _finding(self, news: News, outcome: Outcome) -> Item:
        zh, en = outcome.problem or ("", "")
        body = {"at": timestamp(self._clock.now()), "source": news.source, "zh": zh, "en": en}
        return Item(
            f"CASE#{news.case_no}", f"FINDING#{news.resource}@{news.place[0]:010}.{news.place[1]:010}", body
        )

    def _told(self, news: News, outcome: Outcome) -> list[Item]:
        notices: list[Notice] = []
        if outcome.problem:
            zh, en = outcome.problem
            notices += [
                Notice(to, "case.finding", f"case:{news.case_no}", zh, en)
                for to in dict.fromkeys((news.court, OPERATOR))
                if to
            ]
        now = timestamp(self._clock.now())
        return [entry_of(notice, now) for notice in notices]

    def _trace(self, news: News, outcome: Outcome) -> Trace:
        stage = f">{outcome.case.stage}" if outcome.case else ""
        return Trace(
            "update",
            BY,
            news.court,
            resource=news.resource,
            seq=news.place[0],
            case_no=news.case_no,
            detail=f"case:{outcome.what}{stage}",
        )

    def _item(self, case: Case) -> Item:
        return Item(
            pk=f"CASE#{case.case_no}",
            sk=_CASE,
            body=case.as_dict(),
            version=case.version,
            index1=("CASES-END-DUE", case.end_due) if case.end_due else None,
            index2=("CASES", f"{case.stage}#{case.case_no}"),
        )

    # --- the clock

    def end_due(self) -> list[str]:
        """End sharing for cases whose time after a discharge is over (domain.md 3); their numbers."""
        today, done = china_day(self._clock.now()).isoformat(), []
        for item in self._register.query_index("index1", "CASES-END-DUE", low="0", high=today):
            before = self.get(str(item.body["case_no"]))
            if not before.end_due or before.end_due > today:
                continue
            case = ended(before, today, self.terms)
            kept = self.entries(before, case, ends=True)
            trace = Trace("update", BY, case.court, case_no=case.case_no, detail="case:ended:discharge")
            try:
                self._traces.commit(trace, creates=kept.creates, replaces=kept.replaces)
            except Conflict:
                continue  # changed right now: the next run looks again
            done.append(case.case_no)
        return done
