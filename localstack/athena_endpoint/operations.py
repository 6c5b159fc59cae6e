"""Athena's operations: a checked input in, an answer in the shapes of the service model out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from athena_endpoint.catalogue import CATALOG, Answer, Catalogue, check_catalog
from athena_endpoint.errors import ApiError, StatementFailed, invalid
from athena_endpoint.executions import ENDED, Execution, Executions
from athena_endpoint.keys import Analyst
from athena_endpoint.paging import offset, paged, token
from athena_endpoint.product import KeyEnded, Product
from athena_endpoint.results import text_rows
from athena_endpoint.storage import Storage
from athena_endpoint.workgroups import ENGINE, PRIMARY, Prepared, WorkGroup, WorkGroups

PAGE_KEPT_SECONDS: Final = 20.0
PAGES_KEPT: Final = 8


class Athena:
    """Each operation is a method ``(caller, input) -> answer`` found by :meth:`operation`."""

    def __init__(
        self,
        executions: Executions,
        groups: WorkGroups,
        storage: Storage,
        product: Callable[..., Product] = Product,
    ) -> None:
        self._executions = executions
        self._groups = groups
        self._storage = storage
        self._product = product
        self.catalogue = Catalogue(product)
        self._lock = threading.Lock()
        #: execution → where its page begins, the rows, when the platform gave them
        self._pages: dict[str, tuple[int, list[tuple[str | None, ...]], float]] = {}

    def operation(self, name: str) -> Callable[[Analyst, Mapping[str, Any]], Answer]:
        """Raises ApiError for one that is not spoken here."""
        if name in _DESCRIBING:
            return getattr(self.catalogue, _DESCRIBING[name])  # type: ignore[no-any-return]
        method = _OPERATIONS.get(name)
        if method is None:
            raise invalid(f"此端点不支持 {name}", f"{name} is not spoken by this endpoint", "NOT_SUPPORTED")
        return lambda caller, asked: method(self, caller, asked)

    # --- executions ---

    def _start(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        catalog = asked.get("QueryExecutionContext", {}).get("Catalog") or CATALOG
        check_catalog(catalog)
        group = self._groups.get(caller.principal, asked.get("WorkGroup", PRIMARY))
        location = asked.get("ResultConfiguration", {}).get("OutputLocation", "")
        managed = group.managed and not self._storage.key_of(location).startswith(caller.own)
        return {"QueryExecutionId": self._executions.start(caller, group, asked, managed=managed)}

    def _get(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        return {"QueryExecution": self._told(self._executions.get(caller, asked["QueryExecutionId"]))}

    def _batch(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        found, unprocessed = [], []
        for id in asked["QueryExecutionIds"]:
            try:
                found.append(self._told(self._executions.get(caller, id)))
            except ApiError as error:
                code = error.members["AthenaErrorCode"]
                unprocessed.append({"QueryExecutionId": id, "ErrorCode": code, "ErrorMessage": error.message})
        return {"QueryExecutions": found, "UnprocessedQueryExecutionIds": unprocessed}

    def _stop(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        self._executions.stop(caller, asked["QueryExecutionId"])
        return {}

    def _list(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        group = self._groups.get(caller.principal, asked.get("WorkGroup", PRIMARY))
        ids = [one.id for one in self._executions.of(caller, group.name)]
        return paged("QueryExecutionIds", ids, asked, 50)

    def _statistics(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        one = self._executions.get(caller, asked["QueryExecutionId"])
        times = _times(one)
        timeline = {name: times[name] for name in _TIMELINE}
        rows = one.ran.rows if one.ran else len(one.rows)
        told: Answer = {"Timeline": timeline, "Rows": {"OutputRows": rows, "OutputBytes": one.size}}
        return {"QueryRuntimeStatistics": told}

    def _told(self, one: Execution) -> Answer:
        kind, sub = one.kind
        status: Answer = {"State": one.state, "SubmissionDateTime": one.submitted}
        if one.ended:
            status["CompletionDateTime"] = one.ended
        if one.reason:
            status["StateChangeReason"] = one.reason
        if one.state == "FAILED":
            category = 1 if one.ours else 2
            status["AthenaError"] = {
                "ErrorCategory": category, "ErrorType": 1100 if one.ours else 1006, "Retryable": one.ours,
                "ErrorMessage": one.reason,
            }  # fmt: skip
        statistics: Answer = _times(one) | {"DataScannedInBytes": 0}
        if one.manifest:
            statistics["DataManifestLocation"] = one.manifest
        statistics["ResultReuseInformation"] = {"ReusedPreviousResult": False}
        told: Answer = {
            "QueryExecutionId": one.id, "Query": one.query, "StatementType": kind, "SubstatementType": sub,
            "QueryExecutionContext": dict(one.asked.get("QueryExecutionContext", {})),
            "Status": status, "Statistics": statistics, "WorkGroup": one.group.name, "EngineVersion": ENGINE,
            "ResultReuseConfiguration": {"ResultReuseByAgeConfiguration": {"Enabled": False}},
        }  # fmt: skip
        if one.managed:
            told["ManagedQueryResultsConfiguration"] = {"Enabled": True}
        else:
            told["ResultConfiguration"] = {"OutputLocation": one.location or self._usual_location(one)}
        if one.asked.get("ExecutionParameters"):
            told["ExecutionParameters"] = list(one.asked["ExecutionParameters"])
        return told

    def _usual_location(self, one: Execution) -> str:
        return self._storage.uri(f"{one.analyst.own}{one.id}{'.csv' if one.kind[0] == 'DML' else '.txt'}")

    # --- results ---

    def _results(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        """Each page is asked of the platform anew: an access that has ended ends the reading (S-10)."""
        one = self._executions.get(caller, asked["QueryExecutionId"])
        if one.state != "SUCCEEDED":
            zh, en = f"查询尚未成功({one.state})", f"The query has not succeeded; its state is {one.state}"
            raise invalid(zh, en, "INVALID_QUERY_EXECUTION_STATE")
        if asked.get("QueryResultType") == "DATA_MANIFEST":
            raise invalid("请从 DataManifestLocation 读取清单", "Read the manifest at DataManifestLocation")
        unloaded = one.statement is not None and one.statement.kind == "unload"
        total = 0 if unloaded else one.ran.rows if one.ran else len(one.rows)
        heading = one.ran is not None and not unloaded  # the first row of a SELECT's result are its labels
        after, most = offset(asked), asked.get("MaxResults", 1000)
        rows: list[Sequence[str | None]] = []
        if heading and after == 0:
            rows.append(tuple(column.name for column in one.columns))
        start = max(after - heading, 0)
        if len(rows) < most and start < total:
            room = most - len(rows)
            rows += self._page(caller, one, start)[:room] if one.ran else one.rows[start : start + room]
        answer: Answer = {
            "UpdateCount": one.ran.rows if unloaded and one.ran else 0,
            "ResultSet": {
                "Rows": [{"Data": [{} if v is None else {"VarCharValue": v} for v in row]} for row in rows],
                "ResultSetMetadata": {"ColumnInfo": [column.info() for column in one.columns]},
            },
        }  # fmt: skip
        if after + len(rows) < total + heading:
            answer["NextToken"] = token(after + len(rows))
        return answer

    def _page(self, caller: Analyst, one: Execution, after: int) -> list[tuple[str | None, ...]]:
        """Rows from ``after`` on. The platform's pages are larger than those of Athena's API: the last one
        is kept for a moment."""
        assert one.ran is not None
        begin, rows, at = self._pages.get(one.id, (0, [], 0.0))
        if not begin <= after < begin + len(rows) or time.monotonic() - at > PAGE_KEPT_SECONDS:
            try:
                found = self._product(caller.connection).rows(one.ran.id, one.use, after)
            except KeyEnded:
                raise
            except StatementFailed as failed:
                code = "InvalidRequestException"
                raise ApiError(code, failed.reason, AthenaErrorCode="RESULT_GONE") from failed
            begin, rows = after, list(text_rows(found))
            with self._lock:
                self._pages[one.id] = (begin, rows, time.monotonic())
                while len(self._pages) > PAGES_KEPT:
                    del self._pages[next(iter(self._pages))]
        return rows[after - begin :]

    # --- work groups ---

    def _group(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        group = self._groups.get(caller.principal, asked["WorkGroup"])
        # The location is told for managed groups, too: a client that names it gets files, and one that
        # looks for a place (awswrangler) makes no bucket of its own.
        configuration = {
            "ResultConfiguration": {"OutputLocation": self._storage.uri(caller.own)},
            "ManagedQueryResultsConfiguration": {"Enabled": group.managed},
            "EnforceWorkGroupConfiguration": not group.managed, "PublishCloudWatchMetricsEnabled": False,
            "RequesterPaysEnabled": False, "EngineVersion": ENGINE,
        }  # fmt: skip
        told = {**_summary(group), "Configuration": configuration}
        del told["EngineVersion"]
        return {"WorkGroup": told}

    def _list_groups(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        return paged("WorkGroups", [_summary(g) for g in self._groups.all(caller.principal)], asked, 50)

    def _create_group(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        self._groups.create(caller.principal, asked)
        return {}

    def _delete_group(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        self._groups.delete(caller.principal, asked["WorkGroup"])
        return {}

    def _tags(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        name = asked["ResourceARN"].rpartition("workgroup/")[2]
        group = self._groups.get(caller.principal, name)
        return {"Tags": [{"Key": key, "Value": value} for key, value in group.use.items()]}

    def _engines(self, _caller: Analyst, _asked: Mapping[str, Any]) -> Answer:
        return {"EngineVersions": [ENGINE]}

    # --- prepared statements ---

    def _create_prepared(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        return self._put_prepared(caller, asked, again=False)

    def _update_prepared(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        return self._put_prepared(caller, asked, again=True)

    def _put_prepared(self, caller: Analyst, asked: Mapping[str, Any], *, again: bool) -> Answer:
        name, sql, text = asked["StatementName"], asked["QueryStatement"], asked.get("Description", "")
        self._groups.prepare(caller.principal, asked["WorkGroup"], name, sql, text, again=again)
        return {}

    def _get_prepared(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        one = self._groups.prepared(caller.principal, asked["WorkGroup"], asked["StatementName"])
        return {"PreparedStatement": _prepared(one)}

    def _batch_prepared(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        kept = {p.name.lower(): p for p in self._groups.all_prepared(caller.principal, asked["WorkGroup"])}
        names = asked["PreparedStatementNames"]
        missing = {"ErrorCode": "STATEMENT_NOT_FOUND", "ErrorMessage": "Prepared statement was not found"}
        return {
            "PreparedStatements": [_prepared(kept[n.lower()]) for n in names if n.lower() in kept],
            "UnprocessedPreparedStatementNames": [
                {"StatementName": n, **missing} for n in names if n.lower() not in kept
            ],
        }  # fmt: skip

    def _list_prepared(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        kept = self._groups.all_prepared(caller.principal, asked["WorkGroup"])
        told = [{"StatementName": one.name, "LastModifiedTime": one.modified} for one in kept]
        return paged("PreparedStatements", told, asked, 50)

    def _delete_prepared(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        self._groups.forget(caller.principal, asked["WorkGroup"], asked["StatementName"])
        return {}


def _summary(group: WorkGroup) -> Answer:
    told = {"Name": group.name, "State": "ENABLED", "Description": group.description, "EngineVersion": ENGINE}
    return told | ({"CreationTime": group.created} if group.created else {})


def _prepared(one: Prepared) -> Answer:
    told = {"StatementName": one.name, "QueryStatement": one.sql, "WorkGroupName": one.work_group}
    described = {"Description": one.description} if one.description else {}  # an empty one is not valid
    return {**told, **described, "LastModifiedTime": one.modified}


_TIMELINE: Final = (
    "QueryQueueTimeInMillis", "EngineExecutionTimeInMillis", "ServiceProcessingTimeInMillis",
    "TotalExecutionTimeInMillis",
)  # fmt: skip


def _times(one: Execution) -> Answer:
    waited = (one.began or one.ended or one.submitted) - one.submitted
    ran = (one.ended - one.began) if one.state in ENDED and one.began else 0.0
    values = (waited, ran, 0.0, waited + ran)
    return {name: int(value * 1000) for name, value in zip(_TIMELINE, values, strict=True)}


_OPERATIONS: Final[Mapping[str, Callable[[Athena, Analyst, Mapping[str, Any]], Answer]]] = {
    "StartQueryExecution": Athena._start, "GetQueryExecution": Athena._get,
    "BatchGetQueryExecution": Athena._batch, "StopQueryExecution": Athena._stop,
    "ListQueryExecutions": Athena._list, "GetQueryResults": Athena._results,
    "GetQueryRuntimeStatistics": Athena._statistics, "GetWorkGroup": Athena._group,
    "ListWorkGroups": Athena._list_groups, "CreateWorkGroup": Athena._create_group,
    "DeleteWorkGroup": Athena._delete_group, "ListTagsForResource": Athena._tags,
    "ListEngineVersions": Athena._engines, "CreatePreparedStatement": Athena._create_prepared,
    "UpdatePreparedStatement": Athena._update_prepared, "GetPreparedStatement": Athena._get_prepared,
    "BatchGetPreparedStatement": Athena._batch_prepared, "ListPreparedStatements": Athena._list_prepared,
    "DeletePreparedStatement": Athena._delete_prepared,
}  # fmt: skip
#: Told by the catalogue.
_DESCRIBING: Final[Mapping[str, str]] = {
    "ListDataCatalogs": "catalogs", "GetDataCatalog": "catalog", "ListDatabases": "databases",
    "GetDatabase": "database", "ListTableMetadata": "tables", "GetTableMetadata": "table",
}  # fmt: skip
SPOKEN: Final = (*_OPERATIONS, *_DESCRIBING)
