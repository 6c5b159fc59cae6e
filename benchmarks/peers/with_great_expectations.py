"""Great Expectations on pandas, result format COMPLETE: the index of every unexpected row."""

from __future__ import annotations

import great_expectations as gx
import pandas as pd
from common import CLAIM_ID, CREDITOR, PHONE, PRINCIPAL, SINCE, STATES, TYPES, measured

E = gx.expectations
EXPECTATIONS = (
    E.ExpectColumnValuesToNotBeNull(column="claim_id"),
    E.ExpectColumnValuesToMatchRegex(column="claim_id", regex=CLAIM_ID),
    E.ExpectColumnValuesToBeUnique(column="claim_id"),
    E.ExpectColumnValuesToNotBeNull(column="case_no"),
    E.ExpectColumnValueLengthsToBeBetween(column="creditor", max_value=CREDITOR),
    E.ExpectColumnValuesToMatchRegex(column="phone", regex=PHONE),
    E.ExpectColumnValuesToBeBetween(column="principal", min_value=PRINCIPAL[0], max_value=PRINCIPAL[1]),
    E.ExpectColumnValuesToBeBetween(column="interest", min_value=0),
    E.ExpectColumnValuesToBeBetween(column="file_date", min_value=pd.Timestamp(SINCE)),
    E.ExpectColumnValuesToBeInSet(column="claim_type", value_set=TYPES),
    E.ExpectColumnValuesToBeInSet(column="state", value_set=STATES),
    E.ExpectColumnPairValuesAToBeGreaterThanB(
        column_A="due_date", column_B="file_date", or_equal=True, ignore_row_if="either_value_is_missing"
    ),
)


def check(path: str, out: str) -> dict[str, int]:
    frame = pd.read_parquet(path)
    for name in ("principal", "interest"):
        frame[name] = pd.to_numeric(frame[name], errors="coerce")
    for name in ("file_date", "due_date"):
        frame[name] = pd.to_datetime(frame[name], format="%Y-%m-%d", errors="coerce")
    context = gx.get_context(mode="ephemeral")
    asset = context.data_sources.add_pandas("rows").add_dataframe_asset("rows")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite("twelve", expectations=list(EXPECTATIONS))
    answer = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    found, tables = {}, []
    for number, result in enumerate(answer.results):
        if result.exception_info and result.exception_info.get("raised_exception"):
            raise RuntimeError(result.exception_info)
        rows = result.result.get("unexpected_index_list") or []
        values = list(map(str, result.result.get("unexpected_list") or []))
        values = values if len(values) == len(rows) else [""] * len(rows)  # what is missing has no values
        tables.append(pd.DataFrame({"row": rows, "rule": number, "value": values}))
        found[str(number)] = len(rows)
    pd.concat(tables).to_parquet(out)
    return found


measured(check)
