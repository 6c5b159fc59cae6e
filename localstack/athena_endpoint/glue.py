"""The reading part of Glue's catalogue, for clients that look tables up there (awswrangler, PyAthena)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from athena_endpoint.catalogue import DATABASES, Answer, Catalogue
from athena_endpoint.errors import ApiError
from athena_endpoint.keys import Analyst
from athena_endpoint.product import Shown
from athena_endpoint.results import hive_type

_ACCOUNT: Final = "000000000000"


class Glue:
    """``catalogue`` knows what an analyst may see."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def operation(self, name: str) -> Callable[[Analyst, Mapping[str, Any]], Answer]:
        """Raises ApiError for one that is not spoken here: nothing is written by this way."""
        method = _OPERATIONS.get(name)
        if method is None:
            raise ApiError(
                "AccessDeniedException", f"此端点不支持 {name} / {name} is not spoken by this endpoint"
            )
        return lambda caller, asked: method(self, caller, asked)

    def _databases(self, _caller: Analyst, _asked: Mapping[str, Any]) -> Answer:
        return {"DatabaseList": [_database(name) for name in DATABASES]}

    def _database_(self, _caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        return {"Database": _database(_known(asked["Name"]))}

    def _tables(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        name = _known(asked["DatabaseName"])
        try:
            wanted = re.compile(asked.get("Expression") or "", re.IGNORECASE)
        except re.error as error:
            raise ApiError("InvalidInputException", "Expression is not a regular expression") from error
        found = [_table(name, table) for table in self._visible(caller) if wanted.search(table.name)]
        return {"TableList": found}

    def _table_(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        name, wanted = _known(asked["DatabaseName"]), asked["Name"].lower()
        found = next((t for t in self._visible(caller) if t.name.lower() == wanted), None)
        if found is None:
            raise _nothing(f"Table {wanted}")
        return {"Table": _table(name, found)}

    def _delete(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        """Clients that failed to make a table remove it: told that there is none, they tell the reason."""
        _known(asked["DatabaseName"])
        if self._catalogue.named(caller, asked["Name"]) is not None:
            raise ApiError("AccessDeniedException", "此处只读 / Nothing is deleted here")
        raise _nothing(f"Table {asked['Name']}")

    def _partitions(self, _caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        _known(asked["DatabaseName"])
        return {"Partitions": []}

    def _visible(self, caller: Analyst) -> list[Shown]:
        try:
            return self._catalogue.visible(caller)
        except ApiError as error:
            raise ApiError("AccessDeniedException", error.message) from error


def _known(name: str) -> str:
    if name.lower() not in DATABASES:
        raise _nothing(f"Database {name}")
    return name.lower()


def _nothing(what: str) -> ApiError:
    return ApiError("EntityNotFoundException", f"{what} was not found / 没有 {what}")


def _database(name: str) -> Answer:
    return {"Name": name, "CatalogId": _ACCOUNT, "Parameters": {}}


def _table(database: str, table: Shown) -> Answer:
    columns = [{"Name": n, "Type": hive_type(kind), "Comment": comment} for n, kind, comment in table.columns]
    storage = {"Columns": columns, "Location": "", "SerdeInfo": {}, "Parameters": {}}
    return {
        "Name": table.name, "DatabaseName": database, "CatalogId": _ACCOUNT, "TableType": "EXTERNAL_TABLE",
        "StorageDescriptor": storage, "PartitionKeys": [], "Parameters": {"EXTERNAL": "TRUE"},
    }  # fmt: skip


_OPERATIONS: Final[Mapping[str, Callable[[Glue, Analyst, Mapping[str, Any]], Answer]]] = {
    "GetDatabases": Glue._databases, "GetDatabase": Glue._database_, "GetTables": Glue._tables,
    "GetTable": Glue._table_, "DeleteTable": Glue._delete, "GetPartitions": Glue._partitions,
}  # fmt: skip
