"""What the clock does for agreements: reminders before they end, and the end itself.

One pass reads the agreements in force (some hundreds) by one index query; it is
for the daily job. A reminder is kept by a marker written with its notices, so
that a second run tells nobody twice.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from huitong.errors import Conflict
from huitong.notices.notices import Notice, entry_of
from huitong.ports import Clock, Item, Register, timestamp
from huitong.procedures.calendar import china_day
from huitong.procedures.deciding import BY_CLOCK
from huitong.procedures.model import Record
from huitong.standing.desks import Standing

#: Calendar days before the end on which both sides are told.
REMINDERS: Final = (30, 7)


class Expiry:
    def __init__(self, standing: Standing, register: Register, clock: Clock) -> None:
        self._standing = standing
        self._register = register
        self._clock = clock

    def run(self) -> dict[str, int]:
        """What somebody else moves meanwhile is left for the next run."""
        today, desk = china_day(self._clock.now()), self._standing.desks["agreement"]
        signed = desk.in_state("signed", limit=0)
        replaced = {str(a.content.get("replaces", "")) for a in signed}
        reminded = expired = superseded = 0
        for agreement in signed:
            try:
                if str(agreement.content["ends"]) < today.isoformat():
                    desk.take(agreement.id, "expire", BY_CLOCK)
                    expired += 1
                elif agreement.id in replaced:  # its successor was signed, then the platform was interrupted
                    desk.take(agreement.id, "supersede", BY_CLOCK)
                    superseded += 1
                else:
                    reminded += self._remind(agreement, today)
            except Conflict:
                continue
        return {"reminded": reminded, "expired": expired, "superseded": superseded}

    def _remind(self, agreement: Record, today: date) -> bool:
        ends = date.fromisoformat(str(agreement.content["ends"]))
        due = [days for days in REMINDERS if ends - timedelta(days=days) <= today]
        if not due:
            return False
        now = timestamp(self._clock.now())
        told = [
            Notice(
                unit,
                "agreement.ending",
                f"agreement:{agreement.id}",
                f"协议 {agreement.id} 将于 {ends} 到期,请续签或终止相关共享",
                f"Agreement {agreement.id} ends on {ends}: renew it, or end what rests on it",
                due=ends.isoformat(),
            )
            for unit in sorted({agreement.parties["first"], agreement.parties["second"]})
        ]
        marker = Item(f"AGREEMENT-REMINDED#{agreement.id}", f"{min(due):03}", {"at": now})
        self._register.write(creates=[marker, *(entry_of(n, now) for n in told)])
        return True
