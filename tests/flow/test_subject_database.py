"""The subject database (专题库): every resource has its tables there, and each way into them is on record."""

from __future__ import annotations

from pathlib import Path

from huitong.audit.trace import Traces
from huitong.local.platform import Platform, ports_in

UNIT = "1144030000AA01123N"
CONTRACT = """\
apiVersion: v3.1.0
kind: DataContract
id: {id}
version: 1.0.0
status: active
schema:
  - name: {id}
    properties:
      - {{name: item, logicalType: string, primaryKey: true, primaryKeyPosition: 1}}
"""


def test_accepted_rows_reach_the_tables_of_their_resource_by_a_recorded_flow(tmp_path: Path) -> None:
    """Q-27 (the subject database; tables for single applications come with transformations), L-34."""
    platform = Platform(ports_in(tmp_path / "platform"))
    for id in ("cases", "claims"):
        platform.contracts.put(CONTRACT.format(id=id), by="test", provider=UNIT)
        file = tmp_path / f"{id}.csv"
        file.write_text(f"item\n{id}-1\n{id}-2\n")
        assert platform.deliver(file, id, UNIT).status == "published"

    catalog = platform.ports.catalog()
    tables = {name for _, name in catalog.list_tables("huitong")}
    assert tables == {"cases", "cases__changes", "claims", "claims__changes"}
    for id in ("cases", "claims"):
        rows = catalog.load_table(f"huitong.{id}").scan().to_arrow().to_pylist()
        assert {(row["_resource"], row["_unit"], row["item"]) for row in rows} == {
            (id, UNIT, f"{id}-1"),
            (id, UNIT, f"{id}-2"),
        }
        traces = Traces(platform.ports.register, platform.ports.clock).list(resource=id)
        assert {(trace.act, trace.batch, trace.count) for trace in traces} == {
            (act, rows[0]["_batch_id"], 2) for act in ("collect", "compare", "update")
        }
