"""Posts: staffing, duties, division of labour, required skills, and the roles bound to them (Q-60)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

from huitong.audit.trace import Trace, Traces
from huitong.errors import BadRequest, Conflict, NotFound
from huitong.identity.model import Principal
from huitong.identity.roles import ROLES, check_apart
from huitong.ports import Item, Register


@dataclass(frozen=True, slots=True)
class Post:
    """A post of a unit. ``roles`` are the system roles that only its holders may have."""

    unit: str
    code: str
    zh: str
    en: str
    duties: tuple[str, ...] = ()
    division: str = ""  # 分工: who does what beside whom
    skills: tuple[str, ...] = ()
    staff: int = 1  # 人员配备: how many hold it
    roles: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        texts = {name: tuple(body[name]) for name in ("duties", "skills", "roles")}
        return cls(**{**body, **texts})


class Posts:
    """Register keys: ``POST#{unit}`` / code."""

    def __init__(self, register: Register, traces: Traces) -> None:
        self._register = register
        self._traces = traces

    def put(self, post: Post, *, by: Principal) -> Post:
        """Register a post or change it. Raises BadRequest for an unknown role, NotPermitted for roles that
        must stay apart, Conflict when somebody else changed it."""
        unknown = sorted(set(post.roles) - ROLES)
        if unknown:
            raise BadRequest("没有这些角色", "There are no such roles", roles=unknown)
        check_apart(post.roles)
        stored = self._register.get(f"POST#{post.unit}", post.code)
        item = Item(f"POST#{post.unit}", post.code, post.as_dict(), stored.version if stored else 0)
        self._traces.commit(
            _trace(post, "put", by),
            creates=[] if stored else [item],
            replaces=[item] if stored else [],
        )
        return post

    def get(self, unit: str, code: str) -> Post:
        """Raises NotFound."""
        item = self._register.get(f"POST#{unit}", code)
        if item is None:
            raise NotFound(f"没有岗位 {code}", f"There is no post {code}", unit=unit, post=code)
        return Post.from_dict(item.body)

    def of_unit(self, unit: str) -> list[Post]:
        return [Post.from_dict(item.body) for item in self._register.query(f"POST#{unit}")]

    def delete(self, unit: str, code: str, *, by: Principal) -> Post:
        """Raises NotFound, Conflict while an account holds the post."""
        post = self.get(unit, code)
        holders = self._register.query_index("index2", f"ACCOUNTS#{unit}")
        if any(item.body["post"] == code for item in holders):
            raise Conflict(f"岗位 {code} 仍有人员", f"Post {code} is still held", unit=unit, post=code)
        self._traces.commit(_trace(post, "delete", by), deletes=[(f"POST#{unit}", code)])
        return post

    def check_roles(self, unit: str, code: str, roles: Iterable[str]) -> None:
        """Raises NotFound, and BadRequest when a role is not bound to the post."""
        loose = sorted(set(roles) - set(self.get(unit, code).roles))
        if loose:
            raise BadRequest(
                f"岗位 {code} 未绑定角色 {'、'.join(loose)}",
                f"Post {code} is not bound to these roles: {', '.join(loose)}",
                post=code,
                roles=loose,
            )


def _trace(post: Post, step: str, by: Principal) -> Trace:
    return Trace(
        act="configure",
        actor=by.who,
        unit=by.unit,
        fields=post.roles,
        detail=f"post:{post.unit}:{post.code}:{step}",
    )
