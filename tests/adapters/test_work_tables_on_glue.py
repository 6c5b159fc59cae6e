"""Work tables for Athena on Glue: entries over files that are there, found by a repeat, dropped without a trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import EndpointConnectionError
from tests.support.compare_world import CLAIMS, claim

from huitong.aws.catalog import glue_catalog
from huitong.errors import Unavailable
from huitong.local.objects import DiskObjects
from huitong.warehouse.arrow_schema import arrow_schema
from huitong.warehouse.files import DataFileRef
from huitong.warehouse.work_tables import WorkTables


@pytest.fixture
def glue() -> Any:
    made = boto3.client("glue", region_name="us-east-1")
    made.create_database(DatabaseInput={"Name": "huitong"})
    return made


def _file(store: DiskObjects, folder: Path, n: int) -> DataFileRef:
    path = folder / f"{n}.parquet"
    rows = [claim(k) for k in range(n)]
    schema = arrow_schema(CLAIMS)
    full = [{**dict.fromkeys(schema.names), **row} for row in rows]
    pq.write_table(pa.Table.from_pylist(full, schema=schema), path)
    store.put_file(f"in_90/data/b1/part-{n:04}.parquet", path)
    return DataFileRef(f"in_90/data/b1/part-{n:04}.parquet", n, path.stat().st_size)


def test_a_work_table_names_files_and_is_the_same_for_a_repeat(glue: Any, tmp_path: Path) -> None:
    """C-38."""
    store = DiskObjects(tmp_path / "warehouse")
    catalog = glue_catalog(glue, warehouse=f"file://{tmp_path}/warehouse")
    work = WorkTables(lambda: catalog, "huitong", store)
    refs = [_file(store, tmp_path, n) for n in (3, 5)]
    made = work.of_rows(CLAIMS, refs)
    assert made == WorkTables(lambda: catalog, "huitong", store).of_rows(CLAIMS, refs)
    scanned = catalog.load_table(("huitong", made.name)).scan(snapshot_id=made.snapshot).to_arrow()
    assert scanned.num_rows == 8
    assert set(scanned.column("claim_no").to_pylist()) == {f"C{n:04}" for n in range(5)}
    other = work.of_rows(CLAIMS, refs[:1])
    assert work.drop_others(CLAIMS, [other]) == 1
    assert [t["Name"] for t in glue.get_tables(DatabaseName="huitong")["TableList"]] == [other.name]
    assert work.drop_others(CLAIMS, []) == 1
    assert [o.key for o in store.list("work_tables/")] == []
    assert len(list(store.list("in_90/data/b1/"))) == 2  # the batch's own files stay


def test_a_glue_that_is_not_there_is_an_error_of_ours(
    glue: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(**_: Any) -> Any:
        raise EndpointConnectionError(endpoint_url="http://glue")

    monkeypatch.setattr(glue, "get_tables", gone)
    catalog = glue_catalog(glue, warehouse=f"file://{tmp_path}")
    with pytest.raises(Unavailable):
        WorkTables(lambda: catalog, "huitong", DiskObjects(tmp_path)).drop_others(CLAIMS, [])
