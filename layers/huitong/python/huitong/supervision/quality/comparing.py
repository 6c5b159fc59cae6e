"""Two published tables compared for an item that both have: one join over snapshots (L-06). Heavy."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Final

import duckdb

from huitong.audit.subjects import blind_sql, record_text_sql
from huitong.contracts.model import Contract
from huitong.quality.masking import mask_of, mask_sql
from huitong.quality.rulebook.binding import Known, SetCheck, bind
from huitong.quality.rulebook.model import OfficeRule
from huitong.sharing.names import literal, quoted
from huitong.supervision.quality.conflicts import Differing
from huitong.warehouse.lakehouse import Lakehouse
from huitong.warehouse.publication import Publications
from huitong.warehouse.reading import relation_of

_MEMORY: Final = "300MB"
#: More differing records than these are a fault of the rule or of a delivery: so many are told.
MOST: Final = 100_000
_NUMBERS: Final = frozenset({"integer", "decimal", "double"})


class Comparison:
    """``key`` gives the platform's key for blind indexes."""

    def __init__(
        self, lakehouse: Lakehouse, publications: Publications, key: Callable[[], str], known: Known
    ) -> None:
        self._lakehouse = lakehouse
        self._publications = publications
        self._key = key
        self._known = known

    def version(self, own: Contract, other: Contract) -> str:
        """Which publications are compared."""
        served = (self._publications.get(own.id), self._publications.get(other.id))
        return ":".join(str(p.seq if p else 0) for p in served)

    def differing(self, rule: OfficeRule, own: Contract, other: Contract) -> list[Differing] | None:
        """Records of ``own`` whose value is another than that of ``other``; None when one is not published.

        Raises BadRequest when the rule does not fit the contracts any more.
        """
        if self._publications.get(own.id) is None or self._publications.get(other.id) is None:
            return None
        check = bind(rule, own, self._known).check
        if check is None:
            return None
        with ExitStack() as stack:
            sides = []
            for contract in (own, other):
                served = self._publications.at(contract.id).current_snapshot
                files = self._lakehouse.files(contract, "current", served)
                sides.append(stack.enter_context(relation_of(self._lakehouse, contract, "current", files)))
            (mine, paths), (theirs, others) = sides
            connection = duckdb.connect(config={"memory_limit": _MEMORY})
            stack.callback(connection.close)
            allowed = ", ".join(literal(str(p)) for p in (*paths, *others))
            connection.execute(f"SET allowed_paths = [{allowed}]; SET enable_external_access = false")
            connection.execute("SET lock_configuration = true")
            statement = _statement(check, own, other, mine, theirs, self._key())
            return [Differing(*row) for row in connection.execute(statement).fetchall()]


def _statement(check: SetCheck, own: Contract, other: Contract, mine: str, theirs: str, key: str) -> str:
    asked, (name,) = check.rule.parameters, check.rule.fields
    joined = [_pair(own, a, other, str(b)) for a, b in dict(asked["keys"]).items()]
    left, right = _pair(own, name, other, str(asked["other_field"]))
    differ = f"{left} <> {right}"
    if asked.get("tolerance") is not None:
        differ = f"abs({left} - {right}) > {literal(str(asked['tolerance']))}::DECIMAL(38, 9)"
    record = blind_sql(key, "record", record_text_sql(own, "d"))
    values = f"CAST({left} AS VARCHAR) || chr(31) || CAST({right} AS VARCHAR)"
    return (
        f"SELECT {record}, d._batch_id, d._source_row, {blind_sql(key, 'record', values)}, "
        f"{_masked(own, name, 'd')}, {_masked(other, str(asked['other_field']), 'o')} "
        f"FROM {_rows(mine, check.when)} AS d JOIN {_rows(theirs, check.where)} AS o "
        f"ON {' AND '.join(f'{a} = {b}' for a, b in joined)} WHERE {differ} ORDER BY 1 LIMIT {MOST}"
    )


def _pair(own: Contract, mine: str, other: Contract, theirs: str) -> tuple[str, str]:
    """Two columns to be compared; as text where their types differ."""
    left, right = f"d.{quoted(mine)}", f"o.{quoted(theirs)}"
    kinds = {f.type for f in (own.field_named(mine), other.field_named(theirs)) if f}
    if len(kinds) > 1 and not kinds <= _NUMBERS:
        return f"CAST({left} AS VARCHAR)", f"CAST({right} AS VARCHAR)"
    return left, right


def _rows(relation: str, condition: str) -> str:
    where = f" WHERE coalesce(({condition}), false)" if condition else ""
    return f"(SELECT * FROM ({relation}){where})"


def _masked(contract: Contract, name: str, alias: str) -> str:
    field = contract.field_named(name)
    mask = mask_of(field) if field else "all"
    return f"left(CAST({mask_sql(mask, f'{alias}.{quoted(name)}')} AS VARCHAR), 200)"
