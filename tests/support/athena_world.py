"""The Athena endpoint on a port of its own, with boto3 as its caller, over platform, IAM and S3 in memory.

The platform is a stand-in that runs what it is told to; everything of the endpoint is real, the signatures too.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
from botocore.config import Config

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "localstack"))
from athena_endpoint.errors import StatementFailed  # noqa: E402
from athena_endpoint.executions import Executions  # noqa: E402
from athena_endpoint.keys import Analyst, Keys  # noqa: E402
from athena_endpoint.operations import Athena  # noqa: E402
from athena_endpoint.product import KeyEnded, Ran, Shown  # noqa: E402
from athena_endpoint.results import column  # noqa: E402
from athena_endpoint.server import App, Endpoint  # noqa: E402
from athena_endpoint.storage import Storage  # noqa: E402
from athena_endpoint.workgroups import WorkGroups  # noqa: E402
from athena_endpoint.working import Worker  # noqa: E402
from huitong.cli.connection import Connection  # noqa: E402
from huitong.local.messages import PlainSecrets  # noqa: E402

BUCKET = "staging"
SESSION = boto3.Session()
TYPES = {pa.string(): "varchar", pa.int64(): "bigint", pa.bool_(): "boolean", pa.date32(): "date"}


class MemoryIam:
    """Users and keys; the n-th key is AKIA000n."""

    class exceptions:
        class NoSuchEntityException(Exception): ...

        class EntityAlreadyExistsException(Exception): ...

    def __init__(self) -> None:
        self.users: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.made = 0

    def create_user(self, UserName: str) -> None:
        if UserName in self.users:
            raise self.exceptions.EntityAlreadyExistsException
        self.users[UserName] = ""

    def put_user_policy(self, UserName: str, PolicyName: str, PolicyDocument: str) -> None:
        self.users[UserName] = PolicyDocument

    def create_access_key(self, UserName: str) -> dict[str, Any]:
        self.made += 1
        key = f"AKIA{self.made:016}"
        self.keys[key] = UserName
        return {"AccessKey": {"AccessKeyId": key, "SecretAccessKey": f"secret-of-{key}"}}

    def delete_access_key(self, UserName: str, AccessKeyId: str) -> None:
        if self.keys.pop(AccessKeyId, None) is None:
            raise self.exceptions.NoSuchEntityException


class MemoryS3:
    """One bucket's objects and when they were put."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, datetime]] = {}

    def put_object(self, Bucket: str, Key: str, Body: Any, **_: Any) -> None:
        self.objects[Key] = (Body.read(), datetime.now(UTC))

    def list_objects_v2(self, Bucket: str, Prefix: str, MaxKeys: int) -> dict[str, Any]:
        return {"Contents": [key for key in self.objects if key.startswith(Prefix)][:MaxKeys]}

    def delete_object(self, Bucket: str, Key: str, VersionId: str) -> None:
        del self.objects[Key]

    def get_paginator(self, _name: str) -> MemoryS3:
        return self

    def paginate(self, Bucket: str, Prefix: str) -> Iterator[dict[str, Any]]:
        yield {
            "Versions": [
                {"Key": key, "VersionId": "1", "LastModified": at}
                for key, (_, at) in self.objects.items()
                if key.startswith(Prefix)
            ]
        }


@dataclass
class Platform:
    """Answers for tokens: whose they are; and for texts: a table, a refusal, or what a function gives."""

    tokens: dict[str, str] = field(default_factory=dict)
    answers: dict[str, pa.Table | StatementFailed | Callable[[], pa.Table]] = field(default_factory=dict)
    asked: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    tables: tuple[Shown, ...] = ()
    page: int = 4
    pages: int = 0
    results: dict[str, pa.Table] = field(default_factory=dict)

    def product(self, connection: Connection) -> Product:
        return Product(self, connection)


class Product:
    """:class:`athena_endpoint.product.Product` over the stand-in."""

    def __init__(self, platform: Platform, connection: Connection) -> None:
        self._platform = platform
        self._token = connection.token

    def me(self) -> dict[str, Any]:
        if self._token not in self._platform.tokens:
            raise KeyEnded("凭证无效", "The token is not valid", code="not-authenticated")
        return {"id": self._platform.tokens[self._token]}

    def run(self, sql: str, use: Mapping[str, str]) -> Ran:
        self.me()
        self._platform.asked.append((self._platform.tokens[self._token], sql, dict(use)))
        answer = self._platform.answers.get(sql)
        if answer is None:
            raise StatementFailed("没有该表", "There is no such table", code="not-found")
        if isinstance(answer, StatementFailed):
            raise answer
        table = answer if isinstance(answer, pa.Table) else answer()
        id = f"q{len(self._platform.results)}"
        self._platform.results[id] = table
        columns = tuple(
            column(f.name, TYPES.get(f.type, str(f.type).replace("128", ""))) for f in table.schema
        )
        return Ran(id, columns, table.num_rows)

    def rows(self, id: str, use: Mapping[str, str], after: int = 0, limit: int = 10_000) -> pa.Table:
        self.me()
        self._platform.pages += 1
        if id not in self._platform.results:
            raise StatementFailed("结果已过期", "The result has expired", code="not-found")
        return self._platform.results[id].slice(after, min(limit, self._platform.page))

    def pages(self, ran: Ran, use: Mapping[str, str]) -> Iterator[pa.Table]:
        for after in range(0, ran.rows, self._platform.page):
            yield self.rows(ran.id, use, after)

    def export(self, ran: Ran, use: Mapping[str, str], target: Path) -> None:
        import pyarrow.parquet as pq

        table = self._platform.results[ran.id]
        pq.write_table(table.append_column("_mark", pa.array(["x1"] * table.num_rows)), target)

    def tables(self, use: Mapping[str, str]) -> list[Shown]:
        self.me()
        return list(self._platform.tables)

    def names(self, use: Mapping[str, str]) -> list[str]:
        return [name for t in self._platform.tables for name in (t.name, f"{t.name}$changes")]


@dataclass
class World:
    """``url`` is where it answers."""

    url: str
    platform: Platform
    iam: MemoryIam
    s3: MemoryS3
    keys: Keys
    executions: Executions
    storage: Storage
    folder: Path

    def analyst(self, principal: str, **use: str) -> Analyst:
        """A pair for somebody whom the platform knows."""
        token = f"ht_{principal}"
        self.platform.tokens[token] = principal
        return self.keys.issue(Connection("http://platform", token, **use), principal)

    def client(self, analyst: Analyst, service: str = "athena") -> Any:
        return SESSION.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id=analyst.access_key,
            aws_secret_access_key=analyst.secret,
            config=Config(retries={"total_max_attempts": 1}),
        )


@contextmanager
def running(folder: Path, now: Callable[[], float] | None = None) -> Iterator[World]:
    """The endpoint while the context lasts."""
    import time

    from werkzeug.serving import make_server

    clock = now or time.time
    platform, iam, s3 = Platform(), MemoryIam(), MemoryS3()
    keys, storage = Keys(folder, PlainSecrets(), iam, BUCKET, lambda: "http://platform"), Storage(s3, BUCKET)
    groups = WorkGroups(folder, clock)
    executions = Executions(Worker(keys, groups, storage, platform.product), clock)
    athena = Athena(executions, groups, storage, platform.product)
    app = App(Endpoint(lambda: "http://platform", keys, athena, storage, platform.product))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        url = f"http://127.0.0.1:{server.server_port}"
        yield World(url, platform, iam, s3, keys, executions, storage, folder)
    finally:
        server.shutdown()
        server.server_close()
        executions.close()
