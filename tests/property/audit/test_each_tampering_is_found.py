"""For random histories the chain verifies, and each single tampering is found and named."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from huitong.audit.chain import Keyring, Tail
from huitong.audit.verify import Finding, follow

KEYS = Keyring(lambda name: f"secret of {name}", ("evidence",))
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
RECORD = st.fixed_dictionaries(
    {"act": st.sampled_from(["query", "share", "login"]), "actor": TEXT, "unit": TEXT},
    optional={"resource": TEXT, "count": st.integers(1, 10**6), "fields": st.lists(TEXT, min_size=1, max_size=3),
              "subjects": st.lists(st.tuples(TEXT, TEXT).map(list), min_size=1, max_size=2)},
)  # fmt: skip
HISTORY = st.lists(RECORD, min_size=2, max_size=12)
Stored = list[tuple[int, dict[str, Any]]]


def stored(records: list[dict[str, Any]]) -> Stored:
    tail, found = Tail(3), []
    for n, record in enumerate(records, start=1):
        entry = KEYS.seal(tail, {**record, "id": f"id-{n}", "at": f"2026-01-05T08:00:{n:02}.000Z"})
        tail = Tail.of(entry)
        found.append((n, copy.deepcopy(entry.as_dict())))
    return found


def head(chain: Stored) -> Tail:
    body = chain[-1][1]
    return Tail(3, body["n"], body["mac"], body["link"])


def found(chain: Stored, *heads: Tail, keys: Keyring | None = KEYS) -> Finding | None:
    return follow(chain, Tail(3), keys, heads).finding


@given(HISTORY, st.sampled_from(["sha256", "sm3"]))
@settings(deadline=None, max_examples=50)
def test_an_untouched_history_verifies_with_and_without_the_key(
    records: list[dict[str, Any]], digest: Any
) -> None:
    """S-13."""
    chain = stored(records)
    for keys in (KEYS, None):
        verdict = follow(chain, Tail(3), keys, [head(chain)])
        assert (verdict.finding, verdict.count, verdict.tail.n) == (None, len(chain), len(chain))
        half = len(chain) // 2
        first = follow(chain[:half], Tail(3), keys, to_end=False)
        assert follow(chain[half:], first.tail, keys, [head(chain)]).finding is None  # page by page


@given(HISTORY, st.data())
@settings(deadline=None, max_examples=150)
def test_any_changed_member_of_any_record_is_found_and_named(
    records: list[dict[str, Any]], data: Any
) -> None:
    """S-13: changed."""
    chain = stored(records)
    at = data.draw(st.integers(0, len(chain) - 1))
    body = chain[at][1]
    target = body["record"] if data.draw(st.booleans()) else body
    name = data.draw(st.sampled_from(sorted(target)))
    before = target[name]
    if data.draw(st.booleans()):
        del target[name]
    else:
        target[name] = data.draw(
            st.sampled_from([None, [], {}, "x", 0, True, f"{before}", [before], "ID-1"]).filter(
                lambda v: v != before or type(v) is not type(before)
            )
        )
    for keys in (KEYS, None):
        finding = found(chain, head(stored(records)), keys=keys)
        assert finding is not None
        # a mac or link that was changed shows at its own entry or, without the key, at the next one
        assert finding.n in ({at + 1} if keys else {at + 1, at + 2})
        assert finding.shard == 3


@given(HISTORY, st.data())
@settings(deadline=None, max_examples=50)
def test_a_removed_record_is_found_also_when_the_rest_moves_up(
    records: list[dict[str, Any]], data: Any
) -> None:
    """S-13: removed."""
    chain = stored(records)
    signed = head(chain)
    at = data.draw(st.integers(0, len(chain) - 2))
    del chain[at]
    assert found(chain) == Finding("removed", 3, at + 1)
    moved = [(n, {**body, "n": n}) for n, (_, body) in enumerate(chain, start=1)]
    for keys in (KEYS, None):
        finding = found(moved, signed, keys=keys)
        assert finding is not None
        assert finding.n == at + 1
        assert keys is None or finding.kind == "removed"


@given(HISTORY, RECORD, st.data())
@settings(deadline=None, max_examples=50)
def test_an_inserted_record_is_found_also_with_a_copied_mac(
    records: list[dict[str, Any]], foreign: dict[str, Any], data: Any
) -> None:
    """S-13: inserted."""
    chain = stored(records)
    at = data.draw(st.integers(0, len(chain)))
    source = chain[data.draw(st.integers(0, len(chain) - 1))][1]
    body = copy.deepcopy(source)
    body["record"] = data.draw(st.sampled_from([{**foreign, "id": "new", "at": "x"}, body["record"]]))
    body["prev"] = data.draw(st.sampled_from([body["prev"], chain[at - 1][1]["mac"] if at else "0" * 64]))
    shifted = [*chain[:at], (at + 1, {**body, "n": at + 1})]
    shifted += [(n + 1, {**b, "n": n + 1}) for n, b in chain[at:]]
    finding = found(shifted)
    assert finding is not None
    twin = at < len(chain) and shifted[at][1] == chain[at][1]  # an exact copy before its original
    assert finding.n == at + (2 if twin else 1)


@given(HISTORY, st.data(), st.booleans())
@settings(deadline=None, max_examples=50)
def test_swapped_records_are_found(records: list[dict[str, Any]], data: Any, renumbered: bool) -> None:
    """S-13: reordered."""
    chain = stored(records)
    one = data.draw(st.integers(0, len(chain) - 2))
    other = data.draw(st.integers(one + 1, len(chain) - 1))
    a, b = chain[one][1], chain[other][1]
    if renumbered:
        a, b = {**a, "n": other + 1}, {**b, "n": one + 1}
    chain[one], chain[other] = (one + 1, b), (other + 1, a)
    finding = found(chain)
    assert finding is not None
    assert finding.n == one + 1
    assert finding.kind == "reordered" or (renumbered and other > one + 1)


@given(HISTORY, st.data())
@settings(deadline=None, max_examples=50)
def test_a_cut_end_is_found_below_the_last_signed_head(records: list[dict[str, Any]], data: Any) -> None:
    """S-13: truncated."""
    chain = stored(records)
    signed = head(chain)
    kept = data.draw(st.integers(0, len(chain) - 1))
    assert found(chain[:kept], signed) == Finding("truncated", 3, kept + 1)


@given(HISTORY, st.data())
@settings(deadline=None, max_examples=50)
def test_a_chain_made_anew_with_another_key_or_with_ours_is_found(
    records: list[dict[str, Any]], data: Any
) -> None:
    """S-13: without the key the first new mac shows; with it, the signed head does."""
    chain = stored(records)
    signed = head(chain)
    at = data.draw(st.integers(0, len(chain) - 1))
    for keys, kinds in ((Keyring(lambda _: "guess", ("evidence",)), {"changed"}), (KEYS, {"rewritten"})):
        tail = Tail(3) if not at else Tail(3, at, chain[at - 1][1]["mac"], chain[at - 1][1]["link"])
        forged = chain[:at]
        for n, body in chain[at:]:
            entry = keys.seal(tail, {**body["record"], "unit": f"forged {body['record']['unit']}"})
            tail = Tail.of(entry)
            forged.append((n, entry.as_dict()))
        finding = found(forged, signed)
        assert finding is not None
        assert finding.kind in kinds
        assert finding.n == (at + 1 if kinds == {"changed"} else len(chain))
