"""What publication and withdrawal of an entry bring with them, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from hashlib import sha256
from typing import Final

from huitong.catalog.conformance import Known, errors
from huitong.catalog.difference import changes
from huitong.catalog.documents import document
from huitong.catalog.model import Entry
from huitong.catalog.published import Consent, Published, Shelf
from huitong.catalog.sources import Sources, collected
from huitong.errors import BadRequest, Conflict, NotPermitted, Problem
from huitong.identity.model import OPERATOR
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.calendar import china_day
from huitong.procedures.desk import Effects
from huitong.procedures.model import Record

#: More units than these are told after the transaction, from what it leaves (:meth:`Publishing.tell`).
_TOLD_AT_ONCE: Final = 30
_TO_TELL: Final = "CATALOG-TO-TELL"


class Publishing:
    def __init__(
        self,
        register: Register,
        shelf: Shelf,
        sources: Sources,
        clock: Clock,
        known: Callable[[str], Known],
        users: Callable[[str], Collection[str]],
        gate: Callable[[str, str], None],
    ) -> None:
        self._register, self._shelf, self._sources = register, shelf, sources
        self._clock, self._known, self._users, self._gate = clock, known, users, gate

    def publish(self, before: Record, after: Record) -> Effects:
        """Raises BadRequest with every rule, gate and consent that is missing."""
        resource, now = str(after.content["resource"]), self._clock.now()
        known, earlier = self._known(resource), self._shelf.current(resource)
        entry = self._stamped(Entry.from_dict(after.content["entry"]), known)
        problems = [one.as_problem() for one in errors(entry, known)]
        problems += _unconfirmed(entry, before) + self._barred(entry)
        if problems:
            count = len(problems)
            zh, en = f"不能发布:有 {count} 处问题", f"It cannot be published: {count} problem(s)"
            raise BadRequest(zh, en, problems=problems, resource=resource)
        contract = known.contract
        assert contract is not None  # noqa: S101 (Q-18 is among the errors)
        fields = collected(entry, contract, known.elements)
        creates, replaces = self._sources.claims(resource, fields, entry.exceptions)
        step = after.history[-1]
        one = Published(
            entry,
            timestamp(now),
            step.by,
            reviewed_by=_by(after, "review"),
            consents=_consents(after, entry),
            supervisor=after.parties["supervisor"],
        )
        shelved, moved = self._shelf.put(one)
        told, later = self._told(entry, self._changed(earlier, entry, known), one.at)
        return Effects(
            creates=[*creates, *shelved, *later],
            replaces=[*replaces, *moved],
            notices=told,
            content={**after.content, "entry": entry.as_dict()},
        )

    def withdraw(self, after: Record) -> Effects:
        resource, now = str(after.content["resource"]), timestamp(self._clock.now())
        entry = Entry.from_dict(after.content["entry"])
        _, replaces = self._sources.claims(resource, {}, {})
        creates, deletes = self._shelf.take_away(resource, now)
        told, later = self._told(entry, ("撤销", "withdrawn"), now)
        return Effects(creates=[*creates, *later], replaces=replaces, deletes=deletes, notices=told)

    def left(self, after: Record) -> Effects:
        """A revision is given up, or a draft that never was published. Raises Conflict if it is the other."""
        current = self._shelf.current(str(after.content["resource"]))
        if (after.history[-1].step == "discard") != (current is not None):
            step = "discard" if current else "drop"
            raise Conflict(
                f"此条目{'已' if current else '未'}发布,请办理 {step}",
                f"The entry is {'' if current else 'not '}published: take step {step}",
                possible=[step],
            )
        if current is None:
            return Effects()
        return Effects(content={**after.content, "entry": current.entry.as_dict()})

    def tell(self) -> int:
        """Notices that did not fit into their transaction; each once, also when this is run again."""
        sent = 0
        for item in self._register.query(_TO_TELL):
            for unit in item.body["units"]:
                notice = Notice(**{**item.body["notice"], "to": unit, "id": _id(item.sk, unit)})
                try:
                    self._register.create(entry_of(notice, item.body["at"]))
                    sent += 1
                except Conflict:
                    continue  # told before this was interrupted
            self._register.write(deletes=[(item.pk, item.sk)])
        return sent

    def _stamped(self, entry: Entry, known: Known) -> Entry:
        today = china_day(self._clock.now()).isoformat()
        contract = known.contract
        return entry.stamped(
            issued=entry.issued or today,
            metadata_updated=today,
            edition=self._shelf.count(entry.resource) + 1,
            contract_version=contract.version if contract else 0,
            provider=(contract.provider or OPERATOR) if contract else entry.provider,
        )

    def _barred(self, entry: Entry) -> list[Problem]:
        """Q-02: nothing is shared before an agreement with its source unit is recorded."""
        if entry.share_type == "3":
            return []
        try:
            self._gate(entry.resource, entry.provider)
        except NotPermitted as refusal:
            return list(refusal.problems) or [Problem("Q-02", refusal.zh, refusal.en)]
        return []

    def _changed(self, earlier: Published | None, entry: Entry, known: Known) -> tuple[str, str]:
        if earlier is None:
            return "首次发布", "published for the first time"
        old = document(earlier.entry, known.contract, known.elements)
        new = document(entry, known.contract, known.elements)
        names = {c.path[0] for c in changes(old, new)} - {"edition", "metadata_updated"}
        if earlier.entry.contract_version != entry.contract_version:
            names |= {"items"}
        listed = ", ".join(sorted(names)) or "-"
        return f"变更:{listed}", f"changed: {listed}"

    def _told(self, entry: Entry, what: tuple[str, str], at: str) -> tuple[list[Notice], list[Item]]:
        """L-10: those who use the resource are told of a published change."""
        units = sorted({u for u in self._users(entry.resource) if u and u != entry.provider})

        def notice(unit: str) -> Notice:
            return Notice(
                to=unit,
                kind="entry.changed",
                about=f"entry:{entry.resource}",
                zh=f"目录条目 {entry.title}({entry.resource})第 {entry.edition} 版:{what[0]}",
                en=f"Catalogue entry {entry.resource}, edition {entry.edition}: {what[1]}",
            )

        now, rest = units[:_TOLD_AT_ONCE], units[_TOLD_AT_ONCE:]
        if not rest:
            return [notice(u) for u in now], []
        blank = {k: v for k, v in notice("").as_dict().items() if k not in ("to", "id", "at")}
        place = f"{at}#{entry.resource}#{entry.edition}#{what[1]}"
        later = Item(_TO_TELL, place, {"units": rest, "notice": blank, "at": at})
        return [notice(u) for u in now], [later]


def _unconfirmed(entry: Entry, before: Record) -> list[Problem]:
    """L-02: the supervising unit confirms the basis of what is not shared."""
    if entry.share_type != "3" or before.state == "confirmed":
        return []
    zh, en = "监督单位尚未确认不予共享的依据", "The supervising unit has not confirmed the legal basis"
    return [Problem("L-02", zh, en, {"path": "legal_basis"})]


def _by(record: Record, step: str) -> str:
    taken = record.last(step)
    return taken.by if taken else ""


def _consents(record: Record, entry: Entry) -> Mapping[str, Consent]:
    steps = {"source": "agree", "department": "consent"}
    if entry.share_type == "3":
        steps["supervisor"] = "confirm"
    found = {}
    for party, step in steps.items():
        taken = record.last(step)
        if taken is not None:
            found[party] = Consent(taken.unit, taken.by, taken.at, str(taken.given.get("document", "")))
    return found


def _id(place: str, unit: str) -> str:
    return sha256(f"{place}#{unit}".encode()).hexdigest()[:32]
