"""Opaque bearer tokens of units, systems and persons (S-01, S-06).

A token reads ``ht_<credential id>_<secret>``. The secret holds 256 random bits,
so the register keeps a plain SHA-256 of it: slow, salted functions protect
secrets that people choose and that can be guessed; 2**256 cannot, and a slow
function on every request would only cost.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

from huitong.errors import BadRequest, NotAuthenticated, NotFound
from huitong.identity.model import Principal, Role
from huitong.ports import Clock, Item, Register, timestamp

ROLES: frozenset[str] = frozenset(get_args(Role))
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


class Credentials:
    """The register of credentials."""

    def __init__(self, register: Register, clock: Clock) -> None:
        self._register = register
        self._clock = clock

    def authenticate(self, token: str) -> Principal:
        """Who holds the token. Raises NotAuthenticated, with one message whatever is wrong with it."""
        shape = _TOKEN.fullmatch(token)
        item = self._register.get(f"CREDENTIAL#{shape[1]}", "CREDENTIAL") if shape else None
        kept = str(item.body["sha256"]) if item else _NOBODY
        same = hmac.compare_digest(_digest(shape[2] if shape else token), kept)
        if item is None or not same or not self._usable(item):
            raise NotAuthenticated("身份凭证无效或已过期", "The bearer token is not, or no longer, valid")
        body = item.body
        return Principal(body["id"], body["unit"], frozenset(body["roles"]), tuple(body["acts_for"]))

    def issue(
        self,
        name: str,
        unit: str,
        roles: Iterable[str],
        *,
        acts_for: Iterable[str] = (),
        expires_at: str = "",
        by: str,
    ) -> tuple[Credential, str]:
        """A new credential and its token, which is shown this once only. Raises BadRequest."""
        wanted = sorted(set(roles))
        wrong = [role for role in wanted if role not in ROLES]
        if wrong or not wanted:
            known = " ".join(sorted(ROLES))
            raise BadRequest(f"角色须取自:{known}", f"Roles must be some of: {known}", roles=wanted)
        now = self._clock.now()
        end = _moment(expires_at) if expires_at else timestamp(now + LIFETIME)
        credential = Credential(
            id=secrets.token_hex(5),
            name=name,
            unit=unit,
            roles=tuple(wanted),
            acts_for=tuple(acts_for),
            created=timestamp(now),
            created_by=by,
            expires_at=end,
            disabled=False,
        )
        item, token = _sealed(credential)
        self._register.create(item)
        return credential, token

    def disable(self, id: str) -> Credential:
        """End a credential at once; it stays on the list. Raises NotFound."""
        item = self._register.get(f"CREDENTIAL#{id}", "CREDENTIAL")
        if item is None:
            raise NotFound(f"没有凭证 {id}", f"There is no credential {id}", credential=id)
        return _shown(self._register.replace(item.with_body(disabled=True)))

    def list(self, unit: str = "") -> list[Credential]:
        """All credentials, or those of one unit, by id."""
        shown = [_shown(item) for item in self._register.query_index("index1", "CREDENTIALS")]
        return [c for c in shown if not unit or c.unit == unit]

    def _usable(self, item: Item) -> bool:
        return not item.body["disabled"] and str(item.body["expires_at"]) > timestamp(self._clock.now())


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
    secret = secrets.token_urlsafe(32)
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
        "sha256": _digest(secret),
    }
    pk = f"CREDENTIAL#{credential.id}"
    item = Item(pk, "CREDENTIAL", body, index1=("CREDENTIALS", credential.id))
    return item, f"ht_{credential.id}_{secret}"


def _shown(item: Item) -> Credential:
    body = {k: v for k, v in item.body.items() if k != "sha256"}
    return Credential(**{**body, "roles": tuple(body["roles"]), "acts_for": tuple(body["acts_for"])})


def _moment(text: str) -> str:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadRequest(f"{text} 不是时间", f"{text} is not a moment", expires_at=text) from error
    return timestamp(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
