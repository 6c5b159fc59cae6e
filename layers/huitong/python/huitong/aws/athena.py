"""Athena through boto3, for :mod:`huitong.athena.runs`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from huitong.athena.runs import Category, Progress, State
from huitong.aws.errors import translated
from huitong.errors import Fault, InvalidQuery
from huitong.ports import ObjectStore

_STATES: Final[dict[str, State]] = {
    "QUEUED": "running",
    "RUNNING": "running",
    "SUCCEEDED": "succeeded",
    "FAILED": "failed",
    "CANCELLED": "cancelled",
}
_CATEGORIES: Final[dict[int, Category]] = {1: "system", 2: "user", 3: "other"}
#: The most that Athena gives at once.
_PAGE: Final = 1_000


class AthenaQueries:
    """``output`` is where results go (``s3://bucket/prefix/``); empty = the workgroup's own place.

    ``results`` is the bucket of ``output``: files of results that were fetched are deleted there.
    """

    def __init__(
        self,
        client: Any,
        *,
        workgroup: str,
        database: str,
        output: str = "",
        results: ObjectStore | None = None,
    ) -> None:
        self._client = client
        self._workgroup = workgroup
        self._database = database
        self._output = output
        self._results = results

    def start(self, sql: str, token: str) -> str:
        """Raises InvalidQuery when Athena does not take the text, Unavailable when it is busy."""
        more = {"ResultConfiguration": {"OutputLocation": self._output}} if self._output else {}
        try:
            with translated("athena"):
                answer = self._client.start_query_execution(
                    QueryString=sql,
                    ClientRequestToken=token,
                    QueryExecutionContext={"Database": self._database},
                    WorkGroup=self._workgroup,
                    **more,
                )
        except Fault as error:
            if error.where.get("aws") != "InvalidRequestException":
                raise
            raise InvalidQuery("Athena 不接受该查询", "Athena does not take this query") from error
        return str(answer["QueryExecutionId"])

    def progress(self, id: str) -> Progress:
        with translated("athena"):
            answer = self._client.get_query_execution(QueryExecutionId=id)
        execution = answer["QueryExecution"]
        status = execution["Status"]
        error = status.get("AthenaError") or {}
        return Progress(
            _STATES[status["State"]],
            str(status.get("StateChangeReason") or ""),
            _CATEGORIES.get(int(error.get("ErrorCategory", 0)), ""),
            bool(error.get("Retryable", False)),
            int(execution.get("Statistics", {}).get("DataScannedInBytes", 0)),
        )

    def stop(self, id: str) -> None:
        with translated("athena"):
            self._client.stop_query_execution(QueryExecutionId=id)

    def columns(self, id: str) -> list[tuple[str, str]]:
        with translated("athena"):
            answer = self._client.get_query_results(QueryExecutionId=id, MaxResults=1)
        return [(c["Name"], _type(c)) for c in answer["ResultSet"]["ResultSetMetadata"]["ColumnInfo"]]

    def rows(self, id: str) -> Iterator[list[str | None]]:
        token, first = "", True
        while first or token:
            more = {"NextToken": token} if token else {}
            with translated("athena"):
                answer = self._client.get_query_results(QueryExecutionId=id, MaxResults=_PAGE, **more)
            found = answer["ResultSet"]["Rows"]
            for row in found[1:] if first else found:  # the first row of all is the heading
                yield [cell.get("VarCharValue") for cell in row["Data"]]
            token, first = answer.get("NextToken", ""), False

    def files(self, id: str) -> list[str]:
        """Raises Fault where Athena noted none, NotFound when its note is gone."""
        with translated("athena"):
            answer = self._client.get_query_execution(QueryExecutionId=id)
        noted = str(answer["QueryExecution"].get("Statistics", {}).get("DataManifestLocation", ""))
        if not noted or self._results is None:
            raise Fault("Athena 未记录输出文件", "Athena noted no files of this run", what="athena", run=id)
        return self._results.read(self._results.key_of(noted)).decode().split()

    def forget(self, id: str) -> None:
        if self._results is None or not self._output:
            return
        prefix = self._results.key_of(self._output).rstrip("/") + "/"
        for name in (f"{prefix}{id}.csv", f"{prefix}{id}.csv.metadata"):
            self._results.delete(name)


def _type(column: dict[str, Any]) -> str:
    if column["Type"] == "decimal":
        return f"decimal({column.get('Precision', 38)},{column.get('Scale', 0)})"
    return str(column["Type"])
