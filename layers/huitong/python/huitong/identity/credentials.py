"""Opaque bearer tokens of units, systems and persons (S-01, S-06).

A token reads ``ht_<credential id>_<secret>``. The secret holds 256 random bits,
so the register keeps a plain SHA-256 of it: slow, salted functions protect
secrets that people choose and that can be guessed; 2**256 cannot, and a slow
function on every request would only cost.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import re
import secrets as random_source
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, Conflict, Fault, NotAuthenticated, NotFound
from huitong.identity.model import Principal
from huitong.identity.roles import ROLES, check_apart, check_desk
from huitong.ports import Clock, Item, Register, Secrets, timestamp

if TYPE_CHECKING:
    from huitong.identity.accounts import Accounts

LIFETIME = timedelta(days=365)
ADMIN = "admin"  # the one credential that bootstrap_admin makes and rotates

_TOKEN = re.compile(r"ht_([a-z0-9]{1,32})_([A-Za-z0-9_-]{43})")
_NOBODY = "0" * 64  # compared against when there is no such credential: same work, same answer


@dataclass(frozen=True, slots=True)
class Credential:
    """What may be shown of a credential: everything but its secret's digest."""

    id: str
    name: str
    unit: str
    roles: tuple[str, ...]
    acts_for: tuple[str, ...]
    created: str
    created_by: str
    expires_at: str
    disabled: bool
    owner: str = ""  # account of the person who answers for it
    signs: bool = False  # whether it has a key for signed requests
    last_used: str = ""  # to the day


class Credentials:
    """The register of credentials. What is only read needs neither ``traces`` nor ``secrets``."""

    def __init__(
        self,
        register: Register,
        clock: Clock,
        traces: Traces | None = None,
        secrets: Secrets | None = None,
    ) -> None:
        self._register = register
        self._clock = clock
        self._traces = traces or Traces(register, clock)
        self._secrets = secrets

    def authenticate(self, token: str, *, seen: bool = False) -> Principal:
        """Who holds the token. Raises NotAuthenticated, with one message whatever is wrong with it.

        ``seen`` keeps the day of last use (S-06), with one write a day.
        """
        shape = _TOKEN.fullmatch(token)
        item = self._register.get(f"CREDENTIAL#{shape[1]}", "CREDENTIAL") if shape else None
        kept = str(item.body["sha256"]) if item else _NOBODY
        same = hmac.compare_digest(_digest(shape[2] if shape else token), kept)
        if item is None or not same or not usable(item, self._clock.now()):
            raise NotAuthenticated("身份凭证无效或已过期", "The bearer token is not, or no longer, valid")
        if seen:
            self.seen(item)
        return principal_of(item)

    def seen(self, item: Item) -> None:
        """Note that a credential is in use, once a day."""
        today = timestamp(self._clock.now())[:10]
        if item.body.get("last_used", "") != today:
            with contextlib.suppress(Conflict):  # another request noted it, or the credential changed
                self._register.replace(item.with_body(last_used=today))

    def issue(
        self,
        name: str,
        unit: str,
        roles: Iterable[str],
        *,
        acts_for: Iterable[str] = (),
        expires_at: str = "",
        by: str | Principal,
        owner: str = "",
        accounts: Accounts | None = None,
    ) -> tuple[Credential, str]:
        """A new credential and its token, which is shown this once only.

        With an ``owner``, its roles count as the person's (``accounts`` is needed). Raises BadRequest,
        NotFound for an unknown owner, NotPermitted when roles must stay apart (S-07).
        """
        wanted = sorted(set(roles))
        wrong = [role for role in wanted if role not in ROLES]
        if wrong or not wanted:
            known = " ".join(sorted(ROLES))
            raise BadRequest(f"角色须取自:{known}", f"Roles must be some of: {known}", roles=wanted)
        check_apart(wanted)
        check_desk(wanted, unit)
        giver = by if isinstance(by, Principal) else Principal(by, "", frozenset())
        now = self._clock.now()
        end = _moment(expires_at) if expires_at else timestamp(now + LIFETIME)
        credential = Credential(
            id=random_source.token_hex(5),
            name=name,
            unit=unit,
            roles=tuple(wanted),
            acts_for=tuple(acts_for),
            created=timestamp(now),
            created_by=giver.who,
            expires_at=end,
            disabled=False,
            owner=owner,
        )
        item, token = _sealed(credential)
        replaces = []
        if owner and accounts is not None:
            replaces = [accounts.with_credential(owner, credential.id, wanted, by=giver)]
        self._traces.commit(_trace(credential, "issue", giver), creates=[item], replaces=replaces)
        return credential, token

    def signing_key(self, id: str, *, by: Principal) -> tuple[Credential, str]:
        """A new key for signed requests, shown this once; the one before ends. Raises NotFound, Conflict."""
        item = self._stored(id)
        if self._secrets is None:
            raise Fault("未配置密钥服务", "No service for keys is configured")
        key = random_source.token_urlsafe(32)
        sealed = self._secrets.seal(key, f"credential:{id}")
        changed = item.with_body(signs=True, sealed=sealed)
        self._traces.commit(_trace(_shown(item), "signing-key", by), replaces=[changed])
        return _shown(changed), key

    def disable(self, id: str, *, by: Principal | None = None) -> Credential:
        """End a credential at once; it stays on the list. Raises NotFound, Conflict."""
        item = self._stored(id)
        changed = item.with_body(disabled=True)
        giver = by or Principal("-", "", frozenset())
        self._traces.commit(_trace(_shown(item), "disable", giver), replaces=[changed])
        return _shown(changed)

    def get(self, id: str) -> Credential:
        """Raises NotFound."""
        return _shown(self._stored(id))

    def list(self, unit: str = "") -> list[Credential]:
        """All credentials, or those of one unit, by id."""
        shown = [_shown(item) for item in self._register.query_index("index1", "CREDENTIALS")]
        return [c for c in shown if not unit or c.unit == unit]

    def disable_unused(self, days: int) -> Sequence[str]:
        """End the credentials that nobody used for so long (S-06); their ids. The first administrator's
        stays: it is the way back in, and each installation makes it anew."""
        before = timestamp(self._clock.now() - timedelta(days=days))[:10]
        unused = [
            c.id
            for c in self.list()
            if not c.disabled and c.id != ADMIN and max(c.last_used, c.created[:10]) < before
        ]
        for id in unused:
            self.disable(id, by=Principal("schedule", "", frozenset()))
        return unused

    def _stored(self, id: str) -> Item:
        item = self._register.get(f"CREDENTIAL#{id}", "CREDENTIAL")
        if item is None:
            raise NotFound(f"没有凭证 {id}", f"There is no credential {id}", credential=id)
        return item


def usable(item: Item, now: datetime) -> bool:
    """Whether a credential's entry is neither disabled nor over."""
    return not item.body["disabled"] and str(item.body["expires_at"]) > timestamp(now)


def principal_of(item: Item) -> Principal:
    """Whom a credential's entry stands for."""
    body = item.body
    return Principal(
        body["id"],
        body["unit"],
        frozenset(body["roles"]),
        tuple(body["acts_for"]),
        person=body.get("owner", ""),
    )


def authenticate(token: str, register: Register, clock: Clock) -> Principal:
    """See :meth:`Credentials.authenticate`."""
    return Credentials(register, clock).authenticate(token)


def bootstrap_admin(register: Register, clock: Clock) -> str:
    """A token of the first administrator, who may act for any unit.

    Called by whoever installs the platform. Each call makes a new secret and
    ends the one before, so at most one such token works (S-06).
    """
    now = clock.now()
    credential = Credential(
        id=ADMIN,
        name="平台管理员 Administrator",
        unit="",
        roles=("admin",),
        acts_for=("*",),
        created=timestamp(now),
        created_by="installation",
        expires_at=timestamp(now + LIFETIME),
        disabled=False,
    )
    item, token = _sealed(credential)
    stored = register.get(item.pk, item.sk)
    if stored is None:
        register.create(item)
    else:
        register.replace(replace(item, version=stored.version))
    return token


def _sealed(credential: Credential) -> tuple[Item, str]:
    secret = random_source.token_urlsafe(32)
    body: dict[str, Any] = {
        "id": credential.id,
        "name": credential.name,
        "unit": credential.unit,
        "roles": list(credential.roles),
        "acts_for": list(credential.acts_for),
        "created": credential.created,
        "created_by": credential.created_by,
        "expires_at": credential.expires_at,
        "disabled": credential.disabled,
        "owner": credential.owner,
        "signs": credential.signs,
        "last_used": credential.last_used,
        "sha256": _digest(secret),
    }
    pk = f"CREDENTIAL#{credential.id}"
    item = Item(pk, "CREDENTIAL", body, index1=("CREDENTIALS", credential.id))
    return item, f"ht_{credential.id}_{secret}"


def _shown(item: Item) -> Credential:
    body = {k: v for k, v in item.body.items() if k not in ("sha256", "sealed")}
    return Credential(**{**body, "roles": tuple(body["roles"]), "acts_for": tuple(body["acts_for"])})


def _trace(credential: Credential, step: str, by: Principal) -> Trace:
    roles = tuple(sorted(credential.roles))
    return Trace(
        act="rights", actor=by.who, unit=by.unit, fields=roles, detail=f"credential:{credential.id}:{step}"
    )


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{text} 不是时间", f"{text} is not a moment", expires_at=text) from error
    return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
