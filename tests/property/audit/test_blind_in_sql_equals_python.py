"""Blind indexes made a column at a time are those made one by one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from huitong.audit.disclosed import Disclosures
from huitong.audit.subjects import INLINE, blind, blind_sql
from huitong.contracts.model import Contract, Field
from huitong.local.messages import ManualClock
from huitong.local.objects import DiskObjects

CONTRACT = Contract(
    "it's-01",
    1,
    "",
    (
        Field("no", key=1),
        Field("n", type="integer", key=2),
        Field("d", type="decimal", precision=12, scale=3, key=3),
        Field("day", type="date", key=4),
        Field("at", type="timestamp", key=5),
        Field("b", type="boolean", key=6),
        Field("debtor", semantic="citizen-id"),
        Field("spouse", subject="yes"),
        Field("other", semantic="citizen-id", subject="no"),
    ),
)
SCHEMA = pa.schema([
    ("no", pa.string()), ("n", pa.int64()), ("d", pa.decimal128(12, 3)), ("day", pa.date32()),
    ("at", pa.timestamp("us", "UTC")), ("b", pa.bool_()), ("debtor", pa.string()), ("spouse", pa.string()),
    ("other", pa.string()),
])  # fmt: skip
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
ROWS = st.fixed_dictionaries({
    "no": TEXT, "n": st.integers(-(2**62), 2**62), "b": st.booleans() | st.none(),
    "d": st.decimals(Decimal("-999999"), Decimal("999999"), places=3),
    "day": st.dates(date(1900, 1, 1), date(2100, 1, 1)) | st.none(),
    "at": st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),
    "debtor": TEXT | st.none(), "spouse": TEXT | st.none(), "other": TEXT,
})  # fmt: skip


@given(
    key=st.text(min_size=1, max_size=90), texts=st.lists(TEXT | st.just(" 11010519491231002x "), min_size=1)
)
@settings(deadline=None, max_examples=60)
def test_the_sql_of_a_blind_index_gives_what_python_gives(key: str, texts: list[str]) -> None:
    """S-16."""
    with duckdb.connect() as connection:
        connection.register("given", pa.table({"t": pa.array(texts, pa.string())}))
        for kind in ("subject", "record"):
            found = connection.sql(f"SELECT {blind_sql(key, kind, 't')} FROM given").fetchall()  # type: ignore[arg-type]
            assert [f for (f,) in found] == [blind(key, kind, t) for t in texts]  # type: ignore[arg-type]


@given(rows=st.lists(ROWS, min_size=1, max_size=20))
@settings(deadline=None, max_examples=25, phases=[Phase.explicit, Phase.reuse, Phase.generate])
def test_subjects_and_records_of_rows_are_those_of_arrow_batches(
    rows: list[dict[str, Any]], tmp_path_factory: Any
) -> None:
    """S-16, L-34: whatever the way, the same person and the same record have the same index."""
    disclosures = Disclosures(lambda: "k", DiskObjects(tmp_path_factory.mktemp("e")), ManualClock())
    one_by_one = disclosures.of_rows(CONTRACT, rows)
    batch = pa.RecordBatch.from_pylist(rows, schema=SCHEMA)
    assert disclosures.of_batches(CONTRACT, [batch]) == one_by_one
    assert one_by_one.count == len(one_by_one.pairs)


def test_many_pairs_go_to_the_evidence_bucket_and_are_all_there(tmp_path: Path) -> None:
    store = DiskObjects(tmp_path)
    disclosures = Disclosures(lambda: "k", store, ManualClock())
    pairs = {(disclosures.subject(f"{n}"), f"{n:032}") for n in range(INLINE + 1)}
    kept = disclosures.of_pairs(pairs)
    assert (kept.pairs, kept.count) == ((), INLINE + 1)
    with store.local(kept.object) as path:
        assert set(duckdb.sql(f"SELECT subject, record FROM '{path}'").fetchall()) == pairs
        assert kept.sha256 == __import__("hashlib").sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("key", ["short", "x" * 200])
def test_a_blind_index_is_a_truncated_hmac(key: str) -> None:
    import hashlib
    import hmac

    told = hmac.new(key.encode(), b"subject\x1f11010519491231002X", hashlib.sha256).hexdigest()
    assert blind(key, "subject", " 11010519491231002x") == told[:32]
