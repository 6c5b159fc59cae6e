"""Made-up creditors' claims: the table on which speed is measured.

12 text columns, about 190 bytes a row. The second edition against the first:
10 % updated, 5 % new, 5 % gone, and 1 % of its rows broken (a wrong check
digit, an impossible date, an unknown code, an amount with a separator).
"""

from __future__ import annotations

from pathlib import Path

CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: bench-claims
version: 1.0.0
status: active
name: 债权申报(基准测试)
customProperties:
  - {property: providerUscc, value: 1144030000AA01123N}
schema:
  - name: bench_claims
    properties:
      - {name: claim_id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1,
         logicalTypeOptions: {pattern: "C[0-9]{17}"}}
      - {name: case_no, logicalType: string, required: true, semanticType: case-number}
      - {name: creditor, logicalType: string, required: true, logicalTypeOptions: {maxLength: 100}}
      - {name: id_no, logicalType: string, required: true, semanticType: citizen-id, classification: L4,
         customProperties: [{property: mask, value: id}]}
      - {name: phone, logicalType: string, semanticType: mobile}
      - {name: principal, logicalType: number, physicalType: "decimal(18,2)", semanticType: amount}
      - {name: interest, logicalType: number, physicalType: "decimal(18,2)", semanticType: amount}
      - {name: file_date, logicalType: date, required: true}
      - {name: due_date, logicalType: date}
      - {name: claim_type, logicalType: string, enum: ["01", "02", "03", "04", "05"]}
      - {name: state, logicalType: string, enum: ["01", "02", "03"]}
      - {name: remark, logicalType: string, logicalTypeOptions: {maxLength: 200}}
    quality:
      - {type: custom, engine: huitong, name: due-after-file, implementation: "due_date >= file_date"}
"""

_ROWS = """
WITH n AS (SELECT range AS i FROM range({low}, {high})),
id AS (
  SELECT i,
    '4403' || lpad((3 + i % 9)::VARCHAR, 2, '0')
      || strftime(DATE '1900-03-01' + (i % 1300)::INTEGER, '%Y%m%d')
      || lpad((i % 1000)::VARCHAR, 3, '0') AS body
  FROM n),
checked AS (
  SELECT i, body, (
    {weights}
  ) % 11 AS s FROM id)
SELECT
  'C' || lpad(i::VARCHAR, 17, '0') AS claim_id,
  '(2024)粤03破' || (i % 9000 + 1)::VARCHAR || '号(个' || (i % 900 + 1)::VARCHAR || ')' AS case_no,
  '债权人' || (i % 50000)::VARCHAR AS creditor,
  body || substr('10X98765432', s::INTEGER + 1, 1) AS id_no,
  '154' || lpad((i * 7919 % 100000000)::VARCHAR, 8, '0') AS phone,
  (i * 37 % 1000000)::VARCHAR || '.' || lpad((i % 100)::VARCHAR, 2, '0') AS principal,
  (i * 17 % 100000)::VARCHAR || '.' || lpad((i % 100)::VARCHAR, 2, '0') AS interest,
  strftime(DATE '2020-01-01' + (i % 1500)::INTEGER, '%Y-%m-%d') AS file_date,
  strftime(DATE '2021-01-01' + (i % 1500)::INTEGER, '%Y-%m-%d') AS due_date,
  lpad((i % 5 + 1)::VARCHAR, 2, '0') AS claim_type,
  lpad((i % 3 + 1)::VARCHAR, 2, '0') AS state,
  '备注:' || md5(i::VARCHAR) AS remark
FROM checked
"""

_SECOND = """
SELECT * REPLACE (
  CASE WHEN i % 10 = 0 THEN '9' || principal
       WHEN i % 400 = 3 THEN '1,' || principal ELSE principal END AS principal,
  CASE WHEN i % 400 = 103 THEN '2024-02-30' ELSE file_date END AS file_date,
  CASE WHEN i % 400 = 203 THEN '77' ELSE claim_type END AS claim_type,
  CASE WHEN i % 400 = 303 THEN left(id_no, 17) || CASE WHEN right(id_no, 1) = '0' THEN '1' ELSE '0' END
       ELSE id_no END AS id_no
) FROM (SELECT *, substr(claim_id, 2)::BIGINT AS i FROM ({rows})) WHERE i % 20 <> 7
"""


def write_editions(folder: Path, rows: int) -> tuple[Path, Path]:
    """CSV files of two editions (about ``rows`` rows each); made once, kept for later runs."""
    import duckdb

    first, second = folder / f"claims-{rows}-1.csv", folder / f"claims-{rows}-2.csv"
    folder.mkdir(parents=True, exist_ok=True)
    with duckdb.connect() as con:
        if not first.exists():
            con.execute(f"COPY ({_rows(0, rows)}) TO '{first}' (HEADER)")
        if not second.exists():
            grown = _rows(0, rows + rows // 20)
            con.execute(
                f"COPY (SELECT * EXCLUDE (i) FROM ({_SECOND.format(rows=grown)})) TO '{second}' (HEADER)"
            )
    return first, second


def _rows(low: int, high: int) -> str:
    factors = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    weights = " + ".join(f"substr(body, {k}, 1)::INTEGER * {w}" for k, w in enumerate(factors, 1))
    return _ROWS.format(low=low, high=high, weights=weights)
