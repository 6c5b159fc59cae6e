"""Every operation × every role through the apps: what the table does not grant is not given (S-08)."""

from __future__ import annotations

import pytest
from test_who_may import asked
from tests.support.api_world import BUREAU, Call, World

from huitong.identity import matrix
from huitong.identity.authorize import RULES, may
from huitong.identity.model import Principal, Role
from huitong.identity.roles import DESK
from huitong.web.operations import OPERATIONS


@pytest.mark.parametrize("role", matrix.ROLES)
def test_a_cell_that_is_not_granted_is_denied(
    role: Role, call: Call, world: World, court_things: dict[str, str]
) -> None:
    """Refused as not permitted, or as not there; never done, and never a fault."""
    unit = "" if role in DESK else BUREAU  # roles over all units are the operator's alone
    world.tokens["who"] = world.credentials.issue("who", unit, [role], by="test")[1]
    open_cells = []
    for operation in OPERATIONS:
        if operation.public:
            continue
        assert operation.rule in RULES, operation.id  # an operation without a rule fails here
        if any(matrix.allowed(operation.rule, role, own=own) for own in (True, False)):
            continue
        if may(Principal("who", unit, frozenset({role})), operation.rule, unit):
            continue
        more = asked(operation)
        if more["path"] and "id" in more["path"]:
            more["path"]["id"] = court_things.get(operation.path.split("/")[2], "x1")
        said = call(operation.method, operation.path, as_="who", **more)
        if said.status not in (403, 404):
            open_cells.append((operation.id, said.status, said.code if said.status >= 400 else "done"))
        world.clock.advance(minutes=1)  # or refusals would stop being kept
    assert open_cells == []
