"""A proposal of a contract for a file that has none; a person then edits it (Q-17).

What the proposal asks for, the file fulfils: each rule is tried on every row, and left out where it fails.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, cast, get_args

import duckdb
import numpy as np
import pyarrow as pa

from huitong.contracts.model import Contract, Field, FieldType, Mask
from huitong.intake.layout import Layout
from huitong.quality.check import Block, Checker
from huitong.quality.compile import compile_plan
from huitong.quality.profile.measure import measured
from huitong.quality.profile.model import Column, Profile
from huitong.quality.profile.source import FileSource, open_file
from huitong.quality.profile.written import written

_LENGTHS: Final = (1, 2, 4, 6, 8, 10, 12, 15, 18, 20, 30, 40, 50, 60, 80, 100, 200, 500, 1000, 2000, 4000)
_CODES: Final = 12
_ROWS_FOR_CODES: Final = 30
_ROUNDS: Final = 4
_KEY_COLUMNS: Final = 4
_KEY_NAMES: Final = ("no", "id", "code", "uscc", "编号", "号码", "代码", "vin")


@dataclass(frozen=True, slots=True)
class Draft:
    """``document`` is ODCS YAML, ``contract`` what it says, ``doubts`` what a person must decide (zh, en)."""

    document: str
    contract: Contract
    profile: Profile
    doubts: tuple[tuple[str, str], ...]


def draft(path: Path, filename: str, *, layout: Layout | None = None, today: date, id: str = "") -> Draft:
    """Raises UnreadableFile when the file cannot be read."""
    with TemporaryDirectory(prefix="huitong-draft-") as folder:
        source = open_file(path, filename, layout or Layout(), Path(folder))
        profile = measured(source.blocks(), today=today, titles=source.titles, of={"file": filename})
        doubts: list[tuple[str, str]] = []
        fields = tuple(_field(c) for c in profile.columns)
        keys = _keys(source, profile, doubts)
        fields = tuple(
            replace(
                f, key=keys.index(f.name) + 1 if f.name in keys else 0, required=f.required or f.name in keys
            )
            for f in fields
        )
        name = id or Path(filename).stem
        contract = Contract(id or "IN-XX", 0, name, fields, case_field=_case_field(fields))
        contract = _held(source, contract, today)
    return Draft(written(contract, profile, doubts), contract, profile, tuple(doubts))


def _field(c: Column) -> Field:
    kind = cast(FieldType, c.type if c.type in get_args(FieldType) else "string")
    whole = c.fitting == 1.0 and c.nulls < c.rows
    meaning = c.semantic if whole else ""
    if meaning:
        kind = "string"
    coded = _is_coded(c, kind, meaning)
    return Field(
        name=c.name,
        title=c.title,
        type=kind,
        precision=max(c.digits + 2, 16) + max(c.scale, 2) if kind == "decimal" else 0,
        scale=max(c.scale, 2) if kind == "decimal" else 0,
        required=c.nulls == 0 and c.rows > 0,
        max_length=_length(c) if kind == "string" and not meaning and not coded else None,
        pattern=_pattern(c) if kind == "string" and not meaning and not coded else "",
        codes=tuple(sorted(v for v, _ in c.top)) if coded else (),
        semantic=meaning,
        level=c.level or "L2",
        mask=cast(Mask, c.mask),
    )


def _is_coded(c: Column, kind: str, meaning: str) -> bool:
    return (
        kind in ("string", "integer")
        and not meaning
        and not c.guarded
        and c.exact
        and 1 < c.distinct <= min(_CODES, len(c.top))
        and c.rows >= _ROWS_FOR_CODES
        and c.longest <= 12
        and c.distinct * 5 <= c.rows
    )


def _length(c: Column) -> int | None:
    if not c.longest:
        return None
    wanted = c.longest if c.shortest == c.longest else c.longest + c.longest // 4
    if any("汉" in shape for shape, _ in c.shapes):  # words: a sample says little of how long they get
        wanted = max(50, 2 * c.longest)
    return next((n for n in _LENGTHS if n >= wanted), None)


def _pattern(c: Column) -> str:
    """Of codes that all have one shape: AA999999 is ``[A-Za-z]{2}\\d{6}``."""
    if len(c.shapes) != 1 or c.rows < _ROWS_FOR_CODES or c.longest > 40 or c.guarded:
        return ""
    shape = c.shapes[0][0]
    if not set(shape) <= set("9A-_/.") or "9" not in shape or c.shapes[0][1] != c.rows - c.nulls:
        return ""
    parts, i = [], 0
    while i < len(shape):
        run = len(shape[i:]) - len(shape[i:].lstrip(shape[i]))
        piece = {"9": r"\d", "A": "[A-Za-z]", ".": r"\."}.get(shape[i], shape[i])
        parts.append(piece + (f"{{{run}}}" if run > 1 else ""))
        i += run
    return "".join(parts)


def _keys(source: FileSource, profile: Profile, doubts: list[tuple[str, str]]) -> list[str]:
    """The column, or the fewest columns together, whose values no two rows share."""
    full = [c for c in profile.columns if c.nulls == 0 and c.rows and c.type not in ("boolean", "double")]
    single = sorted((c for c in full if c.key), key=lambda c: _unlikely(c, profile))
    for c in single[:6]:
        if _unique(source, [c.name]):
            return [c.name]
    chosen: list[str] = []
    for c in sorted((c for c in full if c.type != "timestamp"), key=lambda c: -c.distinct)[:_KEY_COLUMNS]:
        chosen.append(c.name)
        if len(chosen) > 1 and _unique(source, chosen):
            doubts.append(
                (
                    f"没有一列能单独作主键,暂用 {'、'.join(chosen)}",
                    f"No column alone is a key: {', '.join(chosen)}",
                )
            )
            return [n for n in source.names if n in chosen]
    doubts.append(("没有找到主键,请指定", "No key was found: name one"))
    return [n for n in source.names if n in {c.name for c in full}] or [source.names[0]]


def _unlikely(c: Column, profile: Profile) -> tuple[int, int]:
    """Numbers and codes are likelier keys than names and amounts; then who stands first."""
    words = f"{c.name} {c.title}".lower()
    rank = 0 if any(words.split()[0].endswith(n) or n in c.title for n in _KEY_NAMES) else 1
    rank += 2 * (c.type in ("decimal", "date", "timestamp")) + (c.mask == "name") + (c.longest > 60)
    return rank, profile.columns.index(c)


def _unique(source: FileSource, names: Sequence[str]) -> bool:
    """Whether no two rows share the values: 8 bytes a row."""
    hashes = []
    with duckdb.connect(config={"memory_limit": "128MB", "threads": 1}) as connection:
        for block in source.blocks():
            connection.register("b", pa.table({f"c{i}": block[n] for i, n in enumerate(names)}))
            listed = ", ".join(f"c{i}" for i in range(len(names)))
            hashes.append(
                connection.sql(f"SELECT hash({listed}) AS h FROM b").to_arrow_table()["h"].to_numpy()
            )
    whole = np.concatenate(hashes) if hashes else np.empty(0, dtype=np.uint64)
    return len(np.unique(whole)) == len(whole)


def _case_field(fields: Sequence[Field]) -> str:
    cases = [f.name for f in fields if f.semantic == "case-number"]
    return cases[0] if len(cases) == 1 else ""


def _held(source: FileSource, contract: Contract, today: date) -> Contract:
    """The contract without what some row breaks."""
    for _ in range(_ROUNDS):
        broken = _broken(source, contract, today)
        fields = tuple(_loosened(f, broken.get(f.name, set())) for f in contract.fields)
        if fields == contract.fields:
            return contract
        contract = replace(contract, fields=fields)
    return contract


def _broken(source: FileSource, contract: Contract, today: date) -> dict[str, set[str]]:
    """Column → rules that some row breaks."""
    plan = compile_plan(contract)
    found: dict[str, set[str]] = {}
    with duckdb.connect(config={"memory_limit": "192MB"}) as connection:
        checker = Checker(plan, connection, today)
        for block in _blocks(source):
            for number in checker.check(block).hits:
                rule = plan.rules[number]
                if rule.severity == "error":
                    found.setdefault(rule.column, set()).add(rule.id)
    return found


def _blocks(source: FileSource) -> Iterator[Block]:
    for columns in source.blocks():
        first: Any = next(iter(columns.values()))
        yield Block(columns, pa.array(range(len(first)), pa.int64()), None)


def _loosened(f: Field, broken: set[str]) -> Field:
    if any(rule.startswith("type") for rule in broken):
        f = replace(f, type="string", precision=0, scale=0, codes=())
    if "length" in broken:
        f = replace(f, max_length=None)
    if "pattern" in broken:
        f = replace(f, pattern="")
    if "codes" in broken:
        f = replace(f, codes=())
    if f.semantic and any(rule.startswith((f"{f.semantic}.", f.semantic)) for rule in broken):
        f = replace(f, semantic="")
    if {"required", "text.nothing"} & broken and not f.key:
        f = replace(f, required=False)
    return f
