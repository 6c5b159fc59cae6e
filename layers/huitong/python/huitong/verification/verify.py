"""Comparison without release (数据不落地比对; S-38, L-22): agree, differ or unknown, and nothing else.

In order: the grant must name the way "comparison"; single persons only inside a case, else a smallest
number of them; the budget is spent; the use goes on record; then the values meet (:mod:`.compare`).
Nothing of the input stays but blind indexes. Light to import.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from huitong.audit.subjects import Subjects, blind, record_text, subject_text
from huitong.audit.trace import Trace, Traces
from huitong.contracts.model import Contract
from huitong.errors import BadRequest, LimitExceeded, NotPermitted, Problem
from huitong.identity.model import OPERATOR, Principal
from huitong.notices.notices import Notice, Notices
from huitong.sharing.access import Access
from huitong.verification.budget import Budget, Guessing, Use
from huitong.verification.values import one_form, text_of, typed

if TYPE_CHECKING:
    from huitong.warehouse.lakehouse import Lakehouse

MOST_ITEMS: Final = 200


class Pairs(Protocol):
    """What is needed of :class:`huitong.audit.disclosed.Disclosures`."""

    def of_pairs(self, pairs: Sequence[tuple[str, str]]) -> Subjects: ...


class Publication(Protocol):
    @property
    def current_snapshot(self) -> int: ...


class Published(Protocol):
    def get(self, resource: str) -> Publication | None: ...


@dataclass(frozen=True, slots=True)
class Asker:
    principal: Principal
    unit: str
    request: str = ""


@dataclass(frozen=True, slots=True)
class _Item:
    """One claim, typed; ``subject`` is whom it is about (the record, where the key names no person),
    ``place`` the record as it is compared: the same for all spellings of its key."""

    key: Mapping[str, Any]
    claimed: Mapping[str, Any]
    subject: str
    place: str
    persons: tuple[str, ...]
    record: str


class Verifications:
    def __init__(
        self,
        *,
        lakehouse: Lakehouse,
        publications: Published,
        budget: Budget,
        traces: Traces,
        disclosures: Pairs,
        notices: Notices,
        key: Callable[[], str],
    ) -> None:
        self._lakehouse = lakehouse
        self._publications = publications
        self._budget = budget
        self._traces = traces
        self._disclosures = disclosures
        self._notices = notices
        self._key = key

    def verify(
        self, asker: Asker, contract: Contract, access: Access, items: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, str]]:
        """The result of each claimed field, item by item; ``access`` is the asker's for the way "comparison".

        Raises BadRequest (what is wrong with the claims, without their values),
        NotPermitted (a person outside of the case), LimitExceeded (too few
        persons, budget), Guessing (told to provider and operator); Fault: then nothing is answered.
        """
        if access.gives != "rows":
            raise NotPermitted("此授权不含比对", "The access is for statistics only", resource=contract.id)
        found = self._typed(contract, access, items)
        self._bounds(asker, contract, access, found)
        self._spend(asker, contract, access, found)
        names = tuple(f.name for f in contract.fields if any(f.name in i.claimed for i in found))
        pairs = [(person, i.record) for i in found for person in i.persons or ("",)]
        trace = self._trace("compare", asker, contract, access, len(found), fields=names)
        self._traces.write(trace, self._disclosures.of_pairs(pairs))
        published = self._publications.get(contract.id)
        from huitong.verification.compare import compared

        by_name = {f.name: f for f in contract.fields}
        rows = [
            tuple({n: text_of(by_name[n], v) for n, v in part.items()} for part in (i.key, i.claimed))
            for i in found
        ]
        return compared(
            self._lakehouse,
            contract,
            access,
            published.current_snapshot if published else 0,
            rows,  # type: ignore[arg-type]
            subjects_key=self._key(),
        )

    def _typed(self, contract: Contract, access: Access, items: Sequence[Mapping[str, Any]]) -> list[_Item]:
        problems: list[Problem] = []
        if not 1 <= len(items) <= MOST_ITEMS:
            zh, en = f"每次 1 至 {MOST_ITEMS} 条", f"1 to {MOST_ITEMS} items at a time"
            problems.append(Problem("verification.items", zh, en))
        found = []
        for at, item in enumerate(items[:MOST_ITEMS]):
            keys = _values(
                contract, item["key"], {f.name for f in contract.keys}, f"items[{at}].key", problems
            )
            missing = [f.name for f in contract.keys if f.name not in item["key"]]
            for name in missing:
                problems.append(
                    _problem("key", f"items[{at}].key.{name}", "缺少主键项", "is a key and missing")
                )
            able = set(access.fields) - {f.name for f in contract.keys}
            claimed = _values(contract, item["claimed"], able, f"items[{at}].claimed", problems)
            if not item["claimed"]:
                problems.append(
                    _problem("claimed", f"items[{at}].claimed", "没有待比对的项", "holds nothing")
                )
            if not problems:
                found.append(self._item(contract, keys, claimed))
        if problems:
            raise BadRequest("比对请求有误", "The comparison is not valid", problems=problems[:50])
        return found

    def _item(self, contract: Contract, keys: Mapping[str, Any], claimed: Mapping[str, Any]) -> _Item:
        secret = self._key()
        keys = {f.name: one_form(f, keys[f.name]) for f in contract.keys}
        numbers = [str(keys[f.name]) for f in contract.subject_fields if f.name in keys]
        persons = tuple(blind(secret, "subject", subject_text(n)) for n in numbers)
        record = blind(secret, "record", record_text(contract, keys))
        plain = {name: v.lower() if isinstance(v, str) else v for name, v in keys.items()}
        place = blind(secret, "record", record_text(contract, plain))
        return _Item(keys, claimed, persons[0] if persons else place, place, persons, record)

    def _bounds(self, asker: Asker, contract: Contract, access: Access, items: Sequence[_Item]) -> None:
        """Single persons only inside a case, and only the case's; otherwise enough of them at once."""
        if access.owner:
            return
        if access.case_no:
            if any(set(i.persons) - access.subjects for i in items):
                self._traces.write(
                    self._trace("refuse", asker, contract, access, len(items), result="outside-case")
                )
                zh, en = "有人不属于本案", "Somebody is not a person of this case"
                refused = NotPermitted(zh, en, resource=contract.id, reason="outside-case")
                refused.on_record = True
                raise refused
            return
        fewest = self._budget.rules.fewest
        if contract.subject_fields and len({i.subject for i in items}) < fewest:
            zh, en = (
                f"案件之外每次至少比对 {fewest} 人",
                f"Outside of a case, at least {fewest} persons at once",
            )
            raise LimitExceeded(zh, en, limit="fewest")

    def _spend(self, asker: Asker, contract: Contract, access: Access, items: Sequence[_Item]) -> None:
        secret, day = self._key(), self._budget.day()
        by_name = {f.name: f for f in contract.fields}

        def digest(item: _Item, name: str) -> str:
            value = text_of(by_name[name], item.claimed[name])
            told = "\x1f".join((day, contract.id, item.subject, item.place, name, value.casefold()))
            return blind(secret, "record", told)[:16]

        uses = [Use(i.subject, {f"{i.place[:8]}.{n}": digest(i, n) for n in i.claimed}) for i in items]
        try:
            self._budget.spend(asker.unit, asker.principal.who, contract.id, uses)
        except Guessing as guessing:
            self._tell(asker, contract, access, guessing)
            raise

    def _tell(self, asker: Asker, contract: Contract, access: Access, guessing: Guessing) -> None:
        trace = self._trace("refuse", asker, contract, access, len(guessing.subjects), result=guessing.code)
        self._traces.write(trace, self._disclosures.of_pairs([(s, "") for s in guessing.subjects]))
        zh = f"{asker.unit} 对资源 {contract.id} 的比对疑似枚举试探,已拒绝"
        en = f"Comparisons of {contract.id} by {asker.unit} look like guessing and were refused"
        about = f"verification:{contract.id}"
        self._notices.send(
            *(
                Notice(to, "verification.enumeration", about, zh, en, must_acknowledge=True)
                for to in dict.fromkeys((contract.provider or OPERATOR, OPERATOR))
            )
        )

    def _trace(
        self,
        act: Any,
        asker: Asker,
        contract: Contract,
        access: Access,
        count: int,
        *,
        fields: tuple[str, ...] = (),
        result: str = "",
    ) -> Trace:
        return Trace(
            act,
            asker.principal.who,
            asker.unit,
            resource=contract.id,
            fields=fields,
            case_no=access.case_no,
            duty=access.duty,
            purpose=access.purpose,
            count=count,
            request=asker.request,
            path="comparison",
            grant=access.grant,
            detail="verification",
            result=result,
        )


def _values(
    contract: Contract, given: Mapping[str, Any], able: set[str], path: str, problems: list[Problem]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in given.items():
        field = contract.field_named(name)
        if field is None or name not in able:
            problems.append(_problem("field", f"{path}.{name[:80]}", "不可比对", "cannot be compared"))
            continue
        try:
            found[name] = typed(field, value)
        except ValueError:
            problems.append(_problem("value", f"{path}.{name}", "不是该项的值", "is no value of this field"))
    return found


def _problem(rule: str, path: str, zh: str, en: str) -> Problem:
    return Problem(f"verification.{rule}", f"{path}:{zh}", f"{path} {en}", {"path": path})
