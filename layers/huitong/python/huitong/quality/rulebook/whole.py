"""Rules that speak of a delivery as a whole: how recent, how large, how it is distributed (Q-21)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import duckdb

from huitong.batches.model import Batch
from huitong.contracts.model import Contract, Field
from huitong.quality.rulebook import statements
from huitong.quality.rulebook.model import OfficeRule
from huitong.quality.rulebook.tables import Tables

_CHINA: Final = timedelta(hours=8)
_EPOCH: Final = date(1970, 1, 1)
_FEWEST: Final = 100


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says of the delivery as a whole."""

    number: int
    value: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the delivery. ``published``: view ``other`` is what is served of the resource."""

    batch: Batch
    contract: Contract
    today: date
    tables: Tables
    published: bool


class Left(Exception):
    """Why a rule was not carried out; never leaves the engine."""

    def __init__(self, why: str, state: str = "failed") -> None:
        super().__init__(why)
        self.state = state


def of_batch(
    connection: duckdb.DuckDBPyConnection, number: int, rule: OfficeRule, facts: Facts
) -> Said | None:
    """None when the rule holds. Raises Left, and what DuckDB raises."""
    if rule.kind == "volume":
        return _volume(number, rule.parameters, facts)
    own = facts.contract.field_named(rule.fields[0])
    if own is None:
        raise Left(f"there is no field {rule.fields[0]}")
    if rule.kind == "freshness":
        return _freshness(connection, number, own, int(rule.parameters["days"]), facts.today)
    if not facts.published:
        raise Left("nothing is published yet", "skipped")
    return _drift(connection, number, own, rule.parameters)


def _drift(
    connection: duckdb.DuckDBPyConnection, number: int, own: Field, asked: Mapping[str, Any]
) -> Said | None:
    apart, mine, theirs = connection.execute(statements.distance(own)).fetchall()[0]
    fewest, limit = int(asked.get("minimum_rows", _FEWEST)), float(asked["percent"])
    if min(mine or 0, theirs or 0) < fewest:
        raise Left(f"fewer than {fewest} rows to compare", "skipped")
    if apart <= limit:
        return None
    zh = f"{own.title or own.name} 的分布与已发布数据相差 {apart:.1f}%,上限 {limit:g}%。请核对本次报送。"
    en = f"{own.name}: its distribution is {apart:.1f} % away from the published one, limit {limit:g} %."
    return Said(number, f"{apart:.1f}", zh, en)


def _freshness(
    connection: duckdb.DuckDBPyConnection, number: int, own: Field, days: int, today: date
) -> Said | None:
    micros = connection.execute(statements.newest(own)).fetchall()[0][0]
    if micros is None:
        return Said(number, "", "没有可判断时效的日期。", "There is no date to tell how recent the data are.")
    ahead = _CHINA if own.type == "timestamp" else timedelta()
    newest = _EPOCH + timedelta(days=(timedelta(microseconds=micros) + ahead).days)
    age = (today - newest).days
    if age <= days:
        return None
    zh = f"最新的数据为 {newest},距报送 {age} 天,上限 {days} 天。"
    en = f"The newest value is of {newest}, {age} days before receipt; the limit is {days}."
    return Said(number, newest.isoformat(), zh, en)


def _volume(number: int, asked: Mapping[str, Any], facts: Facts) -> Said | None:
    usual = facts.tables.usual(facts.batch, int(asked["editions"]))
    if not usual:
        raise Left("there are no earlier deliveries", "skipped")
    mean, rows = sum(usual) / len(usual), facts.batch.counts.received
    percent = 100.0 * (rows - mean) / mean if mean else (100.0 if rows else 0.0)
    direction, limit = str(asked.get("direction", "both")), float(asked["percent"])
    if abs(percent) <= limit or (direction != "both" and (direction == "more") != (percent > 0)):
        return None
    told = f"{percent:+.1f}"
    zh = f"本次 {rows} 行,近 {len(usual)} 次平均 {mean:.0f} 行,相差 {told}%,上限 {limit:g}%。请核对是否漏报。"
    en = (
        f"{rows} rows; the last {len(usual)} deliveries had {mean:.0f} on average: {told} %, "
        f"limit {limit:g} %. Check that nothing is missing."
    )
    return Said(number, str(rows), zh, en)
