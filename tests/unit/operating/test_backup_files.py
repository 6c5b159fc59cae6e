"""Files of a backup: encrypted, bound to their places, and good under other names (S-25)."""

from __future__ import annotations

import io
import shutil
import stat
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from huitong.errors import BadRequest, Corrupt
from huitong.local.messages import PlainSecrets
from huitong.operating.backup import cipher
from huitong.operating.backup.digests import differences, of_texts
from huitong.operating.backup.iceberg_paths import is_list, moved_list, moved_manifest, moved_metadata
from huitong.operating.backup.sealed_values import closed, is_sealed, opened

KEY, OTHER = b"k" * 32, b"o" * 32
BLOCK = 1 << 20


def sealed(data: bytes, name: str = "a.enc") -> bytes:
    target = io.BytesIO()
    assert cipher.seal(io.BytesIO(data), target, KEY, name) == len(data)
    return target.getvalue()


def plain(data: bytes, key: bytes = KEY, name: str = "a.enc") -> bytes:
    return b"".join(cipher.unseal(io.BytesIO(data), key, name))


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 7])
def test_any_size_comes_back_and_cannot_be_read_before(size: int) -> None:
    data = (b"secret " * (size // 7 + 1))[:size]
    kept = sealed(data)
    assert plain(kept) == data
    assert size < 7 or b"secret" not in kept


@settings(max_examples=40, deadline=None)
@given(st.binary(min_size=1, max_size=300), st.data())
def test_a_changed_bit_is_found_wherever_it_is(data: bytes, draw: st.DataObject) -> None:
    kept = bytearray(sealed(data))
    place = draw.draw(st.integers(0, len(kept) - 1))
    kept[place] ^= 1 << draw.draw(st.integers(0, 7))
    with pytest.raises(Corrupt):
        plain(bytes(kept))


def test_another_key_another_name_a_cut_and_a_moved_block_are_refused() -> None:
    kept = sealed(bytes(3 * BLOCK))
    head, block = len(b"huitong-backup-1") + 8, BLOCK + 16
    swapped = (
        kept[:head]
        + kept[head + block : head + 2 * block]
        + kept[head : head + block]
        + kept[head + 2 * block :]
    )
    for data, key, name in (
        (kept, OTHER, "a.enc"), (kept, KEY, "b.enc"), (kept[: head + block], KEY, "a.enc"), (swapped, KEY, "a.enc"),
        (kept[: head + 2 * block], KEY, "a.enc"), (b"", KEY, "a.enc"),
    ):  # fmt: skip
        with pytest.raises(Corrupt):
            plain(data, key, name)


def test_a_key_file_is_its_owners_and_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "key"
    cipher.write_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(cipher.read_key(path)) == 32
    with pytest.raises(BadRequest):
        cipher.write_key(path)
    (tmp_path / "none").write_text("not a key")
    with pytest.raises(BadRequest):
        cipher.read_key(tmp_path / "none")


class Kms(PlainSecrets):
    """Bound to a purpose, as the key service binds; ``site`` stands for the key."""

    def __init__(self, site: str) -> None:
        self.site = site

    def seal(self, plain: str, context: str) -> str:
        return f"kms1:{self.site}|{context}|{plain}"

    def unseal(self, sealed: str, context: str) -> str:
        site, found, text = sealed.removeprefix("kms1:").split("|", 2)
        if (site, found) != (self.site, context):
            raise Corrupt("密文", "not for this")
        return text


def test_sealed_values_move_to_another_key_with_their_purpose() -> None:
    here, there = Kms("here"), Kms("there")
    body = {"id": "s1", "secrets": [{"sealed": here.seal("whsec_x", "subscription:s1")}], "n": 1}
    between = opened(body, "SUBSCRIPTION#s1", "SUBSCRIPTION", here)
    assert is_sealed(body)
    assert not is_sealed(between)
    after = closed(between, there)
    assert there.unseal(after["secrets"][0]["sealed"], "subscription:s1") == "whsec_x"
    assert after["n"] == 1


@pytest.mark.parametrize(
    ("pk", "sk", "purpose"),
    [
        ("PLATFORM", "KEY#evidence@2", "platform:evidence@2"),
        ("CREDENTIAL#c1", "CREDENTIAL", "credential:c1"),
        ("REQUEST#r1", "PERSONS", "request:r1"),
        ("STATEMENT#t1", "STATEMENT", "statement:t1"),
        ("correction#k1", "RECORD", "ticket:k1"),
    ],
)
def test_the_purpose_is_found_by_the_item(pk: str, sk: str, purpose: str) -> None:
    kms = Kms("here")
    assert closed(opened({"sealed": kms.seal("x", purpose)}, pk, sk, kms), kms) == {
        "sealed": kms.seal("x", purpose)
    }


def test_a_sealed_value_of_unknown_purpose_stops_the_backup() -> None:
    """Or it would be lost without a word."""
    kms = Kms("here")
    with pytest.raises(Corrupt):
        opened({"sealed": kms.seal("x", "new-thing:1")}, "NEW#1", "THING", kms)


@pytest.mark.parametrize("remark", ["kms1:AAAA", "kms1:", "open1:subscription:s1\x1fwhsec_mine"])
def test_a_text_that_looks_sealed_neither_stops_a_backup_nor_is_sealed_by_a_restore(remark: str) -> None:
    """S-25: else whoever may write a remark could keep everybody from having a backup."""
    here, there = Kms("here"), Kms("there")
    body = {"sealed": [here.seal("x", "request:r1")], "history": [{"remark": remark}], "reason": remark}
    after = closed(opened(body, "REQUEST#r1", "REQUEST", here), there)
    assert after == {**body, "sealed": [there.seal("x", "request:r1")]}
    assert not is_sealed({"reason": remark})


@pytest.fixture
def table(tmp_path: Path) -> Any:
    """An Iceberg table of two snapshots under tmp/old."""
    from pyiceberg.catalog.sql import SqlCatalog

    (tmp_path / "old").mkdir()
    catalog = SqlCatalog("a", uri=f"sqlite:///{tmp_path}/a.db", warehouse=f"file://{tmp_path}/old")
    catalog.create_namespace("huitong")
    made = catalog.create_table("huitong.claims", pa.schema([("id", pa.int64()), ("name", pa.string())]))
    made.append(pa.table({"id": [1, 2], "name": ["a", "b"]}))
    made.append(pa.table({"id": [3], "name": ["c"]}))
    return made


def test_a_table_reads_the_same_under_another_name_also_as_of_its_first_snapshot(
    table: Any, tmp_path: Path
) -> None:
    from pyiceberg.catalog.sql import SqlCatalog

    old, new = f"file://{tmp_path}/old/", f"file://{tmp_path}/new/"
    shutil.copytree(tmp_path / "old", tmp_path / "new")
    sizes: dict[str, int] = {}
    avros = sorted((tmp_path / "new").rglob("*.avro"), key=lambda p: p.name.startswith("snap-"))
    assert {p.name.startswith("snap-") for p in avros} == {True, False}
    for path in avros:
        data = path.read_bytes()
        assert is_list(data) == path.name.startswith("snap-")
        path.write_bytes(
            moved_list(data, old, new, sizes) if is_list(data) else moved_manifest(data, old, new)
        )
        sizes[f"file://{path}"] = path.stat().st_size
    for path in (tmp_path / "new").rglob("*.metadata.json"):
        path.write_bytes(moved_metadata(path.read_bytes(), old, new))
    rows = {
        s.snapshot_id: table.scan(snapshot_id=s.snapshot_id).to_arrow().sort_by("id").to_pylist()
        for s in table.snapshots()
    }
    first = [
        (m.manifest_length, Path(m.manifest_path.removeprefix("file://")).name)
        for m in table.current_snapshot().manifests(table.io)
    ]
    location = table.metadata_location.replace(old, new)
    shutil.rmtree(tmp_path / "old")

    catalog = SqlCatalog("b", uri=f"sqlite:///{tmp_path}/b.db", warehouse=f"file://{tmp_path}/new")
    catalog.create_namespace("huitong")
    moved = catalog.register_table("huitong.claims", location)
    assert {
        s.snapshot_id: moved.scan(snapshot_id=s.snapshot_id).to_arrow().sort_by("id").to_pylist()
        for s in moved.snapshots()
    } == rows
    manifests = moved.current_snapshot().manifests(moved.io)
    assert {Path(m.manifest_path).name for m in manifests} == {name for _, name in first}
    for manifest in manifests:
        assert manifest.manifest_length == Path(manifest.manifest_path.removeprefix("file://")).stat().st_size
    moved.append(pa.table({"id": [4], "name": ["d"]}))  # and it goes on
    assert moved.scan().to_arrow().num_rows == 4


def test_digests_see_a_change_and_not_the_order() -> None:
    assert of_texts(["a", "b", "b"]) == of_texts(["b", "a", "b"]) != of_texts(["a", "b"])
    here, there = {"x": of_texts(["a"]), "y": of_texts([])}, {"x": of_texts(["b"])}
    assert [(d.name, d.there is None) for d in differences(here, there)] == [("x", False), ("y", True)]
