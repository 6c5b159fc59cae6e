"""The delivered texts as a polars frame, typed as far as the rules need it."""

from __future__ import annotations

import polars as pl


def read(path: str) -> pl.DataFrame:
    frame = pl.read_parquet(path)
    money = pl.col("principal", "interest").cast(pl.Float64, strict=False)
    return frame.with_columns(money, pl.col("file_date", "due_date").str.to_date("%Y-%m-%d", strict=False))
