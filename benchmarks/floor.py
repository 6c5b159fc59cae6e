"""The floor: DuckDB reads the CSV as text and writes it as zstd Parquet. Imports nothing of ours."""

from __future__ import annotations


def floor(source: str, target: str) -> None:
    import duckdb

    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT * FROM read_csv('{source}', all_varchar=true)) "
            f"TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
        )
