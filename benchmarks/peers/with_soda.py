"""Soda on DuckDB. Without Soda Cloud it keeps counts, not the rows; its user asks for those of each failed
check by a query, which ``SODA_ROWS`` adds."""

from __future__ import annotations

import logging
import os
import tempfile
from pathlib import Path

import duckdb
import yaml
from common import CLAIM_ID, CREDITOR, PHONE, PRINCIPAL, SINCE, STATES, TYPES, measured
from soda_core.contracts import verify_contract_locally
from soda_duckdb.common.data_sources.duckdb_data_source import DuckDBDataSourceImpl
from soda_duckdb.common.data_sources.duckdb_data_source_connection import (
    DuckDBDataSource,
    DuckDBExistingConnectionProperties,
)


def column(name: str, check: str, **valid: object) -> dict[str, object]:
    return {"name": name, **valid, "checks": [{check: None}]}


CONTRACT = {
    "dataset": "rows/memory/main/claims",
    "columns": [
        {"name": "claim_id", "valid_format": {"regex": CLAIM_ID, "name": "claim"},
         "checks": [{"missing": None}, {"invalid": None}, {"duplicate": None}]},
        column("case_no", "missing"),
        column("creditor", "invalid", valid_max_length=CREDITOR),
        column("phone", "invalid", valid_format={"regex": PHONE, "name": "phone"}),
        column("principal", "invalid", valid_min=PRINCIPAL[0], valid_max=PRINCIPAL[1]),
        column("interest", "invalid", valid_min=0),
        column("claim_type", "invalid", valid_values=TYPES),
        column("state", "invalid", valid_values=STATES),
    ],
    "checks": [
        {"failed_rows": {"name": "since", "expression": f"file_date < DATE '{SINCE}'"}},
        {"failed_rows": {"name": "order", "expression": "due_date < file_date", "qualifier": "order"}},
    ],
}  # fmt: skip


#: The rows of each check, as Soda itself writes its conditions.
FAILED = {
    "claim_id": [
        "claim_id IS NULL",
        f"claim_id IS NOT NULL AND NOT regexp_matches(claim_id, '{CLAIM_ID}')",
        "claim_id IN (SELECT claim_id FROM claims WHERE claim_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1)",
    ],
    "case_no": ["case_no IS NULL"],
    "creditor": [f"length(creditor) > {CREDITOR}"],
    "phone": [f"NOT regexp_matches(phone, '{PHONE}')"],
    "principal": [f"principal < {PRINCIPAL[0]} OR principal > {PRINCIPAL[1]}"],
    "interest": ["interest < 0"],
    "file_date": [f"file_date < DATE '{SINCE}'"],
    "due_date": ["due_date < file_date"],
    "claim_type": [f"claim_type NOT IN ({', '.join(map(repr, TYPES))})"],
    "state": [f"state NOT IN ({', '.join(map(repr, STATES))})"],
}


def check(path: str, out: str) -> dict[str, int]:
    logging.disable(logging.CRITICAL)
    connection = duckdb.connect()
    typed = ", ".join(
        f"TRY_CAST({name} AS {kind}) AS {name}"
        for name, kind in (("principal", "DECIMAL(18, 2)"), ("interest", "DECIMAL(18, 2)"),
                           ("file_date", "DATE"), ("due_date", "DATE"))
    )  # fmt: skip
    connection.execute(f"CREATE TABLE claims AS SELECT * REPLACE ({typed}) FROM read_parquet('{path}')")
    given = DuckDBExistingConnectionProperties(duckdb_connection=connection.cursor())  # it closes it
    source = DuckDBDataSourceImpl(DuckDBDataSource(name="rows", connection_properties=given))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "contract.yaml"
        file.write_text(yaml.safe_dump(CONTRACT), encoding="utf-8")
        answer = verify_contract_locally(data_sources=[source], contract_file_path=str(file))
    (result,) = answer.contract_verification_results
    if os.environ.get("SODA_ROWS"):
        rows = " UNION ALL ".join(
            f"SELECT _source_row, '{name}:{n}' AS rule, {name}::VARCHAR AS value FROM claims WHERE {failed}"
            for name, conditions in FAILED.items()
            for n, failed in enumerate(conditions)
        )
        connection.execute(f"COPY ({rows}) TO '{out}' (FORMAT parquet)")
    found = {}
    for number, one in enumerate(result.check_results):
        values = one.diagnostic_metric_values or {}
        counts = [
            v for k, v in values.items() if k.endswith("_count") and not k.startswith(("check", "dataset"))
        ]
        found[f"{number}:{one.check.type}:{one.check.column_name or ''}"] = int(counts[0]) if counts else -1
    return found


measured(check)
