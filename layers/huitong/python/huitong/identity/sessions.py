"""Sessions: short-lived opaque tokens of people who signed in and of systems (S-02, S-10, C-18).

A token reads ``hs_<session id>_<secret>``; the register keeps the secret's
digest. Each request reads the session and its holder, so a session ends with
the first request after its holder was disabled or lost a right. The moment of
last use is written at most once a minute.

Register keys: ``SESSION#{id}`` / ``SESSION`` (``index1`` = (``SESSIONS``, last
use), ``index2`` = (``SESSIONS#{holder}``, id)).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Literal

from huitong.audit.trace import Trace, Traces
from huitong.errors import Conflict, NotAuthenticated, NotFound
from huitong.identity.credentials import principal_of, usable
from huitong.identity.model import Principal
from huitong.ports import Clock, Item, Register, timestamp

if TYPE_CHECKING:
    from huitong.identity.accounts import Account

Kind = Literal["person", "system"]
IDLE: Final = timedelta(minutes=15)
ABSOLUTE: Final = timedelta(hours=8)
_SEEN_EVERY: Final = timedelta(minutes=1)
_TOKEN: Final = re.compile(r"hs_([0-9a-f]{24})_([A-Za-z0-9_-]{43})")
_NOBODY: Final = "0" * 64
_KEPT: Final = 86_400


@dataclass(frozen=True, slots=True)
class Session:
    """``epoch`` is the account's when the session began; ``idle`` is 0 for systems, which have no pauses."""

    id: str
    kind: Kind
    holder: str  # account or credential
    unit: str
    epoch: int
    created: str
    last_seen: str
    ends_at: str
    idle: int  # seconds without a request after which it is over
    source: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def over(self, now: datetime) -> bool:
        return self.ends_at <= timestamp(now) or self.idled(now)

    def idled(self, now: datetime) -> bool:
        return bool(self.idle) and self.last_seen <= timestamp(now - timedelta(seconds=self.idle))


class Sessions:
    def __init__(
        self,
        register: Register,
        traces: Traces,
        clock: Clock,
        *,
        idle: timedelta = IDLE,
        absolute: timedelta = ABSOLUTE,
    ) -> None:
        self._register = register
        self._traces = traces
        self._clock = clock
        self._idle = idle
        self._absolute = absolute

    def open_person(
        self, account: Account, *, source: str, replaces: Sequence[Item] = ()
    ) -> tuple[Session, str]:
        """A session of somebody who has proven both factors, with ``replaces`` in the same write: when the
        account was changed meanwhile, there is no session. Raises Conflict."""
        now = self._clock.now()
        session = Session(
            id=secrets.token_hex(12),
            kind="person",
            holder=account.id,
            unit=account.unit,
            epoch=account.epoch,
            created=timestamp(now),
            last_seen=timestamp(now),
            ends_at=timestamp(now + self._absolute),
            idle=int(self._idle.total_seconds()),
            source=source,
        )
        return session, self._open(session, account.id, replaces)

    def open_system(self, principal: Principal, *, minutes: int, source: str) -> tuple[Session, str]:
        """A session of a credential, for so many minutes and no longer than the credential lasts."""
        now = self._clock.now()
        session = Session(
            id=secrets.token_hex(12),
            kind="system",
            holder=principal.id,
            unit=principal.unit,
            epoch=0,
            created=timestamp(now),
            last_seen=timestamp(now),
            ends_at=timestamp(now + timedelta(minutes=minutes)),
            idle=0,
            source=source,
        )
        return session, self._open(session, principal.who, ())

    def authenticate(self, token: str, *, seen: bool = True) -> Principal:
        """Who holds the session, with the roles in force now. Raises NotAuthenticated, with one message.

        ``seen`` moves the idle end on; the gateway's authorizer only looks.
        """
        shape = _TOKEN.fullmatch(token)
        item = self._register.get(f"SESSION#{shape[1]}", "SESSION") if shape else None
        kept = str(item.body["sha256"]) if item else _NOBODY
        same = hmac.compare_digest(_digest(shape[2] if shape else token), kept)
        if item is None or not same:
            raise _refused()
        session = _session(item.body)
        if session.over(self._clock.now()):
            raise _refused()
        principal = self._holder(session)
        if principal is None:
            raise _refused()
        if seen:
            self._seen(item, session)
        return replace(principal, session=session.id)

    def of(self, holder: str) -> list[Session]:
        """The sessions of a person or credential that are not over."""
        now = self._clock.now()
        items = self._register.query_index("index2", f"SESSIONS#{holder}")
        found = (_session(item.body) for item in items)
        return [s for s in found if not s.over(now) and self._holder(s) is not None]

    def end(self, id: str, *, by: Principal, holder: str = "") -> Session:
        """Sign out: over at once. With ``holder``, only a session of that one. Raises NotFound."""
        item = self._register.get(f"SESSION#{id}", "SESSION")
        if item is None or (holder and item.body["holder"] != holder):
            raise NotFound(f"没有会话 {id}", f"There is no session {id}", session=id)
        session = _session(item.body)
        trace = Trace(act="login", actor=by.who, unit=by.unit, detail=f"sign-out:{id}")
        self._traces.commit(trace, deletes=[(item.pk, item.sk)])
        return session

    def sweep(self, most: int = 500) -> int:
        """Remove sessions that are over, with a record of each (S-02). How many there were."""
        now = self._clock.now()
        quiet = timestamp(now - min(self._idle, timedelta(minutes=5)))
        removed = 0
        for listed in self._register.query_index("index1", "SESSIONS", high=quiet, limit=most):
            item = self._register.get(listed.pk, listed.sk)
            if item is None or not _session(item.body).over(now):
                continue
            session = _session(item.body)
            why = "idle" if session.idled(now) else "over"
            trace = Trace(act="login", actor=session.holder, unit=session.unit, detail=f"{why}:{session.id}")
            self._traces.commit(trace, deletes=[(item.pk, item.sk)])
            removed += 1
        return removed

    def _holder(self, session: Session) -> Principal | None:
        """The holder as it is now; None when it is disabled or its rights were changed since."""
        if session.kind == "system":
            item = self._register.get(f"CREDENTIAL#{session.holder}", "CREDENTIAL")
            good = item is not None and usable(item, self._clock.now())
            # made with a secret that was replaced since (the first administrator's): over with that secret
            good = good and item is not None and str(item.body["created"]) <= session.created
            return principal_of(item) if item is not None and good else None
        item = self._register.get(f"ACCOUNT#{session.holder}", "ACCOUNT")
        if item is None or item.body["state"] != "active" or item.body["epoch"] != session.epoch:
            return None
        from huitong.identity.roles import RoleGrant, in_force

        roles = in_force((RoleGrant.from_dict(r) for r in item.body["roles"]), timestamp(self._clock.now()))
        return Principal(
            session.holder, item.body["unit"], roles, tuple(item.body["acts_for"]), person=session.holder
        )

    def _seen(self, item: Item, session: Session) -> None:
        now = self._clock.now()
        if session.last_seen > timestamp(now - _SEEN_EVERY):
            return
        try:
            self._register.replace(
                _item(replace(session, last_seen=timestamp(now)), item.body["sha256"], item)
            )
        except Conflict:
            return  # another request of the session said so, or it was ended

    def _open(self, session: Session, actor: str, replaces: Sequence[Item]) -> str:
        secret = secrets.token_urlsafe(32)
        trace = Trace(
            act="login",
            actor=actor,
            unit=session.unit,
            detail=f"{session.kind}:{session.id}",
            source=session.source,
        )
        self._traces.commit(trace, creates=[_item(session, _digest(secret))], replaces=replaces)
        return f"hs_{session.id}_{secret}"


def _item(session: Session, sha256: str, stored: Item | None = None) -> Item:
    ends = datetime.fromisoformat(session.ends_at)
    return Item(
        f"SESSION#{session.id}",
        "SESSION",
        {**session.as_dict(), "sha256": sha256},
        stored.version if stored else 0,
        index1=("SESSIONS", session.last_seen),
        index2=(f"SESSIONS#{session.holder}", session.id),
        expires=int(ends.timestamp()) + _KEPT,
    )


def _session(body: Mapping[str, Any]) -> Session:
    return Session(**{k: v for k, v in body.items() if k != "sha256"})


def _refused() -> NotAuthenticated:
    return NotAuthenticated("身份凭证无效或已过期", "The bearer token is not, or no longer, valid")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
