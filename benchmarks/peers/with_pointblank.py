"""pointblank on polars: extracts of failing rows, all of them."""

from __future__ import annotations

from datetime import date

import pointblank as pb
import polars as pl
from common import CLAIM_ID, CREDITOR, PHONE, PRINCIPAL, SINCE, STATES, TYPES, measured
from polars_frame import read


def check(path: str, out: str) -> dict[str, int]:
    frame = read(path)
    plan = (
        pb.Validate(frame)
        .col_vals_not_null("claim_id")
        .col_vals_regex("claim_id", CLAIM_ID, na_pass=True)
        .rows_distinct(columns_subset="claim_id")
        .col_vals_not_null("case_no")
        .col_vals_regex("creditor", f"^.{{0,{CREDITOR}}}$", na_pass=True)
        .col_vals_regex("phone", PHONE, na_pass=True)
        .col_vals_between("principal", *PRINCIPAL, na_pass=True)
        .col_vals_ge("interest", 0, na_pass=True)
        .col_vals_ge("file_date", date.fromisoformat(SINCE), na_pass=True)
        .col_vals_in_set("claim_type", TYPES)
        .col_vals_in_set("state", STATES)
        .col_vals_ge("due_date", pb.col("file_date"), na_pass=True)
        .interrogate(extract_limit=frame.height)
    )
    extracts = {step: rows for step, rows in plan.get_data_extracts().items() if rows is not None}
    columns = {step.i: step.column for step in plan.validation_info}
    pl.concat([_violations(step, columns[step], rows) for step, rows in extracts.items()]).write_parquet(out)
    return {str(step): len(rows) for step, rows in extracts.items()}


def _violations(step: int, column: str | list[str], rows: pl.DataFrame) -> pl.DataFrame:
    name = column if isinstance(column, str) else column[0]
    return rows.select("_row_num_", pl.lit(step).alias("step"), pl.col(name).cast(pl.String).alias("value"))


measured(check)
