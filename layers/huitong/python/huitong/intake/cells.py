"""From cells of a block to rows to stage: trims, defaults, dates, operations. Whole columns at a time."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from huitong.contracts.model import Contract
from huitong.intake.columns import OPERATION, Plan
from huitong.intake.profiles import ALL, ImportProfile
from huitong.intake.readers.table import Block
from huitong.intake.returned import ORIGINAL_ROW
from huitong.intake.strays import Strays
from huitong.intake.structure import Structural

#: Blanks at the ends of a cell, the ideographic and the no-break one included.
_BLANKS: Final = " \t\r\n\u3000\u00a0\ufeff"

#: A date-time in a declared format is China time; a profile takes no format with a zone.
_LOCAL: Final = "+08:00"

#: What operations are called where the profile does not say.
_USUAL: Final = {
    **dict.fromkeys(("upsert", "insert", "update", "i", "u", "新增", "修改", "更新"), "upsert"),
    **dict.fromkeys(("delete", "d", "删除"), "delete"),
}


@dataclass(frozen=True, slots=True)
class Rows:
    batch: pa.RecordBatch
    findings: tuple[Structural, ...]
    blank: pa.Array | None = None  # numbers of rows without a value in any wanted column


class Cells:
    """Applies one plan and one profile to every block of a file."""

    def __init__(
        self,
        plan: Plan,
        contract: Contract,
        profile: ImportProfile | None,
        strays: Strays | None = None,
    ) -> None:
        self._plan = plan
        self._strays = strays
        self._profile = profile
        self._trimmed = _trimmed(contract, profile)
        self._formats = _formats(contract, profile)
        self._defaults = dict(profile.defaults) if profile else {}
        self._markers = (
            pa.array(profile.null_markers, pa.string()) if profile and profile.null_markers else None
        )
        self._operations = _operations(profile)
        self._added = [
            f.name for f in contract.fields if f.name in self._defaults and f.name not in plan.fields
        ]

    def of_block(self, block: Block) -> Rows:
        findings = list(block.findings)
        columns = dict(zip(self._plan.fields, block.columns, strict=True))
        operation = None if self._plan.operation is None else block.columns[self._plan.operation]
        rows = block.rows
        keep = _not_blank([column for name, column in columns.items() if name != ORIGINAL_ROW])
        blank = None
        after_gap: list[int] = []
        if keep is not None:
            blank = rows.filter(pc.invert(keep))
            after_gap = _after_gaps(keep)
            columns = {name: column.filter(keep) for name, column in columns.items()}
            operation = operation.filter(keep) if operation is not None else None
            rows = rows.filter(keep)
        if self._strays is not None:
            keep, stray = self._strays.of(list(columns.values()), rows, after_gap)
            findings += stray
            if keep is not None:
                columns = {name: column.filter(keep) for name, column in columns.items()}
                operation = operation.filter(keep) if operation is not None else None
                rows = rows.filter(keep)
        columns.pop(OPERATION, None)
        columns = {name: self.cell(name, column) for name, column in columns.items()}
        columns |= {name: pa.repeat(pa.scalar(self._defaults[name]), len(rows)) for name in self._added}
        operations, broken = self._operation(operation, len(rows))
        arrays, labels = [*columns.values(), rows], [*columns, "_source_row"]
        if operations is not None:
            arrays.append(operations)
            labels.append(OPERATION)
        batch = pa.RecordBatch.from_arrays(arrays, labels)
        if broken is not None and operation is not None:
            findings += _unusable_operations(batch.filter(broken), operation.filter(broken))
            batch = batch.filter(pc.invert(broken))
        if block.nul:
            batch, with_nul = _without_nul(batch, list(columns))
            findings += with_nul
        return Rows(batch, tuple(findings), blank)

    def cell(self, name: str, column: pa.Array) -> pa.Array:
        """Texts of a field as the profile wants them."""
        if name in self._trimmed:
            column = pc.utf8_trim(column, _BLANKS)
            column = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
        if self._markers is not None:
            marked = pc.is_in(column, self._markers)
            column = pc.if_else(marked, pa.scalar(None, pa.string()), column)
        if name in self._formats:
            column = _as_iso(column, *self._formats[name])
        if name in self._defaults and column.null_count:
            column = pc.fill_null(column, self._defaults[name])
        return column

    def _operation(self, column: pa.Array | None, count: int) -> tuple[pa.Array | None, pa.Array | None]:
        """The staged operation of every row, and which rows have none that is known."""
        if self._plan.deletes:
            return pa.repeat(pa.scalar("delete"), count), None
        if column is None:
            return None, None
        encoded = pc.fill_null(column, "").dictionary_encode()
        meanings = [self._operations.get(v.strip().casefold()) for v in encoded.dictionary.to_pylist()]
        operations = pa.array(meanings, pa.string()).take(encoded.indices)
        return operations, pc.is_null(operations) if operations.null_count else None


def _operations(profile: ImportProfile | None) -> dict[str, str]:
    if profile is None or not profile.operation_column:
        return {**_USUAL, "": "upsert"}  # the platform's own column: what is not deleted stays
    return {k.strip().casefold(): v for k, v in (profile.operations or _USUAL).items()}


def _trimmed(contract: Contract, profile: ImportProfile | None) -> frozenset[str]:
    if profile is None or profile.trim == "none":
        return frozenset()
    return (
        frozenset(f.name for f in contract.fields)
        if profile.trim == "all"
        else frozenset(profile.trim_fields)
    )


def _formats(contract: Contract, profile: ImportProfile | None) -> dict[str, tuple[tuple[str, ...], bool]]:
    """The declared formats of each date and timestamp field, and whether it is a date."""
    if profile is None:
        return {}
    common = tuple(profile.date_formats.get(ALL, ()))
    found = {}
    for field in contract.fields:
        formats = tuple(profile.date_formats.get(field.name, ())) or (
            common if field.type in ("date", "timestamp") else ()
        )
        if formats:
            found[field.name] = (formats, field.type != "timestamp")
    return found


def _as_iso(column: pa.Array, formats: tuple[str, ...], date: bool) -> pa.Array:
    """Values in a declared format become ISO 8601; what fits none stays as it is, for validation to name."""
    result = pa.nulls(len(column), pa.string())
    for text in formats:
        parsed = pc.strptime(column, format=text, unit="s", error_is_null=True)
        day = pc.strftime(parsed, format="%Y-%m-%d" if date else f"%Y-%m-%dT%H:%M:%S{_LOCAL}")
        result = pc.coalesce(result, _if_real(column, parsed, text, day))
    return pc.coalesce(result, column)


def _if_real(column: pa.Array, parsed: pa.Array, text: str, iso: pa.Array) -> pa.Array:
    """30 February parses as 2 March: only what reads the same when written back counts."""
    digits = pc.replace_substring_regex(column, r"(^|\D)0+(\d)", r"\1\2")
    again = pc.replace_substring_regex(pc.strftime(parsed, format=text), r"(^|\D)0+(\d)", r"\1\2")
    return pc.if_else(pc.equal(digits, again), iso, pa.scalar(None, pa.string()))


def _not_blank(columns: list[pa.Array]) -> pa.Array | None:
    """Which rows have any value; None when all have."""
    if not columns or any(column.null_count == 0 for column in columns):
        return None
    blank = pc.is_null(columns[0])
    for column in columns[1:]:
        blank = pc.and_(blank, pc.is_null(column))
    if not pc.any(blank).as_py():
        return None
    return pc.invert(blank)


def _after_gaps(keep: pa.Array) -> list[int]:
    """Positions, among the rows that are kept, of those that follow an empty one."""
    kept = keep.to_numpy(zero_copy_only=False)
    follows = kept.copy()
    follows[0] = False
    follows[1:] &= ~kept[:-1]
    places: list[int] = (np.cumsum(kept)[follows] - 1).tolist()
    return places


def _unusable_operations(rows: pa.RecordBatch, values: pa.Array) -> list[Structural]:
    return [
        Structural(
            "row.operation",
            f"第 {row['_source_row']} 行的操作值“{value or ''}”不可识别",
            f'Row {row["_source_row"]}: the operation "{value or ""}" is not known',
            source_row=row["_source_row"],
            value=value,
            raw=_raw(row),
            severity="error",
            cells=_cells(row),
        )
        for row, value in zip(rows.to_pylist(), values.to_pylist(), strict=True)
    ]


def _without_nul(batch: pa.RecordBatch, names: list[str]) -> tuple[pa.RecordBatch, list[Structural]]:
    """NUL is no character of any text; its rows go to quarantine, before a later tool cuts them."""
    found: list[Structural] = []
    bad = pa.repeat(pa.scalar(False), batch.num_rows)
    for name in names:
        hits = pc.fill_null(pc.match_substring(batch.column(name), "\0"), False)
        for row in batch.filter(pc.and_not(hits, bad)).to_pylist():
            found.append(
                Structural(
                    "cell.nul",
                    f"第 {row['_source_row']} 行字段 {name} 含空字符(NUL)",
                    f"Row {row['_source_row']}, field {name} holds a NUL character",
                    source_row=row["_source_row"],
                    column=name,
                    raw=_raw(row),
                    severity="error",
                    cells=_cells(row),
                )
            )
        bad = pc.or_(bad, hits)
    return (batch.filter(pc.invert(bad)), found) if found else (batch, [])


def _cells(row: dict[str, Any]) -> tuple[tuple[str, str | None], ...]:
    return tuple((k, v) for k, v in row.items() if k not in ("_source_row", OPERATION, ORIGINAL_ROW))


def _raw(row: dict[str, Any]) -> str:
    return json.dumps(dict(_cells(row)), ensure_ascii=False)
