"""The Iceberg catalogue: Glue, through PyIceberg. Heavy: import where tables are needed only."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.catalog.glue import GlueCatalog
from pyiceberg.exceptions import CommitFailedException
from pyiceberg.table import CommitTableResponse, Table
from pyiceberg.table.update import TableRequirement, TableUpdate

from huitong.aws.errors import translate
from huitong.errors import Conflict


class Catalog(GlueCatalog):
    """Glue with our errors.

    A commit is tried once: when its answer is lost, UnknownCommitState is raised
    and the caller looks whether its snapshot is there; when somebody else was
    first, PyIceberg's CommitFailedException. ``UpdateTable`` carries the version
    that was read, so Glue itself refuses the second of two writers.
    """

    def commit_table(
        self, table: Table, requirements: tuple[TableRequirement, ...], updates: tuple[TableUpdate, ...]
    ) -> CommitTableResponse:
        name = ".".join(table.name())
        try:
            return super().commit_table(table, requirements, updates)
        except (ClientError, BotoCoreError) as error:
            problem = translate(error, what=name, writing=True)
            if isinstance(problem, Conflict):
                raise CommitFailedException(f"{name} was changed by somebody else") from error
            raise problem from error

    def load_table(self, identifier: Any) -> Table:
        try:
            return super().load_table(identifier)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, what=str(identifier)) from error

    def drop_table(self, identifier: Any) -> None:
        try:
            super().drop_table(identifier)
        except (ClientError, BotoCoreError) as error:
            raise translate(error, what=str(identifier)) from error

    def list_tables(self, namespace: Any) -> list[Any]:
        try:
            return list(super().list_tables(namespace))
        except (ClientError, BotoCoreError) as error:
            raise translate(error, what=str(namespace)) from error


def glue_catalog(client: Any, *, warehouse: str, endpoint: str = "", region: str = "") -> Catalog:
    """The catalogue on a Glue client; ``warehouse`` is the S3 address under which tables lie."""
    properties = {
        "type": "glue",
        "warehouse": warehouse,
        "glue.skip-archive": "true",
        "s3.connect-timeout": "5.0",
        "s3.request-timeout": "60.0",
        "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
    }
    if region:
        properties["s3.region"] = region
    if endpoint:
        properties |= {"s3.endpoint": endpoint, "s3.force-virtual-addressing": "false"}
    return Catalog("huitong", client, **properties)
