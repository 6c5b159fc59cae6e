"""The table of rights as a document: every rule × every role (S-08). A test holds docs/roles.md to it.

``python -m huitong.identity.matrix > docs/roles.md`` writes it anew; what changed is then seen in review.
"""

from __future__ import annotations

import sys
from typing import Final, get_args

from huitong.identity.authorize import RULES
from huitong.identity.model import Principal, Role

ROLES: Final[tuple[Role, ...]] = get_args(Role)
_OWN: Final = "1144030000AA01019J"
_OTHER: Final = "1144030000AA01027D"
_HEAD: Final = """# 角色与权限 Roles and rights

Written by `python -m huitong.identity.matrix`; a test compares it with what the platform decides.
A role that does not stand in a cell is denied. *Own* is a thing of the asker's unit, *other* of another unit.
Beside the roles there is the first administrator (`admin` acting for `*`), who sets an installation up and
is `first` here. What a person may see inside a resource is decided by grants, not by this table.

| rule | other | own |
|---|---|---|
"""


def allowed(rule: str, role: Role, *, own: bool) -> bool:
    """Whether somebody with this role alone may, on a thing of the own or of another unit."""
    return RULES[rule](Principal("p", _OWN, frozenset({role})), _OWN if own else _OTHER)


def cell(rule: str, *, own: bool) -> str:
    """The roles of a cell, in the order of :data:`huitong.identity.model.Role`."""
    roles: list[str] = [role for role in ROLES if allowed(rule, role, own=own)]
    first = Principal("p", "", frozenset({"admin"}), ("*",))
    if "admin" not in roles and RULES[rule](first, _OWN if own else _OTHER):
        roles.append("first")
    nobody = RULES[rule](Principal("p", _OWN, frozenset()), _OWN if own else _OTHER)
    every = "all" if len([r for r in roles if r != "first"]) == len(ROLES) else " ".join(roles)
    return f"{every} (and without a role)" if nobody else every or "–"


def text() -> str:
    rows = (f"| {rule} | {cell(rule, own=False)} | {cell(rule, own=True)} |\n" for rule in sorted(RULES))
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(text())
