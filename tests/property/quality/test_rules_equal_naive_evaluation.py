"""The compiled, vectorised check equals a naive evaluation row by row, for any contract and any rows (Q-20, Q-21)."""

from __future__ import annotations

import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.validation_world import ValidationWorld

from huitong.contracts.model import Contract, Field, RowRule
from huitong.quality.rulebook.binding import bind
from huitong.quality.rulebook.bound import BoundSet
from huitong.quality.rulebook.model import OfficeRule

Row = Mapping[str, str | None]

TEXTS = {
    "string": [
        "",
        "a",
        "ab",
        "abc",
        "甲乙",
        "甲乙丙丁",
        "A-1",
        " a",
        "440304190002280012",
        "44030419000228001x",
        "1",
        "9",
    ],
    "integer": ["0", "1", "7", "+7", "007", "-3", "12", "1.0", "x", "99999999999999999999"],
    "decimal": ["0", "1.5", "1.50", "-2.25", "99.99", "100", "1,0", "1.234", "1e1", ".5"],
    "double": ["0", "1.5", "-2e1", "1e400", "nan", "x", "1."],
    "boolean": ["1", "0", "是", "否", "TRUE", "n", "x", "10"],
    "date": ["2021-03-01", "20210301", "2020-02-29", "2021-02-29", "2021/3/1", "1999-12-31", "x"],
    "timestamp": [
        "2021-03-01T09:00:00+08:00",
        "2021-03-01T01:00:00Z",
        "2021-03-01T09:00:00",
        "2021-03-01T24:00:00Z",
        "2021-03-01T09:00:00.5-03:30",
        "x",
    ],
}
BOUNDS = {
    "integer": ("1", "10"),
    "decimal": ("0", "50.5"),
    "double": ("-1", "2"),
    "date": ("2020-01-01", "2021-03-01"),
    "timestamp": ("2021-01-01T00:00:00Z", "2021-03-01T01:00:00Z"),
}


@st.composite
def fields(draw: st.DrawFn, name: str) -> Field:
    kind = draw(st.sampled_from(sorted(TEXTS)))
    field = Field(name, type=kind, required=draw(st.booleans()), unique=draw(st.integers(0, 4)) == 0)  # type: ignore[arg-type]
    if kind == "decimal":
        field = replace(field, precision=4, scale=2)
    if kind == "string":
        field = replace(
            field,
            min_length=draw(st.sampled_from([None, 0, 1, 2])),
            max_length=draw(st.sampled_from([None, 1, 3])),
            semantic=draw(st.sampled_from(["", "", "citizen-id", "sex"])),
        )
    if draw(st.booleans()):
        field = replace(
            field, codes=tuple(draw(st.lists(st.sampled_from(TEXTS[kind]), min_size=1, unique=True)))
        )
    if draw(st.integers(0, 3)) == 0:
        field = replace(field, pattern=draw(st.sampled_from(["[a-z]*", "\\d+", "..?", ".*1", "a|甲乙"])))
    if kind in BOUNDS and draw(st.booleans()):
        low, high = BOUNDS[kind]
        field = replace(
            field,
            minimum=draw(st.sampled_from([None, low])),
            maximum=draw(st.sampled_from([None, high])),
            exclusive_minimum=draw(st.booleans()),
            exclusive_maximum=draw(st.booleans()),
        )
    return field


@st.composite
def deliveries(draw: st.DrawFn) -> tuple[Contract, list[dict[str, str | None]]]:
    contract = draw(contracts_with_rules())
    row = st.fixed_dictionaries(
        {
            f.name: st.one_of(
                st.sampled_from(
                    ["111", "414", None] if f.name == "id_type" else [t for t in TEXTS[f.type] if t]
                ),
                st.just(None) if draw(st.booleans()) else st.nothing(),
            )
            for f in contract.fields
        }
    )
    rows = draw(st.lists(row, min_size=1, max_size=12))
    return contract, rows


@st.composite
def contracts_with_rules(draw: st.DrawFn) -> Contract:
    contract = draw(bare_contracts())
    rules = []
    for kind in ("integer", "date"):
        names = [f.name for f in contract.fields if f.type == kind]
        if len(names) >= 2 and draw(st.booleans()):
            a, b = names[:2]
            severity = draw(st.sampled_from(["error", "warning"]))
            rules.append(RowRule(kind, f'"{a}" <= "{b}"', (a, b), severity=severity))  # type: ignore[arg-type]
    return replace(contract, rules=tuple(rules))


@st.composite
def bare_contracts(draw: st.DrawFn) -> Contract:
    columns = [draw(fields(f"f{i}")) for i in range(draw(st.integers(2, 5)))]
    for position in range(draw(st.integers(1, 2))):  # a contract without a key cannot be registered
        columns[position] = replace(columns[position], key=position + 1)
    if draw(st.booleans()):
        columns.append(Field("id_type"))
    return Contract("T-P", 1, "t", table="t_p", fields=tuple(columns))


@st.composite
def office_rules(draw: st.DrawFn, contract: Contract) -> list[OfficeRule]:
    """Rules of the office on columns of the contract, of every kind that looks at values one by one."""
    rules = []
    for number in range(draw(st.integers(0, 5))):
        f = draw(st.sampled_from(contract.fields))
        kinds = ["set", "pattern", "expression"]
        kinds += ["missing"] if not (f.key or f.required) else []
        kinds += ["range"] if f.type in BOUNDS else []
        kinds += ["format", "semantic"] if f.type == "string" else []
        kind = draw(st.sampled_from(kinds))
        asked = draw(parameters(kind, f))
        severity = draw(st.sampled_from(["error", "warning"]))
        rules.append(OfficeRule(f"r{number}", contract.id, kind, (f.name,), asked, severity))  # type: ignore[arg-type]
    return rules


@st.composite
def parameters(draw: st.DrawFn, kind: str, f: Field) -> dict[str, Any]:
    if kind == "set":
        return {"codes": draw(st.lists(st.sampled_from([t for t in TEXTS[f.type] if t]), min_size=1))}
    if kind == "pattern":
        return {"pattern": draw(st.sampled_from(["[a-z]*", "\\d+", "..?", ".*1", "a|甲乙"]))}
    if kind == "range":
        low, high = BOUNDS[f.type]
        end = draw(st.sampled_from([{"minimum": low}, {"maximum": high}, {"minimum": low, "maximum": high}]))
        return {**end, "exclusive_minimum": draw(st.booleans()), "exclusive_maximum": draw(st.booleans())}
    if kind == "format":
        as_type = st.sampled_from(["integer", "boolean", "date"]).map(lambda t: {"type": t})
        return draw(st.one_of(as_type, st.just({"min_length": 2, "max_length": 3})))
    if kind == "semantic":
        return {"semantic": draw(st.sampled_from(["citizen-id", "sex"]))}
    return {"expression": f"{f.name} is not null"} if kind == "expression" else {}


# --- the naive evaluation: plain Python, one row, one value at a time -------------------------------


def typed(field: Field, text: str | None) -> Any:
    """The value, or None when the text has not the exact form."""
    if text is None or field.type == "string":
        return text
    if field.type == "integer":
        value = int(text) if re.fullmatch(r"[+-]?[0-9]+", text) else None
        return value if value is not None and -(2**63) <= value < 2**63 else None
    if field.type == "decimal":
        fits = re.fullmatch(r"-?[0-9]+(\.[0-9]{1,2})?", text)
        return Decimal(text) if fits and abs(Decimal(text)) < 100 else None
    if field.type == "double":
        fits = re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", text)
        return float(text) if fits and abs(float(text)) != float("inf") else None
    if field.type == "boolean":
        return {"1": True, "true": True, "是": True, "y": True}.get(
            text.lower(), {"0": False, "false": False, "否": False, "n": False}.get(text.lower())
        )
    if field.type == "date":
        if not re.fullmatch(r"\d{4}-\d\d-\d\d|\d{8}", text):
            return None
        return _or_none(lambda: date.fromisoformat(text))
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)", text):
        return None
    return _or_none(lambda: datetime.fromisoformat(text))


def _or_none(make: Any) -> Any:
    try:
        return make()
    except ValueError:
        return None


def bound(field: Field, text: str) -> Any:
    if field.type in ("integer", "decimal"):
        return Decimal(text)
    return typed(field, text)


def broken_by(contract: Contract, row: Row) -> list[tuple[str, str, str]]:
    """(column, rule, severity) of everything that is wrong in one row by itself."""
    found = []
    for f in contract.fields:
        text = row.get(f.name)
        found += [(f.name, rule, "error") for rule in value_rules(contract, f, text, row)]
        # of all texts here, one has a trace of a tool: a blank at its end, which matters in a key
        restricted = f.semantic or f.pattern or f.codes
        if f.key and text == " a" and (not restricted or value_rules(contract, f, text, {})):
            found.append((f.name, "text.blank", "warning"))
    for office in OFFICE:
        if broken_office_rule(contract, office, row):
            found.append((office.fields[0], office.finding, office.severity))
    for rule in contract.rules:
        a, b = (typed(contract.field_named(n), row.get(n)) for n in rule.columns)  # type: ignore[arg-type]
        if a is not None and b is not None and not a <= b:
            found.append((",".join(rule.columns), f"rule:{rule.id}", rule.severity))
    return found


OFFICE: list[OfficeRule] = []  # of the example at hand


def broken_office_rule(contract: Contract, rule: OfficeRule, row: Row) -> bool:
    f = contract.field_named(rule.fields[0])
    assert f is not None
    asked, text = rule.parameters, row.get(f.name)
    if rule.kind == "missing":
        return text is None
    if rule.kind == "expression":
        return typed(f, text) is None
    if text is None:
        return False
    if rule.kind == "set":
        return text not in asked["codes"]
    if rule.kind == "pattern":
        return re.fullmatch(asked["pattern"], text) is None
    if rule.kind == "range":
        value = typed(f, text)
        bounds = {name: asked.get(name) for name in ("minimum", "maximum")}
        flags = {name: asked[name] for name in ("exclusive_minimum", "exclusive_maximum")}
        wanted = replace(f, **bounds, **flags)
        return value is not None and (below(wanted, value) or above(wanted, value))
    if "type" in asked:
        return typed(replace(f, type=asked["type"]), text) is None
    if rule.kind == "format":
        return not asked["min_length"] <= len(text) <= asked["max_length"]
    bare = Contract("x", 1, "x", (Field(f.name, semantic=asked["semantic"]), Field("id_type")))
    return bool(value_rules(bare, bare.fields[0], text, row))


def value_rules(contract: Contract, f: Field, text: str | None, row: Row) -> list[str]:
    if text is None:
        return ["key.null"] if f.key else ["required"] if f.required else []
    found = []
    value = typed(f, text)
    if value is None:
        found.append("type")
    if f.type == "string" and not (f.min_length or 0) <= len(text) <= (f.max_length or 10**6):
        found.append("length")
    if f.pattern and not re.fullmatch(f.pattern, text):
        found.append("pattern")
    if f.codes and text not in f.codes:
        found.append("codes")
    if value is not None and (below(f, value) or above(f, value)):
        found.append("range")
    if f.semantic == "sex" and text not in ("0", "1", "2", "9"):
        found.append("sex.code")
    if f.semantic == "citizen-id" and row.get("id_type") in (None, "111"):
        # the only identity number in the pool is right; everything else in it has another form
        found += [] if text == "440304190002280012" else ["citizen-id.form"]
    return found


def below(f: Field, value: Any) -> bool:
    if f.minimum is None:
        return False
    low = bound(f, f.minimum)
    return bool(value <= low if f.exclusive_minimum else value < low)


def above(f: Field, value: Any) -> bool:
    if f.maximum is None:
        return False
    high = bound(f, f.maximum)
    return bool(value >= high if f.exclusive_maximum else value > high)


def expected(
    contract: Contract, rows: list[dict[str, str | None]]
) -> tuple[list[Any], Counter[str], list[int]]:
    """Findings as (row, column, rule), numbers of rows by fate, and the good rows."""
    names = [f.name for f in contract.fields]
    keys = contract.keys

    def same_value(f: Field, text: str | None) -> Any:
        value = typed(f, text)
        return text if value is None else (f.type, value)

    key_of = [tuple(same_value(f, row.get(f.name)) for f in keys) for row in rows]
    whole = [all(part is not None for part in key) for key in key_of]
    content = [tuple(row.get(n) for n in names if n not in {f.name for f in contract.keys}) for row in rows]
    found: list[Any] = []
    fate: list[str] = []
    copies = set()
    for i in range(len(rows)):
        twins = [j for j in range(len(rows)) if whole[i] and whole[j] and key_of[j] == key_of[i]]
        if len({content[j] for j in twins}) <= 1 and i in twins[1:]:
            copies.add(i)
    for i, row in enumerate(rows):
        key_columns = ",".join(f.name for f in contract.keys)
        if i in copies:
            found.append((i + 2, key_columns, "key.duplicate"))
            fate.append("duplicate")
            continue
        mine = broken_by(contract, row)
        twins = [j for j in range(len(rows)) if whole[i] and whole[j] and key_of[j] == key_of[i]]
        if len({content[j] for j in twins}) > 1:
            mine.append((key_columns, "key.conflict", "error"))
        for f in contract.fields:
            if f.unique and contract.keys != (f,) and row.get(f.name) is not None:
                others = (j for j in range(len(rows)) if j != i and j not in copies)
                value = same_value(f, row.get(f.name))
                if any(same_value(f, rows[j].get(f.name)) == value for j in others):
                    mine.append((f.name, "unique", "error"))
        found += [(i + 2, column, rule) for column, rule, _ in mine]
        fate.append("bad" if any(severity == "error" for _, _, severity in mine) else "good")
    return sorted(found), Counter(fate), [i + 2 for i, f in enumerate(fate) if f == "good"]


class WithRules:
    """The office with the example's rules; none of them reads a table."""

    tables = None

    def __init__(self, rules: tuple[OfficeRule, ...]) -> None:
        self._rules = rules

    def ready(self, contract: Contract) -> BoundSet:
        return BoundSet("v", tuple(bind(rule, contract, lambda _: None) for rule in self._rules))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(deliveries(), st.integers(1, 3), st.integers(2, 20), st.booleans(), st.data())
def test_the_compiled_check_finds_what_a_naive_one_finds_and_the_counts_balance(
    delivery: tuple[Contract, list[dict[str, str | None]]], files: int, group: int, coded: bool, data: Any
) -> None:
    """C-04, Q-21: rules of the contract and of the office in one compiled pass."""
    contract, rows = delivery
    OFFICE[:] = data.draw(office_rules(contract))
    findings, fates, good = expected(contract, rows)
    with tempfile.TemporaryDirectory() as folder:
        world = ValidationWorld(Path(folder), contract)
        world.stage(rows, files=files, group=group, coded=coded)
        world.office = WithRules(tuple(OFFICE))
        batch = world.run()
        assert sorted(r for r in world.rules() if r[2] != "batch.rejected") == findings
        assert [r["_source_row"] for r in world.good()] == (good if batch.status == "validated" else [])
        assert [r["_source_row"] for r in world.quarantine()] == sorted(
            {row for row, _, rule in findings}
            & set(range(2, len(rows) + 2))
            - set(good)
            - {row for row, _, rule in findings if rule == "key.duplicate"}
        )
    counts = batch.counts
    assert counts.received == len(rows) == counts.accepted + counts.quarantined + counts.duplicate
    assert counts.balanced("full")
    assert counts.duplicate == fates["duplicate"]
    if batch.status == "validated":
        assert (counts.accepted, counts.quarantined) == (fates["good"], fates["bad"])
    else:
        assert fates["good"] == 0
