"""What a day costs and where it is tight, at each factor of ten: the tables of docs/scale.md.

``python infra/scale_model.py`` writes them, ``--check`` compares. Everything assumed stands here as data with
its source; nothing was measured on AWS. Prices and limits are those of one region at one date: check them.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, fields
from math import ceil
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs/scale.md"
BEGIN, END = "<!-- computed: {} -->", "<!-- end -->"
FACTORS: Final = tuple(10**n for n in range(5, 11))  # rows a day
MONTH: Final = 30  # days
#: MaxConcurrency of infra/state_machines/compare_in_parts.asl.json; a test compares.
PARTS_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Load:
    """Who delivers what. Rows have 12 columns, about 180 bytes as text."""

    units: int = 1_000
    resources_each: int = 2  # delivered once a day by each unit
    largest_share: float = 0.10  # of a day's rows in its largest delivery
    changed_share: float = 0.20  # of delivered rows: inserted, updated, deleted
    receivers: int = 5  # subscriptions of a resource
    window_hours: float = 4  # in which most of a day arrives
    kept_editions: float = 10  # rows kept for each row of a day: current, change log, landed, staged
    queries_each: int = 50  # of a unit a day
    query_share: float = 0.01  # of the rows of a day that one query reads


@dataclass(frozen=True)
class Measured:
    """Seconds per million rows, of two editions of ``make fanout ROWS=10000000`` on 2 processors; of pushing,
    assumed. ``vcpus`` is what 3,008 MB have."""

    ingest_cpu: float = 2.6
    validate_cpu: float = 5.5
    compare_cpu: float = 6.7
    push_cpu: float = 12.0  # of a million changes, for one receiver
    vcpus: float = 1.7
    gigabytes: float = 2.9375  # of memory of each of these functions
    bytes_a_row: float = 65  # as Parquet, zstd
    bytes_landed: float = 180


@dataclass(frozen=True)
class Limit:
    """One bound of AWS. ``name`` as in Service Quotas or the service's page."""

    name: str
    value: float
    unit: str
    raised: str  # by whom or how it becomes larger


#: us-east-1, as documented in 2025 for new accounts; to be checked before use.
LIMITS: Final = {
    "lambda": Limit("Lambda concurrent executions", 1_000, "at once", "on request, to tens of thousands"),
    "lambda-time": Limit("Lambda timeout", 900, "s", "never: larger work is cut into parts"),
    "validate": Limit(
        "intake and validation of one delivery (extrapolated)", 30e6, "rows", "by delivering in several files"
    ),
    "fifo": Limit(
        "SQS FIFO, high throughput, by API call", 3_000, "a second", "on request; batches count once"
    ),
    "dynamodb": Limit("DynamoDB write units of a table", 40_000, "a second", "on request"),
    "dynamodb-key": Limit(
        "DynamoDB write units of one partition key", 1_000, "a second", "never: chains of evidence are spread"
    ),
    "s3": Limit("S3 PUT of a prefix", 3_500, "a second", "by prefixes, which S3 splits by itself"),
    "glue": Limit("Glue UpdateTable (assumed)", 10, "a second", "on request"),
    "map": Limit("Step Functions, parallel children of a distributed map", 10_000, "at once", "never"),
    "athena": Limit("Athena active DML queries", 200, "at once", "on request; 20 in small regions"),
    "kms": Limit("KMS symmetric operations", 50_000, "a second", "on request; 10,000 in small regions"),
    "api": Limit("API Gateway requests", 10_000, "a second", "on request"),
}


@dataclass(frozen=True)
class Prices:
    """US dollars, us-east-1, list prices as known in 2025, without free tiers and discounts.

    China's regions have prices of their own (yuan). Check before use: https://aws.amazon.com/pricing"""

    lambda_gb_second: float = 0.0000166667
    lambda_million: float = 0.20
    s3_gb_month: float = 0.023
    s3_put_million: float = 5.00
    s3_get_million: float = 0.40
    dynamodb_write_million: float = 0.625
    dynamodb_read_million: float = 0.125
    sqs_fifo_million: float = 0.50
    states_million: float = 25.0
    kms_million: float = 3.0
    api_million: float = 3.50
    athena_terabyte: float = 5.0
    logs_gb: float = 0.50


@dataclass(frozen=True)
class Day:
    """What a day of so many rows makes of the services."""

    rows: int
    deliveries: float
    rows_each: float
    seconds: float  # of functions
    at_once: float  # functions, in the window
    parts: int  # of the largest delivery
    messages: float  # of FIFO queues
    writes: float  # units of DynamoDB
    evidence: float  # of them to chains of evidence
    puts: float
    gets: float
    commits: float
    transitions: float
    queries: float
    scanned_tb: float
    requests: float


def day(
    rows: int, load: Load, measured: Measured, part_rows: float = 1_250_000, cut_from: float = 5e6
) -> Day:
    """A day's work. Rows of a delivery below ``cut_from`` are compared by one function."""
    deliveries = load.units * load.resources_each
    rows_each, largest = rows / deliveries, rows * load.largest_share
    parts = _power(largest / part_rows) if largest >= cut_from else 0
    millions = rows / 1e6
    changes = millions * load.changed_share * load.receivers
    cpu = millions * (measured.ingest_cpu + measured.validate_cpu + measured.compare_cpu)
    cpu += changes * measured.push_cpu
    runs = deliveries * (3 + load.receivers) + parts
    seconds = cpu / measured.vcpus + runs * 0.5  # half a second of start, register and catalogue each
    window = load.window_hours * 3_600
    pushed = deliveries * load.receivers * max(1.0, ceil(rows_each * load.changed_share / 200_000))
    writes = deliveries * 60 + pushed * 24  # transactions count twice; index entries too
    queries = load.units * load.queries_each
    return Day(
        rows=rows,
        deliveries=deliveries,
        rows_each=rows_each,
        seconds=seconds,
        at_once=seconds / window,
        parts=parts,
        messages=deliveries * 3 + pushed,
        writes=writes,
        evidence=deliveries * 4 + pushed,
        puts=deliveries * 25 + pushed * 2 + parts * 6,
        gets=deliveries * 60 + pushed * 5 + queries * 10 + parts * 10,
        commits=deliveries * 2,
        transitions=parts * 6 + 5 if parts else 0,
        queries=queries,
        scanned_tb=queries * rows * load.query_share * measured.bytes_a_row / 1e12,
        requests=queries + deliveries * 10,
    )


def uses(d: Day, load: Load, measured: Measured) -> dict[str, float]:
    """Share of each limit that the peak of a day takes; above 1 it is too much."""
    window = load.window_hours * 3_600
    largest = d.rows * load.largest_share
    compare_alone = (largest / 1e6) * measured.compare_cpu / measured.vcpus
    seconds = compare_alone / max(1, d.parts)
    at_peak = {
        "lambda": d.at_once + min(d.parts, PARTS_AT_ONCE),
        "lambda-time": seconds,
        "validate": largest,
        "fifo": d.messages / window,
        "dynamodb": d.writes / window,
        "dynamodb-key": d.evidence / window / 16,  # chains of a day (huitong.audit.chain)
        "s3": d.puts / window / 4,
        "glue": d.commits / window,
        "map": float(d.parts),
        "athena": d.queries / (8 * 3_600) * max(2.0, d.rows * load.query_share / 50e6),
        "kms": (d.puts + d.gets) / window / 100 + d.writes / window / 10,  # bucket keys, cached data keys
        "api": d.requests / window,
    }
    return {name: at_peak[name] / limit.value for name, limit in LIMITS.items()}


def costs(d: Day, load: Load, measured: Measured, prices: Prices) -> dict[str, float]:
    """Dollars a month."""
    stored = d.rows * (measured.bytes_a_row * load.kept_editions + measured.bytes_landed * MONTH * 0.2) / 1e9
    a_day = {
        "Lambda": d.seconds * measured.gigabytes * prices.lambda_gb_second
        + (d.messages + d.requests) / 1e6 * prices.lambda_million,
        "S3": d.puts / 1e6 * prices.s3_put_million + d.gets / 1e6 * prices.s3_get_million,
        "DynamoDB": d.writes / 1e6 * prices.dynamodb_write_million
        + d.writes * 3 / 1e6 * prices.dynamodb_read_million,
        "SQS, Step Functions": d.messages * 3 / 1e6 * prices.sqs_fifo_million
        + d.transitions / 1e6 * prices.states_million,
        "KMS": (d.writes / 10 + (d.puts + d.gets) / 100) / 1e6 * prices.kms_million,
        "API": d.requests / 1e6 * prices.api_million,
        "Athena": d.scanned_tb * prices.athena_terabyte,
        "Logs": (d.messages * 2 + d.requests) * 1_000 / 1e9 * prices.logs_gb,
    }
    monthly = {name: cost * MONTH for name, cost in a_day.items()}
    monthly["S3"] += stored * prices.s3_gb_month
    return monthly


def _power(parts: float) -> int:
    return min(1_024, 1 << max(0, ceil(parts) - 1).bit_length())


# --- tables ----------------------------------------------------------------


def bottlenecks(load: Load, measured: Measured) -> str:
    lines = [
        "| rows a day 日行数 | a delivery 每批行数 | functions at once 并发 "
        "| parts of the largest 最大批次分片 | tightest 最紧处 | next 其次 |",
        "|---:|---:|---:|---:|---|---|",
    ]
    for rows in FACTORS:
        d = day(rows, load, measured)
        first, second = sorted(uses(d, load, measured).items(), key=lambda use: -use[1])[:2]
        told = [f"{LIMITS[name].name}: {_percent(share)}" for name, share in (first, second)]
        lines.append(
            f"| {rows:,} | {d.rows_each:,.0f} | {d.at_once:,.1f} | {d.parts or '–'} | {told[0]} | {told[1]} |"
        )
    return "\n".join(lines)


def monthly(load: Load, measured: Measured, prices: Prices) -> str:
    found = {rows: costs(day(rows, load, measured), load, measured, prices) for rows in FACTORS}
    names = list(found[FACTORS[0]])
    lines = [
        f"| rows a day | {' | '.join(names)} | US$ a month | US$ per million rows |",
        "|---:" * (len(names) + 3) + "|",
    ]
    for rows, parts in found.items():
        total = sum(parts.values())
        shown = " | ".join(_money(parts[name]) for name in names)
        lines.append(f"| {rows:,} | {shown} | **{_money(total)}** | {total / (rows * MONTH / 1e6):,.3f} |")
    return "\n".join(lines)


def limits() -> str:
    lines = ["| limit | value | how it grows |", "|---|---:|---|"]
    return "\n".join(
        [*lines, *(f"| {one.name} | {one.value:,.0f} {one.unit} | {one.raised} |" for one in LIMITS.values())]
    )


def assumptions(*groups: object) -> str:
    lines = ["| assumption | value |", "|---|---:|"]
    for group in groups:
        kind = type(group).__name__.lower()
        for one in fields(group):  # type: ignore[arg-type]
            lines.append(f"| {kind}: `{one.name}` | {getattr(group, one.name):,g} |")
    return "\n".join(lines)


def _percent(share: float) -> str:
    return f"**{share:,.1f} ×**" if share > 1 else f"{share * 100:,.1f} %"


def _money(dollars: float) -> str:
    return f"{dollars:,.0f}" if dollars >= 10 else f"{dollars:,.2f}"


def tables() -> dict[str, str]:
    load, measured, prices = Load(), Measured(), Prices()
    return {
        "bottlenecks": bottlenecks(load, measured),
        "costs": monthly(load, measured, prices),
        "limits": limits(),
        "assumptions": assumptions(load, measured, prices),
    }


def written(page: str) -> str:
    """The page with its tables as they are computed now. Raises ValueError when it lacks the place of one."""
    for name, table in tables().items():
        begin = BEGIN.format(name)
        before, found, rest = page.partition(begin)
        _, ended, after = rest.partition(END)
        if not (found and ended):
            raise ValueError(f"docs/scale.md has no place for {name}")
        page = f"{before}{begin}\n{table}\n{END}{after}"
    return page


def main(words: Iterable[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the page is up to date")
    asked = parser.parse_args(list(words))
    page = PAGE.read_text()
    if asked.check:
        return int(page != written(page))
    PAGE.write_text(written(page))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
