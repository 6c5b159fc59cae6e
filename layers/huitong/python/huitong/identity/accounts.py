"""Accounts of people: who they are, which roles they have and until when (S-01, S-06, S-07, S-10, X-15).

Register keys: ``ACCOUNT#{id}`` / ``ACCOUNT`` (``index1`` = (``ACCOUNTS``, login),
``index2`` = (``ACCOUNTS#{unit}``, id)); ``LOGIN#{login}`` / ``LOGIN`` makes a
login name one person's. Every change of an account is one conditional write
with its evidence, and raises ``epoch``: sessions of an earlier epoch have ended.
Passwords and second factors are the identity provider's.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import timedelta
from typing import Any, Final, Literal, Self

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, Conflict, NotFound, NotPermitted
from huitong.identity.attempts import Attempts
from huitong.identity.model import Principal, Role
from huitong.identity.posts import Posts
from huitong.identity.provider import IdentityProvider, temporary_password
from huitong.identity.roles import APART, RoleGrant, check_apart, check_desk, in_force
from huitong.ports import Clock, Item, Register, timestamp

UNUSED_DAYS: Final = 90
#: Roles in which a system works on when the person who answers for it has left.
SYSTEMS: Final = frozenset({"source", "consumer"})
_LOGIN: Final = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
_BY_CLOCK: Final = Principal("schedule", "", frozenset())


@dataclass(frozen=True, slots=True)
class Account:
    """``credentials`` maps each credential that the person answers for to its roles, so that the separation
    of roles is decided on one entry, whichever of them changes."""

    id: str
    login: str
    name: str
    unit: str
    roles: tuple[RoleGrant, ...]
    acts_for: tuple[str, ...] = ()
    post: str = ""
    contact: str = ""
    state: Literal["active", "disabled"] = "active"
    reason: str = ""
    created: str = ""
    created_by: str = ""
    last_used: str = ""
    password_set: str = ""  # empty until the person has chosen one
    epoch: int = 1
    credentials: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def roles_at(self, at: str) -> frozenset[Role]:
        return in_force(self.roles, at) if self.state == "active" else frozenset()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(
            **{
                **body,
                "roles": tuple(RoleGrant.from_dict(r) for r in body["roles"]),
                "acts_for": tuple(body["acts_for"]),
                "credentials": {id: tuple(roles) for id, roles in body["credentials"].items()},
            }
        )


class Accounts:
    def __init__(
        self,
        register: Register,
        traces: Traces,
        provider: IdentityProvider,
        attempts: Attempts,
        clock: Clock,
    ) -> None:
        self._register = register
        self._traces = traces
        self._provider = provider
        self._attempts = attempts
        self._clock = clock
        self._posts = Posts(register, traces)

    def create(
        self,
        login: str,
        name: str,
        unit: str,
        roles: Sequence[RoleGrant],
        *,
        post: str = "",
        contact: str = "",
        acts_for: Iterable[str] = (),
        by: Principal,
    ) -> tuple[Account, str]:
        """A new account, and the temporary password that its owner changes at the first sign-in.

        Raises BadRequest, NotPermitted when roles must stay apart, Conflict when
        the login is somebody's (S-01). When the provider fails the account stands
        and :meth:`reset` gives a password.
        """
        if not _LOGIN.fullmatch(login):
            raise BadRequest(
                "登录名须为 3 至 64 个小写字母、数字或 . _ -",
                "A login is 3 to 64 of a-z, 0-9, dot, underscore and hyphen",
                login=login[:64],
            )
        now = timestamp(self._clock.now())
        account = Account(
            id=f"p{secrets.token_hex(8)}",
            login=login,
            name=name.strip(),
            unit=unit,
            roles=tuple(roles),
            acts_for=tuple(acts_for),
            post=post,
            contact=contact,
            created=now,
            created_by=by.who,
        )
        self._check(account, by)
        try:
            self._traces.commit(
                _trace(account, "create", by),
                creates=[
                    _item(account),
                    Item(f"LOGIN#{login}", "LOGIN", {"account": account.id}),
                ],
            )
        except Conflict as error:
            raise Conflict("登录名已被使用", "The login is somebody's already", login=login) from error
        return account, self._fresh_password(account)

    def get(self, id: str) -> Account:
        """Raises NotFound."""
        return Account.from_dict(self._stored(id).body)

    def find_login(self, login: str) -> Account | None:
        item = self._register.get(f"LOGIN#{login}", "LOGIN")
        return self.get(str(item.body["account"])) if item else None

    def list(self, unit: str = "") -> list[Account]:
        """Every account, or a unit's, with its last use (S-06): the report of all accounts."""
        index = ("index2", f"ACCOUNTS#{unit}") if unit else ("index1", "ACCOUNTS")
        items = self._register.query_index(index[0], index[1])  # type: ignore[arg-type]
        return [Account.from_dict(item.body) for item in items]

    def lock(self, account: Account) -> tuple[int, str]:
        """Failed sign-ins that count, and until when the login is locked."""
        return self._attempts.state(account.login)

    def set_roles(
        self,
        id: str,
        roles: Sequence[RoleGrant],
        *,
        acts_for: Iterable[str] | None = None,
        post: str | None = None,
        by: Principal,
    ) -> Account:
        """Replace the rights of a person at once; its sessions end (S-10).

        Raises NotFound, BadRequest, NotPermitted (roles apart, own rights), Conflict.
        """
        item = self._stored(id)
        was = Account.from_dict(item.body)
        account = replace(
            was,
            roles=tuple(roles),
            acts_for=was.acts_for if acts_for is None else tuple(acts_for),
            post=was.post if post is None else post,
            epoch=was.epoch + 1,
        )
        self._check(account, by)
        return self._put(item, account, "roles", by)

    def disable(self, id: str, reason: str, *, by: Principal) -> Account:
        """No sign-in, no session goes on, and the credentials that the person answers for end with the same
        write, but those of systems alone (:data:`SYSTEMS`), which go on sending and receiving for the unit.
        Repeating it changes nothing. Raises NotFound, Conflict."""
        item = self._stored(id)
        was = Account.from_dict(item.body)
        account = replace(was, state="disabled", reason=reason, epoch=was.epoch + 1)
        if was.state != "disabled":
            self._put(item, account, "disable", by, self._ended_credentials(was))
        self._provider.set_enabled(was.login, False)
        return account if was.state != "disabled" else was

    def enable(self, id: str, *, by: Principal) -> Account:
        """Raises NotFound, NotPermitted for oneself, Conflict."""
        item = self._stored(id)
        was = Account.from_dict(item.body)
        _not_oneself(was, by)
        # Use counts from now on, or the next sweep would disable it again.
        now = timestamp(self._clock.now())
        account = replace(was, state="active", reason="", last_used=now, epoch=was.epoch + 1)
        self._provider.set_enabled(was.login, True)
        return self._put(item, account, "enable", by)

    def unlock(self, id: str, *, by: Principal) -> Account:
        """Forget the failed sign-ins. Raises NotFound, NotPermitted for oneself."""
        account = self.get(id)
        _not_oneself(account, by)
        self._attempts.clear(account.login)
        self._traces.write(_trace(account, "unlock", by))
        return account

    def reset(self, id: str, *, by: Principal) -> tuple[Account, str]:
        """A new temporary password and no second factor; sessions end.

        Raises NotFound, NotPermitted for oneself, Conflict.
        """
        item = self._stored(id)
        was = Account.from_dict(item.body)
        _not_oneself(was, by)
        account = self._put(item, replace(was, password_set="", epoch=was.epoch + 1), "reset", by)
        self._attempts.clear(was.login)
        return account, self._fresh_password(account)

    def disable_unused(self, days: int = UNUSED_DAYS) -> Sequence[str]:
        """Ids of the accounts that were disabled because nobody used them for so long (S-06)."""
        before = timestamp(self._clock.now() - timedelta(days=days))
        unused = [a for a in self.list() if a.state == "active" and max(a.last_used, a.created) < before]
        disabled = []
        for account in unused:
            try:
                self.disable(account.id, f"{days} 天未使用 / unused for {days} days", by=_BY_CLOCK)
            except Conflict:
                continue  # it is being used or changed just now: the next sweep looks again
            disabled.append(account.id)
        return disabled

    # --- for credentials that a person answers for ---

    def with_credential(self, id: str, credential: str, roles: Iterable[str], *, by: Principal) -> Item:
        """The account's entry with the credential's roles, replaced in the same write as the credential.

        Raises NotFound, NotPermitted when roles would come together that must stay apart, or for oneself.
        """
        item = self._stored(id)
        was = Account.from_dict(item.body)
        if APART.intersection(roles):
            _not_oneself(was, by)
        account = replace(was, credentials={**was.credentials, credential: tuple(sorted(roles))})
        check_apart(self._held(account))
        return _item(account, item.version)

    def _check(self, account: Account, by: Principal) -> None:
        _not_oneself(account, by)
        check_apart(self._held(account))
        check_desk((grant.role for grant in account.roles), account.unit)
        if "*" in account.acts_for:
            raise BadRequest("个人账户不得代表所有单位", "An account of a person never acts for every unit")
        if account.post:
            self._posts.check_roles(account.unit, account.post, [r.role for r in account.roles])

    def _held(self, account: Account) -> set[str]:
        """Roles of the person now or later, on whatever account or credential."""
        at = timestamp(self._clock.now())
        held: set[str] = {grant.role for grant in account.roles if not grant.over(at)}
        for roles in account.credentials.values():
            held.update(roles)
        return held

    def _ended_credentials(self, account: Account) -> Sequence[Item]:
        """Entries of the person's credentials that act in more than a system's roles, ended."""
        found = [
            self._register.get(f"CREDENTIAL#{id}", "CREDENTIAL")
            for id, roles in account.credentials.items()
            if not SYSTEMS.issuperset(roles)
        ]
        return [i.with_body(disabled=True) for i in found if i is not None and not i.body["disabled"]]

    def _put(
        self, item: Item, account: Account, step: str, by: Principal, ended: Sequence[Item] = ()
    ) -> Account:
        traces = [_trace(account, step, by), *(_ended(i, by) for i in ended)]
        self._traces.commit(*traces, replaces=[_item(account, item.version), *ended])
        return account

    def _stored(self, id: str) -> Item:
        item = self._register.get(f"ACCOUNT#{id}", "ACCOUNT")
        if item is None:
            raise NotFound(f"没有账户 {id}", f"There is no account {id}", account=id)
        return item

    def _fresh_password(self, account: Account) -> str:
        temporary = temporary_password()
        self._provider.put_user(account.login, temporary)
        return temporary


def _item(account: Account, version: int = 0) -> Item:
    return Item(
        f"ACCOUNT#{account.id}",
        "ACCOUNT",
        account.as_dict(),
        version,
        index1=("ACCOUNTS", account.login),
        index2=(f"ACCOUNTS#{account.unit}", account.id),
    )


def _trace(account: Account, step: str, by: Principal) -> Trace:
    roles = tuple(sorted({grant.role for grant in account.roles}))
    return Trace(
        act="rights", actor=by.who, unit=by.unit, fields=roles, detail=f"account:{account.id}:{step}"
    )


def _ended(credential: Item, by: Principal) -> Trace:
    roles, detail = tuple(credential.body["roles"]), f"credential:{credential.body['id']}:disable"
    return Trace(act="rights", actor=by.who, unit=by.unit, fields=roles, detail=detail)


def _not_oneself(account: Account, by: Principal) -> None:
    if by.who == account.id:
        raise NotPermitted("不能更改自己的权限", "Nobody changes their own rights", account=account.id)
