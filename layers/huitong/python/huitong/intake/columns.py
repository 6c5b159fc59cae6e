"""Which columns of a file are staged, as which fields, and what is wrong with the set of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from huitong.contracts.model import Contract, Mode
from huitong.errors import UnreadableFile
from huitong.intake.profiles import ImportProfile
from huitong.intake.readers.header import Names, plain
from huitong.intake.readers.refusals import refusal
from huitong.intake.readers.table import Table
from huitong.intake.returned import ORIGINAL_ROW
from huitong.intake.structure import Structural

#: The column that carries the operation of a row, in staging and in files without a profile.
OPERATION: Final = "_op"


@dataclass(frozen=True, slots=True)
class Plan:
    """``wanted`` are positions in the file's header; ``fields`` what each of them becomes.

    ``operation`` is the position within ``wanted`` of the operation column, or None.
    """

    wanted: tuple[int, ...]
    fields: tuple[str, ...]
    operation: int | None
    deletes: bool  # every row is a deletion
    findings: tuple[Structural, ...]
    required: tuple[str, ...]
    original: int | None = None  # the position within ``wanted`` of the row's number in the first delivery
    unread: tuple[int, ...] = ()  # positions in the header of columns that are not staged

    def check_named(self, named: Collection[str] | None) -> None:
        """For formats without a header: a required field that no row ever named is a missing column."""
        if named is not None:
            missing = [name for name in self.required if name not in named]
            if missing:
                raise _missing(missing, sorted(named))


def plan_columns(
    table: Table, names: Names, contract: Contract, profile: ImportProfile | None, mode: Mode
) -> Plan:
    """Raises UnreadableFile naming all missing or doubled columns, and what was found instead."""
    operation_name = (
        plain((profile.operation_column if profile else "") or OPERATION) if mode == "increment" else ""
    )
    wanted: list[int] = []
    fields: list[str] = []
    operation: int | None = None
    original: int | None = None
    unknown: list[tuple[str, str, str]] = []
    unread: list[int] = []
    _refuse_doubles(table, names)
    for position, cell in enumerate(table.header):
        name = names.field(cell)
        if names.original_row(cell) or cell == ORIGINAL_ROW:
            if names.rows_wanted:
                original = len(wanted)
                wanted.append(position)
                fields.append(ORIGINAL_ROW)
            continue
        if names.returned(cell):
            continue
        if operation_name and plain(cell) == operation_name:
            operation = len(wanted)
            wanted.append(position)
            fields.append(name or OPERATION)
        elif name:
            wanted.append(position)
            fields.append(name)
        else:
            unread.append(position)
            unknown.append((cell.strip() or f"#{position + 1}", *names.near(cell)))
    _refuse_operation(operation, profile, mode, table)
    given = set(fields) | set(profile.defaults if profile else ())
    required = _required(contract, mode, operation is not None)
    missing = [name for name in required if name not in given]
    if missing and table.named is None:
        raise _missing(missing, table.header, [u for u in unknown if u[1] in missing])
    absent = [f.name for f in contract.fields if f.name not in given and mode != "deletion"]
    findings = [unknown_column(*one) for one in unknown]
    findings += [_absent(name) for name in absent]
    return Plan(
        tuple(wanted),
        tuple(fields),
        operation,
        mode == "deletion",
        tuple(findings),
        tuple(required),
        original,
        tuple(unread),
    )


def _required(contract: Contract, mode: Mode, by_operation: bool) -> list[str]:
    """Rows to delete need their keys only; so do files in which rows of either kind may stand."""
    keys_only = mode == "deletion" or by_operation
    needed = [f.name for f in contract.fields if f.key or (f.required and not keys_only)]
    return needed


def _refuse_doubles(table: Table, names: Names) -> None:
    seen: dict[str, list[str]] = {}
    for cell in table.header:
        if plain(cell):
            seen.setdefault(names.field(cell) or plain(cell), []).append(cell)
    doubled = {name: cells for name, cells in seen.items() if len(cells) > 1}
    if doubled:
        shown = "; ".join(f"{name}: {', '.join(cells)}" for name, cells in doubled.items())
        raise refusal(
            "columns.duplicate",
            f"有重复的列,无法确定取哪一列:{shown}",
            f"Columns occur twice, so it is not known which to take: {shown}",
            advice=("删除或改名重复的列", "Remove or rename the doubled columns"),
            row=table.header_row,
            columns=sorted(doubled),
        )


def _refuse_operation(operation: int | None, profile: ImportProfile | None, mode: Mode, table: Table) -> None:
    if mode == "increment" and profile and profile.operation_column and operation is None:
        raise refusal(
            "columns.operation-missing",
            f"导入方案声明了操作列 {profile.operation_column},文件中没有",
            f"The import profile names the operation column {profile.operation_column}; the file has none",
            row=table.header_row,
            found=list(table.header)[:100],
        )


def _missing(
    missing: Sequence[str], header: Sequence[str], near: Sequence[tuple[str, str, str]] = ()
) -> UnreadableFile:
    zh = "".join(f";列“{cell}”注明“{inside}”,与 {field} 不同" for cell, field, inside in near)
    en = "".join(f'; column "{cell}" says "{inside}" and so is not {field}' for cell, field, inside in near)
    return refusal(
        "columns.missing",
        f"缺少必需的列:{'、'.join(missing)};文件中的列为:{'、'.join(header[:50])}{zh}",
        f"Required columns are missing: {', '.join(missing)}; the file has: {', '.join(header[:50])}{en}",
        advice=(
            "核对表头;列名不同时请在导入方案中设置映射,表头不在第一行时请设置 header_row",
            "Check the header; map other names in the import profile; set header_row if it is not row 1",
        ),
        missing=list(missing),
        found=list(header[:100]),
    )


def unknown_column(cell: str, field: str = "", inside: str = "") -> Structural:
    """A column that is not taken. ``field``: what it would be, did it not say ``inside`` in brackets."""
    if field:
        return Structural(
            "column.unit",
            f"列“{cell}”注明“{inside}”,未作为 {field} 接收;请按契约的单位填报并去掉注明,或在导入方案中映射",
            f'Column "{cell}" says "{inside}" and was not taken as {field}; give it in the unit of the '
            "contract without the words in brackets, or map it in the import profile",
            column=cell,
        )
    return Structural(
        "column.unknown",
        f"列 {cell} 不在数据契约中,未接收",
        f"Column {cell} is not in the contract; it was not taken",
        column=cell,
    )


def _absent(name: str) -> Structural:
    return Structural(
        "column.absent",
        f"文件没有列 {name},该字段全部为空",
        f"The file has no column {name}; the field is empty in every row",
        column=name,
    )
