"""Objects on S3."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError

from huitong import unnamed
from huitong.aws.s3 import S3Objects
from huitong.aws.warm import WarmFiles
from huitong.errors import Conflict, NotFound, Unavailable


@pytest.fixture
def client() -> Any:
    made = boto3.client("s3", region_name="us-east-1")
    made.create_bucket(Bucket="box")
    made.put_bucket_versioning(Bucket="box", VersioningConfiguration={"Status": "Enabled"})
    return made


@pytest.fixture
def store(client: Any, tmp_path: Path) -> S3Objects:
    return S3Objects(client, "box", warm=WarmFiles(1 << 20, tmp_path / "warm"))


def test_an_object_comes_back_with_its_facts(store: S3Objects) -> None:
    store.put("a/汇通 1+2.csv", b"x,y\n", content_type="text/csv", metadata={"unit": "1"})
    info = store.head("a/汇通 1+2.csv")
    assert info is not None
    assert (info.size, info.metadata, bool(info.version), bool(info.etag)) == (4, {"unit": "1"}, True, True)
    assert info.modified.endswith("Z")
    assert store.read("a/汇通 1+2.csv") == b"x,y\n"


def test_what_is_not_there_is_none_or_not_found(store: S3Objects) -> None:
    assert store.head("nothing") is None
    with pytest.raises(NotFound):
        store.read("nothing")
    with pytest.raises(NotFound), store.local("nothing"):
        pass
    store.delete("nothing")


def test_an_older_version_stays_readable(store: S3Objects) -> None:
    store.put("k", b"one")
    first = store.head("k")
    assert first is not None
    store.put("k", b"two")
    with store.open("k", first.version) as stream:
        assert stream.read() == b"one"
    with store.local("k", first.version) as path:
        assert path.read_bytes() == b"one"
    with store.local("k") as path:
        assert path.read_bytes() == b"two"


def test_writing_only_if_absent_conflicts_and_keeps_the_first(store: S3Objects) -> None:
    store.put("k", b"one", if_absent=True)
    with pytest.raises(Conflict):
        store.put("k", b"two", if_absent=True)
    assert store.read("k") == b"one"


def test_a_stream_is_read_in_blocks_and_lines(store: S3Objects) -> None:
    store.put("k", b"line\n" * 500_000)
    with store.open("k") as stream:
        assert stream.readline() == b"line\n"
        assert len(stream.read(7)) == 7
        assert 12 + len(stream.read()) == 2_500_000


def test_a_broken_connection_while_reading_is_unavailable(store: S3Objects, client: Any) -> None:
    class Body:
        def read(self, _: int) -> bytes:
            raise ReadTimeoutError(endpoint_url="http://s3")

        def close(self) -> None:
            pass

    class Breaking:
        def get_object(self, **_: Any) -> Any:
            return {"Body": Body(), "ETag": '"1"'}

    broken = S3Objects(Breaking(), "box", warm=WarmFiles(1 << 20))
    with pytest.raises(Unavailable):
        broken.read("k")
    with pytest.raises(Unavailable), broken.local("k"):
        pass


@pytest.mark.parametrize("name", ["张三/李四.csv", "1144030000AA01019J/claims/u0123456789abcdef/张三.xlsx"])
def test_errors_about_a_bucket_that_people_name_things_in_do_not_repeat_the_names(
    name: str, tmp_path: Path
) -> None:
    """S-16: what is said of a fault goes into log lines and notices."""

    class Failing:
        def __getattr__(self, operation: str) -> Any:
            def fails(**_: Any) -> Any:
                answer = {"Error": {"Code": "SlowDown"}, "ResponseMetadata": {"HTTPStatusCode": 503}}
                raise ClientError(answer, operation)  # type: ignore[arg-type]

            return fails

    landing = S3Objects(Failing(), "landing", warm=WarmFiles(1 << 20, tmp_path), shown=unnamed.key)
    for act in (
        lambda: landing.head(name),
        lambda: landing.read(name),
        lambda: landing.local(name).__enter__(),
        lambda: landing.put(name, b""),
        lambda: landing.delete(name),
    ):
        with pytest.raises(Unavailable) as raised:
            act()
        said = json.dumps(raised.value.as_dict(), ensure_ascii=False)
        assert [part for part in ("张三", "李四") if part in said] == []


def test_listing_joins_pages(store: S3Objects, client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "10")
    for n in range(25):
        client.put_object(Bucket="box", Key=f"p/{n:04}", Body=b"x")
    store.put("q/1", b"")
    assert [i.key for i in store.list("p/")] == [f"p/{n:04}" for n in range(25)]


def test_a_file_is_put_whole_and_kept_warm_until_it_changes(
    store: S3Objects, client: Any, tmp_path: Path
) -> None:
    (tmp_path / "f.parquet").write_bytes(b"1" * 100)
    store.put_file("k.parquet", tmp_path / "f.parquet")
    with store.local("k.parquet") as first:
        assert first.suffix == ".parquet"
    with store.local("k.parquet") as again:
        assert again == first
    store.put("k.parquet", b"2")
    with store.local("k.parquet") as changed:
        assert changed.read_bytes() == b"2"
    assert not first.exists()


def test_addresses_go_both_ways_and_foreign_ones_are_refused(store: S3Objects) -> None:
    assert store.uri("a/b") == "s3://box/a/b"
    assert store.key_of("s3://box/a/b") == "a/b"
    with pytest.raises(NotFound):
        store.key_of("s3://other/a/b")


def test_presigned_addresses_are_path_style_signed_by_version_4_and_expire() -> None:
    config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
    client = boto3.client("s3", region_name="us-east-1", endpoint_url="http://127.0.0.1:4566", config=config)
    store = S3Objects(client, "box", warm=WarmFiles(1))
    put = store.presign_put("u/IN-01/u1/文件.csv", seconds=900, content_type="text/csv")
    assert put.url.startswith("http://127.0.0.1:4566/box/u/IN-01/u1/%E6%96%87%E4%BB%B6.csv?")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in put.url
    assert "X-Amz-Expires=900" in put.url
    assert "checksum" not in put.url
    assert put.headers == {"content-type": "text/csv"}
    assert "X-Amz-Signature=" in store.presign_get("k", seconds=60)


def test_a_client_without_our_code_can_use_a_presigned_address(store: S3Objects) -> None:
    ticket = store.presign_put("k", seconds=60)
    request = urllib.request.Request(ticket.url, data=b"by hand", method="PUT", headers=dict(ticket.headers))
    import requests  # moto answers inside this process through requests only

    assert requests.put(request.full_url, data=b"by hand", headers=dict(ticket.headers), timeout=5).ok
    assert store.read("k") == b"by hand"


def test_the_least_recently_used_copy_goes_first_and_one_in_use_never(client: Any, tmp_path: Path) -> None:
    store = S3Objects(client, "box", warm=WarmFiles(250, tmp_path))
    for name in "abc":
        store.put(name, name.encode() * 100)
    with store.local("a") as a:
        with store.local("b") as b, store.local("c") as c:
            assert a.exists()
            assert b.exists()
            assert c.exists()
        assert a.read_bytes() == b"a" * 100
        assert not c.exists()  # released first, when there was no other to spare
        assert b.exists()
    assert len([p for p in tmp_path.rglob("*") if p.is_file()]) == 2


def test_copies_of_processes_that_are_gone_are_cleared_away(client: Any, tmp_path: Path) -> None:
    dead = tmp_path / "huitong-warm-999999999-x"
    dead.mkdir()
    (dead / "f").write_bytes(b"old")
    alive = tmp_path / f"huitong-warm-{os.getpid()}-x"
    alive.mkdir()
    store = S3Objects(client, "box", warm=WarmFiles(1 << 20, tmp_path))
    store.put("k", b"1")
    with store.local("k"):
        assert not dead.exists()
        assert alive.exists()
