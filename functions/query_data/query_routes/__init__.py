"""Routes that read data: they carry pyarrow and DuckDB, the other app does not."""
