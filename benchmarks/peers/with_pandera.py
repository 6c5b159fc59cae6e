"""Pandera on polars, lazily: every failure case of every check."""

from __future__ import annotations

from datetime import date

import pandera.polars as pa
import polars as pl
from common import CLAIM_ID, CREDITOR, PHONE, PRINCIPAL, SINCE, STATES, TYPES, measured
from polars_frame import read

SCHEMA = pa.DataFrameSchema(
    {
        "claim_id": pa.Column(pl.String, pa.Check.str_matches(CLAIM_ID), nullable=False, unique=True),
        "case_no": pa.Column(pl.String, nullable=False),
        "creditor": pa.Column(pl.String, pa.Check.str_length(max_value=CREDITOR), nullable=True),
        "phone": pa.Column(pl.String, pa.Check.str_matches(PHONE), nullable=True),
        "principal": pa.Column(pl.Float64, pa.Check.in_range(*PRINCIPAL), nullable=True),
        "interest": pa.Column(pl.Float64, pa.Check.ge(0), nullable=True),
        "file_date": pa.Column(pl.Date, pa.Check.ge(date.fromisoformat(SINCE)), nullable=True),
        "claim_type": pa.Column(pl.String, pa.Check.isin(TYPES), nullable=True),
        "state": pa.Column(pl.String, pa.Check.isin(STATES), nullable=True),
    },
    checks=pa.Check(lambda data: data.lazyframe.select(pl.col("due_date") >= pl.col("file_date"))),
)


def check(path: str, out: str) -> dict[str, int]:
    frame = read(path)
    try:
        SCHEMA.validate(frame, lazy=True)
    except pa.errors.SchemaErrors as errors:
        cases = errors.failure_cases
        cases.write_parquet(out)
        counted = cases.group_by("column", "check").len().sort("column", "check")
        return {f"{column}:{rule}": n for column, rule, n in counted.iter_rows()}
    return {}


measured(check)
