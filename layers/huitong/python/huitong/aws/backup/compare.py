"""Digests of a deployment: of tables now and as of their first publication, of registers and objects."""

from __future__ import annotations

import re
from typing import Any, Final

from huitong.aws.backup.site import Site, body_of, item_of
from huitong.operating.backup import sealed_values
from huitong.operating.backup.digests import Digest, of_items, of_texts
from huitong.ports import Item

#: Written by the clock at any time, or stamped anew by a restore.
_MOVING: Final = ("OPERATING", "SIGN-IN#", "SIGNIN#", "BOUND#")
_ADDRESS: Final = re.compile(r"s3://[^/]+/")


def digests(site: Site) -> dict[str, Digest]:
    """By name; equal for equal deployments, whatever their buckets are called."""
    found = _tables(site)
    outputs = site.outputs
    register = (
        item_of(raw, _normal(raw, body_of(raw), site)) for raw in site.raw_items(outputs["RegisterTable"])
    )
    found["register"] = of_items(register, _moves)
    evidence = (item_of(raw, body_of(raw)) for raw in site.raw_items(outputs["EvidenceTable"]))
    found["evidence"] = of_items(evidence)
    for role in ("landing", "evidence"):
        found[f"objects:{role}"] = _objects(site, site.buckets[role])
    return found


def _moves(item: Item) -> bool:
    return item.pk.upper().startswith(_MOVING)


def _normal(raw: Any, body: Any, site: Site) -> Any:
    """Seals open, addresses and versions of objects left out: all that a restore must change."""
    if sealed_values.is_sealed(body) and not str(raw["pk"]["S"]).upper().startswith(_MOVING):
        body = sealed_values.opened(body, str(raw["pk"]["S"]), str(raw["sk"]["S"]), site.secrets)
    return _bare(body)


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in value.items() if name != "landing_version"}
    if isinstance(value, list):
        return [_bare(one) for one in value]
    return _ADDRESS.sub("s3://", value) if isinstance(value, str) else value


def _objects(site: Site, bucket: str) -> Digest:
    """Keys, sizes and entity tags of the present objects."""
    pages = site.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket)
    return of_texts(
        f"{one['Key']}\x1f{one['Size']}\x1f{one['ETag']}"
        for page in pages
        for one in page.get("Contents", ())
    )


def _tables(site: Site) -> dict[str, Digest]:
    catalog = site.catalog()
    found = {}
    for identifier in catalog.list_tables("huitong"):
        table = catalog.load_table(identifier)
        snapshots = [one.snapshot_id for one in table.snapshots()]
        for label, snapshot in (("now", snapshots[-1:]), ("first", snapshots[:1])):
            if snapshot:
                found[f"table:{identifier[-1]}:{label}"] = _rows(table, snapshot[0])
        found[f"table:{identifier[-1]}:snapshots"] = of_texts(map(str, snapshots))
    return found


def _rows(table: Any, snapshot: int) -> Digest:
    """Every row as JSON text, summed: columns of any type, any order, any number of rows."""
    import duckdb

    reader = table.scan(snapshot_id=snapshot).to_arrow_batch_reader()
    with duckdb.connect() as connection:
        connection.register("rows", reader)
        answer = connection.execute(
            "SELECT count(*), coalesce(sum(md5_number_lower(to_json(r)::VARCHAR)::HUGEINT), 0) FROM rows AS r"
        ).fetchone()
    rows, total = answer or (0, 0)
    return Digest(int(rows), str(total))
