"""Bulk corrections (L-50): applied for, approved by another, made by a designated person in another session,
checked again. The rows come as an ordinary upload that names the approval."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from huitong.audit.trace import Traces
from huitong.batches.register import Batches
from huitong.errors import Conflict, NotFound, NotPermitted
from huitong.identity.model import OPERATOR, Principal
from huitong.intake.uploads import Uploads
from huitong.ports import Clock, Register
from huitong.procedures.calendar import Calendar
from huitong.procedures.deciding import BY_CLOCK, Actor
from huitong.procedures.desk import Desk
from huitong.procedures.model import Record, Step
from huitong.tickets.procedures import BULK_CORRECTION

PREFIX: Final = BULK_CORRECTION.name


class BulkCorrections:
    def __init__(
        self,
        register: Register,
        traces: Traces,
        calendar: Calendar,
        clock: Clock,
        uploads: Callable[[], Uploads],
        batches: Batches,
        *,
        new_id: Callable[[], str],
    ) -> None:
        self.desk = Desk(BULK_CORRECTION, register, traces, calendar, clock)
        self._uploads = uploads
        self._batches = batches
        self._new_id = new_id

    def request(self, actor: Actor, resource: str, provider: str, given: Mapping[str, Any]) -> Record:
        """Raises NotPermitted for another than the source unit, BadRequest."""
        id = f"{PREFIX}-{self._new_id()}"
        parties, content = {"provider": provider or OPERATOR}, {"resource": resource}
        return self.desk.open(id, actor, parties=parties, content=content, given=given)

    def take(
        self, id: str, step: str, actor: Actor, given: Mapping[str, Any] | None = None, *, seen: int = 0
    ) -> Record:
        """Raises NotFound for who is no party. The approval keeps the session that it was given in."""
        self.get(id, actor)
        said = dict(given or {})
        said.pop("session", None)  # never what the asker says
        if step == "approve":
            said["session"] = session_of(actor.principal)
        return self.desk.take(id, step, actor, said, seen=seen)

    def get(self, id: str, actor: Actor) -> Record:
        record = self.desk.find(id)
        staff = actor.principal.has("admin", "officer") and actor.unit in ("", OPERATOR)
        if record is None or not (staff or actor.unit == record.parties["provider"]):
            raise NotFound(f"没有 {id}", f"There is no {id}", id=id)
        return record

    def of(self, actor: Actor) -> list[Record]:
        if actor.principal.has("admin", "officer") and actor.unit in ("", OPERATOR):
            return self.desk.in_state(limit=0)
        return self.desk.of_unit(actor.unit) if actor.unit else []

    def possible(self, record: Record, actor: Actor) -> list[Step]:
        return self.desk.possible(record, actor)

    def permit(self, id: str, principal: Principal, resource: str, upload: str = "") -> Record:
        """Whether this person may deliver rows under the approval now.

        ``upload``: a delivery that is repeated has its id from the first time. Raises NotFound, Conflict
        (not approved, or used already) and NotPermitted: another resource, another person than the
        designated one, or the session in which it was approved.
        """
        record = self.desk.get(id)
        approval, used = record.last("approve"), record.last("deliver")
        other = used is not None and used.given["upload"] != upload
        if record.state != "approved" or approval is None or other:
            raise Conflict(f"{id} 未获批准或已使用", f"{id} is not approved, or has been used", id=id)
        why = _objection(record, approval.given, principal, resource)
        if why:
            raise NotPermitted(*why, id=id)
        return record

    def delivering(self, id: str, principal: Principal, upload: str, *, seen: int) -> None:
        """Note which upload uses the approval, before its rows are taken. Raises Conflict when another
        was first."""
        given = {"upload": upload, "session": session_of(principal), "person": principal.who}
        self.desk.take(id, "deliver", BY_CLOCK, given, seen=seen)

    def published(self, resource: str) -> list[str]:
        """Approvals whose rows are published by now move on; their ids."""
        moved = []
        for record in self.desk.in_state("approved"):
            used = record.last("deliver")
            if record.content["resource"] != resource or used is None:
                continue
            upload = self._uploads().find(str(used.given["upload"]))
            stored = self._batches.find(upload.batch_id) if upload and upload.batch_id else None
            if stored is None or stored.batch.status != "published":
                continue
            counts = stored.batch.counts
            said = {
                "batch": stored.batch.id,
                "seq": stored.batch.seq,
                "updated": counts.updated,
                "inserted": counts.inserted,
                "deleted": counts.deleted,
            }
            self.desk.take(record.id, "change", BY_CLOCK, said)
            moved.append(record.id)
        return moved

    def tick(self) -> int:
        return len(self.desk.tick())


def session_of(principal: Principal) -> str:
    """The session of a person; a credential of a system is one session."""
    return principal.session or principal.id


def _objection(
    record: Record, approval: Mapping[str, Any], principal: Principal, resource: str
) -> tuple[str, str] | None:
    if record.content["resource"] != resource:
        return "批准的不是该资源", "The approval is for another resource"
    if principal.who != approval["designated"]:
        return "只有指定人员可交付批量更正", "Only the designated person delivers a bulk correction"
    if session_of(principal) == approval.get("session"):
        return "须在批准以外的会话中交付", "It is delivered in another session than that of the approval"
    return None
