"""Whatever steps are tried by whomever: no grant without two persons inside and a decision of the owner or of a
joint review, and never more than was approved (L-20, L-21, L-24, L-25, S-30)."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from tests.support.application_world import ASKED, OWNER, PEOPLE, RECEIVER, ApplicationWorld

from huitong.errors import Refusal
from huitong.procedures.model import Record
from huitong.sharing.application_procedure import APPLICATION
from huitong.sharing.grant import Grant

FIELDS = ["uscc", "name", "id_no", "amount"]
STEPS = [s.name for s in APPLICATION.steps]
#: Ways that lead somewhere, so that random steps do not only end at the first refusal.
PATHS = [
    [("ann", "submit"), ("bob", "send")],
    [("cai", "decide"), ("dan", "second")],
    [("cai", "decide"), ("dan", "second"), ("dan", "provide")],
    [("ann", "submit"), ("bob", "send"), ("cai", "decide"), ("dan", "second"), ("dan", "provide")],
    [("cai", "refuse"), ("bob", "escalate")],
    [("eve", "negotiated"), ("eve", "coordinated"), ("eve", "decide_binding")],
    [("fay", "confirm")],
    [("dan", "provide")],
    [("bob", "propose_end"), ("dan", "owner_agree_end")],
]
_SENT = PATHS[0]
_DECIDED = [*_SENT, ("cai", "decide"), ("dan", "second"), ("dan", "provide")]
_DISPUTED = [*_SENT, ("cai", "refuse"), ("bob", "escalate"), ("eve", "negotiated"), ("eve", "coordinated")]
STARTS = [
    [], _SENT, _DECIDED, _DECIDED, _DISPUTED,
    [*_DISPUTED, ("fay", "decide_binding"), ("eve", "confirm"), ("eve", "provide_by_desk")],
]  # fmt: skip
START = {"approved": ["uscc"], "refused": {"name": "无关", "id_no": "无关"}, "share": "yes"}
PLAIN = {"approved": ["uscc", "id_no"], "refused": {"name": "无关"}, "unmasked": ["id_no"], "share": "yes"}
SOME = st.lists(st.sampled_from(FIELDS), unique=True)
CONTENT = st.fixed_dictionaries(
    {},
    optional={
        "approved": SOME,
        "refused": st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(["无关", " "])),
        "unmasked": SOME,
        "masks": st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(["name", "id", "all"])),
        "reason": st.just("因此"),
        "share": st.sampled_from(["yes", "no"]),
        "fields": SOME,
    },
)
WHOLE = st.sampled_from([["uscc", "name", "id_no"], ["uscc"], ["name", "id_no"]]).flatmap(
    lambda approved: st.sampled_from([[], ["id_no"]]).map(
        lambda plain: {
            "approved": approved,
            "refused": {f: "无关" for f in ASKED["fields"] if f not in approved},
            "unmasked": [f for f in plain if f in approved],
            "share": "yes",
        }
    )
)
TRIES = st.one_of(
    st.tuples(st.sampled_from(PATHS), st.one_of(WHOLE, CONTENT)),
    st.tuples(
        st.tuples(st.sampled_from(list(PEOPLE)), st.sampled_from(STEPS)).map(lambda one: [one]), CONTENT
    ),
    st.integers(1, 12).map(lambda days: ([], {"days": days})),
)


def _given(step: str, some: dict[str, Any]) -> dict[str, Any]:
    """Of the content what the step takes, and what it needs if it is only a text."""
    known = APPLICATION.step(step)
    assert known is not None
    kept = {k: v for k, v in some.items() if k in (*known.needs, *known.takes)}
    texts = {"reason", "text", "question", "result", "document"}
    return {**{k: "因此" for k in known.needs if k in texts}, **kept}


def _check(record: Record, grant: Grant | None) -> None:
    taken = {t.step: t for t in record.history}
    if grant is None:
        assert record.state not in (
            "active",
            "ending_by_receiver",
            "ending_by_owner",
            "ended",
            "replaced",
        ) or ("provide" not in taken and "provide_by_desk" not in taken)
        return
    event(f"a grant, {record.state}")
    writers = {t.by for t in record.history if t.step in ("draft", "revise", "submit")}
    assert taken["send"].by not in writers
    assert taken["send"].unit == RECEIVER
    by_owner = [t for t in record.history if t.step == "decide"]
    binding = [t for t in record.history if t.step == "decide_binding" and t.given["share"] == "yes"]
    decisions = sorted([*by_owner, *binding], key=record.history.index)
    assert decisions
    last = decisions[-1]
    assert last.unit == OWNER or last in binding
    assert last.by not in {*writers, taken["send"].by}
    assert grant.fields
    assert set(grant.fields) <= set(last.given["approved"]) <= set(record.content["fields"])
    assert set(grant.unmasked) <= set(grant.fields) & set(record.content["unmasked"])
    if "id_no" in grant.unmasked:
        assert grant.seconded
        assert grant.seconded_by != last.by
    assert grant.revoked == APPLICATION.state(record.state).final


#: Which steps one and the same person takes, wherever they fall; which step is left out.
GUS = st.sampled_from([(), ("submit", "send"), ("send", "decide"), ("submit", "decide"), tuple(STEPS)])
LEFT_OUT = st.sampled_from(["", "", "", "", "submit", "send", "second", "decide"])
_OF_OWNER = {"cai", "dan"}


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(STARTS), GUS, LEFT_OUT, st.sampled_from([START, PLAIN]), st.lists(TRIES, max_size=8))
def test_no_sequence_of_steps_reaches_a_grant_that_was_not_decided_on(
    start: list[tuple[str, str]], by_gus: tuple[str, ...], left_out: str, content: Any, tries: list[Any]
) -> None:
    world = ApplicationWorld()
    applications = world.applications
    id = applications.file(PEOPLE["ann"], ASKED).id
    for path, some in [(start, content), *tries]:
        world.clock.advance(days=some.get("days", 0))
        for usual, step in path:
            if step == left_out:
                continue
            gus = "gus for the owner" if usual in _OF_OWNER else "gus"
            before = world.grants.find(RECEIVER, "IN-06", id)
            try:
                applications.take(PEOPLE[gus if step in by_gus else usual], id, step, _given(step, some))
            except Refusal:
                assert world.grants.find(RECEIVER, "IN-06", id) == before
        applications.tick()
        _check(applications.desk.get(id), world.grants.find(RECEIVER, "IN-06", id))
    assert [g.id for g in world.grants.of_unit(RECEIVER)] in ([], [id])


@settings(max_examples=60, deadline=None)
@given(SOME, SOME, st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(["", "无关"])))
def test_a_decision_names_every_field_once_and_no_other(
    approved: list[str], unmasked: list[str], refused: dict[str, str]
) -> None:
    """L-19, L-25: what is accepted as a decision is exactly what the rule says."""
    world = ApplicationWorld()
    id = world.applications.file(PEOPLE["ann"], ASKED).id
    world.applications.take(PEOPLE["ann"], id, "submit")
    world.applications.take(PEOPLE["bob"], id, "send")
    asked = set(ASKED["fields"])
    right = (
        bool(approved)
        and not set(approved) & set(refused)
        and set(approved) | set(refused) == asked
        and all(refused.values())
        and set(unmasked) <= set(approved) & set(ASKED["unmasked"])
    )
    content = {"approved": approved, "refused": refused, "unmasked": unmasked}
    try:
        after = world.applications.take(PEOPLE["cai"], id, "decide", content)
    except Refusal:
        assert not right
        assert world.applications.desk.get(id).state == "deciding"
    else:
        assert right
        assert after.state == ("seconding" if unmasked else "approved")
