"""One vectorised pass over a block of delivered rows: which rows break which rules (Q-20, Q-21)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import duckdb
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from huitong.contracts.model import CITIZEN_CARD, Field, RowRule
from huitong.errors import InvalidContract
from huitong.quality import artefacts
from huitong.quality.compile import FieldPlan, Plan
from huitong.quality.semantics.base import Context, Mask, Texts, as_mask, full_match, within
from huitong.quality.typed import Converter, arrow_type

if TYPE_CHECKING:
    from huitong.quality.cleansing.apply import Change

Rows = npt.NDArray[np.int64]

_BITS: Final = 62
_THREADS: Final = 2
_WORTH_THREADS: Final = 32_768
#: Days since 1899-12-30 from 1968 to 2064, as a spreadsheet shows them without a format.
_SERIAL_DATE: Final = r"(?:2[5-9]|[345]\d)\d{3}(?:\.\d+)?"
_FULL_WIDTH: Final = r"(?s).*[\x{FF01}-\x{FF5E}].*"


@dataclass(frozen=True, slots=True)
class Block:
    """Delivered rows: texts by column (plain or dictionary arrays; a missing column is absent)."""

    columns: Mapping[str, Any]
    source_rows: Any
    deletes: Mask | None  # rows that only ask for a deletion
    delivered: Mapping[str, Any] = field(default_factory=dict)  # columns that cleansing changed, before it
    changes: tuple[Change, ...] = ()  # what it changed

    def __len__(self) -> int:
        return len(self.source_rows)

    def as_delivered(self, name: str) -> Any:
        """The texts of a column as they came; None for a missing one."""
        return self.delivered.get(name, self.columns.get(name))


@dataclass(frozen=True, slots=True)
class Checked:
    """``hits``: rule number → positions of the rows that break it, ascending, only where there are any.
    ``published``: typed values of every field, canonical where there are several spellings."""

    hits: Mapping[int, Rows]
    published: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Column:
    """A column's distinct or plain values, and how rows point to them (None = one value a row)."""

    values: Texts
    indices: Any
    distinct: bool = True  # Parquet dictionaries must be

    def to_rows(self, typed: Any) -> Any:
        return typed if self.indices is None else typed.take(self.indices)

    def mask_to_rows(self, mask: Mask) -> Mask:
        if self.indices is None:
            return mask
        places = self.indices
        if places.null_count == 0:
            spread: Mask = mask.take(places.to_numpy())
            return spread
        extended = np.append(mask, False)
        found: Mask = extended.take(pc.fill_null(places, len(mask)).to_numpy())
        return found


def column_of(array: Any) -> _Column:
    if pa.types.is_dictionary(array.type):
        return _Column(array.dictionary, pc.cast(array.indices, pa.int64()))
    return _Column(array, None)


class Checker:
    """Checks blocks by a plan; ``today`` is the day of receipt."""

    def __init__(
        self, plan: Plan, connection: duckdb.DuckDBPyConnection, today: date, threads: int = _THREADS
    ) -> None:
        self._plan = plan
        self._connection = connection
        self._context = Context(today)
        self._converter = Converter(connection)
        self._threads = threads
        #: rules of the office that could not be carried out, and why
        self.failed: dict[int, str] = {}

    @contextmanager
    def beside(self) -> Iterator[Checker]:
        """One for another thread, with a connection of its own; what fails there is known here."""
        with self._connection.cursor() as own:
            other = Checker(self._plan, own, self._context.today, threads=1)
            other.failed = self.failed
            yield other

    def published(self, block: Block, only: Sequence[Field]) -> dict[str, Any]:
        """Typed, canonical values of these columns, one a row."""
        columns = {f: self._canonical(f, block) for f in only}
        typed = self._converter.convert({f: c.values for f, c in columns.items() if c})
        return {f.name: self._in_rows(f, columns[f], typed, len(block)) for f in only}

    def check(self, block: Block) -> Checked:
        """Raises InvalidContract when a pattern or a row rule of the contract cannot be evaluated."""
        fields = [p.field for p in self._plan.fields]
        columns = {f: self._canonical(f, block) for f in fields}
        typed = self._converter.convert({f: c.values for f, c in columns.items() if c})
        named = {f.name: column for f, column in columns.items()}
        hits = self._check_columns(named, typed, block)
        published = {f.name: self._in_rows(f, columns[f], typed, len(block)) for f in fields}
        self._check_rows(published, block, hits)
        return Checked(hits, published)

    def _check_columns(
        self, columns: Mapping[str, _Column | None], typed: Mapping[str, Any], block: Block
    ) -> dict[int, Rows]:
        """Every rule about single values: of large blocks several columns at once, since Arrow and numpy
        leave the interpreter free meanwhile."""

        def field(plan: FieldPlan) -> dict[int, Rows]:
            found: dict[int, Rows] = {}
            self._check_field(plan, columns[plan.field.name], typed, block, found)
            return found

        def office(plan: FieldPlan) -> dict[int, Rows]:
            found: dict[int, Rows] = {}
            self._check_office(plan, columns[plan.field.name], typed, block, found)
            return found

        alone = [plan for plan in self._plan.columns if plan.type >= 0]  # converted on our one connection
        others = [plan for plan in self._plan.columns if plan.type < 0]
        work = [*((field, plan) for plan in self._plan.fields), *((office, plan) for plan in others)]
        if self._threads == 1 or len(block) < _WORTH_THREADS:
            parts = [check(plan) for check, plan in work]
        else:
            with ThreadPoolExecutor(self._threads, "check") as pool:
                parts = list(pool.map(lambda one: one[0](one[1]), work))
        parts += [office(plan) for plan in alone]
        return {number: rows for part in parts for number, rows in part.items()}

    def _canonical(self, field: Field, block: Block) -> _Column | None:
        array = block.columns.get(field.name)
        if array is None:
            return None
        column = column_of(array)
        plan = next(p for p in self._plan.fields if p.field is field)
        if plan.semantic and plan.semantic.canonical:
            values = plan.semantic.canonical(column.values)
            return replace(column, values=values, distinct=values is column.values)
        return column

    @staticmethod
    def _in_rows(field: Field, column: _Column | None, typed: Mapping[str, Any], rows: int) -> Any:
        if column is None:
            return pa.nulls(rows, arrow_type(field))
        if field.type == "string" and column.indices is not None:
            coded = pa.DictionaryArray.from_arrays(column.indices.cast(pa.int32()), column.values)
            return coded if column.distinct else coded.cast(pa.string()).dictionary_encode()
        return column.to_rows(typed[field.name])

    def _check_office(
        self,
        plan: FieldPlan,
        column: _Column | None,
        typed: Mapping[str, Any],
        block: Block,
        hits: dict[int, Rows],
    ) -> None:
        """As :meth:`_check_field`; a rule that cannot be carried out is left out and noted."""
        if plan.type >= 0 and column is not None:  # it asks for another type than the contract's
            typed = self._converter.convert({plan.field: column.values})
        try:
            self._check_field(plan, column, typed, block, hits)
        except InvalidContract as error:
            self.failed.setdefault(_number(plan), error.en)

    def _check_field(
        self,
        plan: FieldPlan,
        column: _Column | None,
        typed: Mapping[str, Any],
        block: Block,
        hits: dict[int, Rows],
    ) -> None:
        if column is None:
            if plan.null >= 0:
                self._hit(plan.null, np.ones(len(block), dtype=np.bool_), block, hits)
            return
        array = block.columns[plan.field.name]
        if plan.null >= 0 and array.null_count:
            self._hit(plan.null, as_mask(array.is_null()), block, hits)
        excused = self._other_document(plan, block)
        for number, mask in self._broken(plan, column.values, typed[plan.field.name]):
            if mask.any():
                rows = column.mask_to_rows(mask)
                if excused is not None and number in plan.semantic_rules:
                    rows = rows & ~excused
                self._hit(number, rows, block, hits)

    def _other_document(self, plan: FieldPlan, block: Block) -> Mask | None:
        """Rows whose identity number is one of another kind of document."""
        if not (plan.semantic and plan.semantic.name == "citizen-id" and self._plan.id_type):
            return None
        kind = block.columns.get(self._plan.id_type)
        if kind is None:
            return None
        kinds = column_of(kind)
        return kinds.mask_to_rows(as_mask(pc.not_equal(kinds.values, CITIZEN_CARD)))

    def _broken(self, plan: FieldPlan, values: Texts, typed: Any) -> list[tuple[int, Mask]]:
        """Masks over the values of a column, for each rule about single values."""
        field, broken = plan.field, []
        fits: Mask | None = None
        if field.type != "string" and typed.null_count > values.null_count:
            wrong = as_mask(pc.and_(values.is_valid(), typed.is_null()))
            fits = ~wrong
            broken += _mistyped(plan, values, wrong)
        if plan.length >= 0:
            broken.append((plan.length, _wrong_length(field, values)))
        if plan.pattern >= 0:
            broken.append((plan.pattern, as_mask(values.is_valid()) & ~_matches(field, values)))
        if plan.codes >= 0:
            broken.append((plan.codes, as_mask(values.is_valid()) & ~within(values, field.codes)))
        if plan.range >= 0:
            broken.append((plan.range, _out_of_range(field, typed)))
        if plan.semantic:
            context = replace(self._context, negative=_may_be_negative(field))
            masks = plan.semantic.check(values, context)
            for number, mask in zip(plan.semantic_rules, masks, strict=True):
                if number >= 0:
                    broken.append((number, mask if fits is None else mask & fits))
        if plan.texts:
            broken += self._traces(plan, values, broken)
        return broken

    def _traces(
        self, plan: FieldPlan, values: Texts, broken: Sequence[tuple[int, Mask]]
    ) -> list[tuple[int, Mask]]:
        """Traces of tools; where other rules say which texts are right, only in those that break them."""
        among: Mask | None = None
        if artefacts.restricted(plan.field):
            among = np.zeros(len(values), dtype=np.bool_)
            for _, mask in broken:
                among |= mask
        codes = tuple(self._plan.rules[number].id for number in plan.texts)
        return list(zip(plan.texts, artefacts.check(values, codes, among), strict=True))

    def _check_rows(self, published: Mapping[str, Any], block: Block, hits: dict[int, Rows]) -> None:
        rules = [rule for rule in self._plan.row_rules if rule[0] not in self.failed]
        for start in range(0, len(rules), _BITS):
            chosen = rules[start : start + _BITS]
            try:
                self._check_some(chosen, published, block, hits)
            except InvalidContract:
                self._check_each(chosen, published, block, hits)

    def _check_each(
        self,
        rules: Sequence[tuple[int, RowRule]],
        published: Mapping[str, Any],
        block: Block,
        hits: dict[int, Rows],
    ) -> None:
        """One by one, to find which cannot be evaluated: one of the office is left out."""
        for rule in rules:
            try:
                self._check_some([rule], published, block, hits)
            except InvalidContract as error:
                if rule[0] not in self._plan.office:
                    raise
                self.failed.setdefault(rule[0], error.en)

    def _check_some(
        self,
        chosen: Sequence[tuple[int, RowRule]],
        published: Mapping[str, Any],
        block: Block,
        hits: dict[int, Rows],
    ) -> None:
        if chosen:
            names = sorted({name for _, rule in chosen for name in rule.columns})
            relation = pa.table({name: published[name] for name in names})
            bits = " | ".join(
                f"CASE WHEN NOT TRY(({rule.expression})) THEN {1 << i}::BIGINT ELSE 0 END"
                for i, (_, rule) in enumerate(chosen)
            )
            mask = self._bits(relation, bits)
            if not mask.any():
                return
            for i, (number, _) in enumerate(chosen):
                self._hit(number, (mask & (1 << i)) != 0, block, hits)

    def _bits(self, relation: Any, bits: str) -> npt.NDArray[np.int64]:
        self._connection.register("staged", relation)
        try:
            answer = self._connection.sql(f"SELECT {bits} AS bits FROM staged").to_arrow_table()
        except (duckdb.BinderException, duckdb.ParserException, duckdb.CatalogException) as error:
            raise _unusable("row rule", bits, error) from error
        finally:
            self._connection.unregister("staged")
        mask: npt.NDArray[np.int64] = answer.column("bits").to_numpy()
        return mask

    def _hit(self, number: int, mask: Mask, block: Block, hits: dict[int, Rows]) -> None:
        if block.deletes is not None and not self._plan.rules[number].on_deletions:
            mask = mask & ~block.deletes
        rows = np.flatnonzero(mask)
        if len(rows):
            hits[number] = np.union1d(hits[number], rows) if number in hits else rows


def _number(plan: FieldPlan) -> int:
    asked = (plan.null, plan.type, plan.length, plan.pattern, plan.codes, plan.range, *plan.semantic_rules)
    return next(number for number in asked if number >= 0)


def _mistyped(plan: FieldPlan, values: Texts, wrong: Mask) -> list[tuple[int, Mask]]:
    """Values of another type, under the rule that says best what they are."""
    if plan.type < 0:
        return []
    found: list[tuple[int, Mask]] = []
    odd = values.filter(pa.array(wrong))
    for number, pattern in ((plan.serial, _SERIAL_DATE), (plan.wide, _FULL_WIDTH)):
        if number >= 0:
            mask = np.zeros(len(values), dtype=np.bool_)
            mask[wrong] = full_match(odd, pattern)
            found.append((number, mask))
    for _, mask in found:
        wrong = wrong & ~mask
    return [(plan.type, wrong), *found]


def _may_be_negative(field: Field) -> bool:
    return field.minimum is not None and field.minimum.lstrip().startswith("-")


def _wrong_length(field: Field, values: Texts) -> Mask:
    low, high = field.min_length or 0, field.max_length
    wrong = np.zeros(len(values), dtype=np.bool_)
    if len(values) == 0:
        return wrong
    if high is not None and (pc.max(pc.binary_length(values)).as_py() or 0) > high:
        wrong |= as_mask(pc.greater(pc.utf8_length(values), high))
    if low > 1:
        wrong |= as_mask(pc.less(pc.utf8_length(values), low))
    return wrong


def _matches(field: Field, values: Texts) -> Mask:
    try:
        return full_match(values, field.pattern)
    except pa.ArrowInvalid as error:
        raise _unusable("pattern", field.pattern, error) from error


def _out_of_range(field: Field, typed: Any) -> Mask:
    wrong = np.zeros(len(typed), dtype=np.bool_)
    if field.minimum is not None:
        below = pc.less_equal if field.exclusive_minimum else pc.less
        wrong |= as_mask(below(typed, _bound(field, field.minimum)))
    if field.maximum is not None:
        above = pc.greater_equal if field.exclusive_maximum else pc.greater
        wrong |= as_mask(above(typed, _bound(field, field.maximum)))
    return wrong


def _bound(field: Field, text: str) -> Any:
    try:
        if field.type in ("integer", "decimal"):
            return pa.scalar(Decimal(text))
        if field.type == "double":
            return pa.scalar(float(text))
        if field.type == "date":
            return pa.scalar(date.fromisoformat(text))
        if field.type == "timestamp":
            return pa.scalar(datetime.fromisoformat(text), pa.timestamp("us", "UTC"))
    except (ArithmeticError, ValueError) as error:
        raise _unusable("range", text, error) from error
    return pa.scalar(text)


def _unusable(what: str, text: str, error: Exception) -> InvalidContract:
    return InvalidContract(
        f"数据契约中的规则无法执行:{text}",
        f"A {what} of the contract cannot be evaluated: {text} ({error})",
    )
