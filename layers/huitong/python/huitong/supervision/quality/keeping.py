"""Scores and statistics of each month, kept and published once a day (C-08, C-10, C-16). Light.

Keys: ``SCORES#{month}`` / ``UNIT#{code}``, ``RESOURCE#{id}``; ``SCORES-RUN`` / day says that the day's run is
through; ``SCORES-SENT`` / ``{table}#{month}`` is the digest of the rows that were last sent.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from huitong.contracts.registry import Contracts
from huitong.errors import Conflict
from huitong.identity.model import OPERATOR
from huitong.ports import Clock, Item, Register
from huitong.procedures.calendar import china_day
from huitong.supervision.quality.alerts import ScoreAlerts
from huitong.supervision.quality.monthly import Month, Monthly, month_before, shown
from huitong.supervision.quality.statistics import Statistics
from huitong.supervision.quality.tables import SCORES, STATISTICS, documents, score_rows, statistics_rows

_CHUNK: Final = 5_000
#: The month before may still change in these days: deliveries that were held, dues of its last day.
_STILL: Final = 5
#: Puts rows of a resource of the operator's into the ordinary flow: (resource, rows, idempotency key).
Put = Callable[[str, Sequence[Mapping[str, Any]], str], object]


class Keeping:
    """``put`` None: nothing is published (there is no landing bucket here), only kept."""

    def __init__(
        self,
        register: Register,
        contracts: Contracts,
        monthly: Monthly,
        statistics: Statistics,
        alerts: ScoreAlerts,
        clock: Clock,
        put: Put | None = None,
    ) -> None:
        self._register = register
        self._contracts = contracts
        self._monthly = monthly
        self._statistics = statistics
        self._alerts = alerts
        self._clock = clock
        self._put = put

    def tick(self) -> dict[str, Any]:
        """For the clock: once a day, this month, and the one before while it may still change."""
        today = china_day(self._clock.now())
        if self._register.get("SCORES-RUN", today.isoformat()) is not None:
            return {"months": []}
        name = today.isoformat()[:7]
        months = [month_before(name), name] if today.day <= _STILL else [name]
        for month in months:
            self.keep(month)
        expires = int((self._clock.now() + timedelta(days=3)).timestamp())
        with suppress(Conflict):
            self._register.create(Item("SCORES-RUN", today.isoformat(), {}, expires=expires))
        return {"months": months}

    def keep(self, name: str) -> Month:
        """Compute a month, keep and publish it, tell of alerts. Safe to repeat. Raises BadRequest."""
        month = self._monthly.of(name)
        former = self.kept(month_before(name))
        for unit, whole in month.units().items():
            values = shown(whole)
            self._store(name, f"UNIT#{unit}", {"unit": unit, **values})
            self._alerts.look(name, "unit", unit, unit, values, former.get(f"UNIT#{unit}", {}))
        for id, one in month.resources.items():
            if not (one.measured.batches or one.dues):
                continue
            values = shown(one.measured)
            unit = one.contract.provider
            self._store(name, f"RESOURCE#{id}", {"unit": unit, "resource": id, **values})
            self._alerts.look(name, "resource", id, unit, values, former.get(f"RESOURCE#{id}", {}))
        if self._put is not None:
            self._publish(SCORES, name, score_rows(month))
            self._publish(STATISTICS, name, statistics_rows(self._statistics.of(name)))
        return month

    def kept(self, month: str) -> dict[str, Mapping[str, Any]]:
        """What is kept of a month, by ``UNIT#…`` and ``RESOURCE#…``; empty when it was not computed."""
        return {item.sk: item.body for item in self._register.query(f"SCORES#{month}")}

    def _store(self, month: str, sk: str, body: Mapping[str, Any]) -> None:
        stored = self._register.get(f"SCORES#{month}", sk)
        with suppress(Conflict):  # another run keeps the same at this moment
            if stored is None:
                self._register.create(Item(f"SCORES#{month}", sk, body))
            elif stored.body != body:
                self._register.replace(replace(stored, body=body))

    def _publish(self, table: str, month: str, rows: Sequence[Mapping[str, Any]]) -> None:
        """Rows through the ordinary flow, if they are not what was sent last."""
        digest = hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()
        sent = self._register.get("SCORES-SENT", f"{table}#{month}")
        if not rows or self._put is None or (sent is not None and sent.body["digest"] == digest):
            return
        if self._contracts.find(table) is None:
            self._contracts.put(documents()[table], by="platform", provider=OPERATOR)
        today = china_day(self._clock.now()).isoformat()
        for start in range(0, len(rows), _CHUNK):
            dated = [{**row, "as_of": today} for row in rows[start : start + _CHUNK]]
            self._put(table, dated, f"{table}-{month}-{today}-{start}-{digest[:24]}")
        item = Item("SCORES-SENT", f"{table}#{month}", {"digest": digest}, sent.version if sent else 0)
        with suppress(Conflict):
            self._register.write(creates=[] if sent else [item], replaces=[item] if sent else [])
