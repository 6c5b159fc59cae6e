"""Databases and tables as Athena's API tells of them: exactly what the platform lets the analyst know of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from athena_endpoint.errors import ApiError, StatementFailed, invalid
from athena_endpoint.keys import Analyst
from athena_endpoint.paging import paged
from athena_endpoint.product import KeyEnded, Product, Shown
from athena_endpoint.purposes import merged
from athena_endpoint.results import hive_type

Answer = dict[str, Any]
CATALOG: Final = "AwsDataCatalog"
DATABASES: Final = ("huitong",)
_DESCRIPTION: Final = "汇通:本人可见的资源 the resources that you may see"


class Catalogue:
    """``product`` makes the platform's API of an analyst; nothing is kept: rights are always today's."""

    def __init__(self, product: Callable[..., Product] = Product) -> None:
        self._product = product

    def visible(self, caller: Analyst) -> list[Shown]:
        """Raises ApiError."""
        try:
            return self._product(caller.connection).tables(merged(caller.said()))
        except KeyEnded:
            raise
        except StatementFailed as failed:
            raise ApiError("MetadataException", failed.reason) from failed

    def named(self, caller: Analyst, name: str) -> Shown | None:
        return next((t for t in self.visible(caller) if t.name.lower() == name.lower()), None)

    def catalogs(self, _caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        one = {"CatalogName": CATALOG, "Type": "GLUE", "Status": "CREATE_COMPLETE"}
        return paged("DataCatalogsSummary", [one], asked, 50)

    def catalog(self, _caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        check_catalog(asked["Name"])
        one = {"Name": CATALOG, "Description": _DESCRIPTION, "Type": "GLUE", "Parameters": {}}
        return {"DataCatalog": {**one, "Status": "CREATE_COMPLETE"}}

    def databases(self, _caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        check_catalog(asked["CatalogName"])
        return paged("DatabaseList", [_database(name) for name in DATABASES], asked, 50)

    def database(self, _caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        check_catalog(asked["CatalogName"])
        return {"Database": _database(_known(asked["DatabaseName"]))}

    def tables(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        check_catalog(asked["CatalogName"])
        _known(asked["DatabaseName"])
        wanted = _pattern(asked.get("Expression") or "")
        found = [_table(t) for t in self.visible(caller) if wanted.search(t.name)]
        return paged("TableMetadataList", found, asked, 50)

    def table(self, caller: Analyst, asked: Mapping[str, Any]) -> Answer:
        check_catalog(asked["CatalogName"])
        _known(asked["DatabaseName"])
        found = self.named(caller, asked["TableName"])
        if found is None:
            name = asked["TableName"]
            zh, en = f"没有表 {name}", f"EntityNotFoundException: Table {name} was not found"
            raise ApiError("MetadataException", f"{zh} / {en}")
        return {"TableMetadata": _table(found)}


def check_catalog(name: str) -> None:
    """Raises ApiError unless it is the one catalogue that there is."""
    if name.lower() != CATALOG.lower():
        raise invalid(f"没有数据目录 {name}", f"Catalog {name} was not found", "CATALOG_NOT_FOUND")


def _known(name: str) -> str:
    plain = name.strip('`"').lower()
    if plain not in DATABASES:
        zh, en = f"没有数据库 {name}", f"EntityNotFoundException: Database {name} was not found"
        raise ApiError("MetadataException", f"{zh} / {en}")
    return plain


def _database(name: str) -> Answer:
    return {"Name": name, "Description": _DESCRIPTION, "Parameters": {}}


def _table(table: Shown) -> Answer:
    columns = [
        {"Name": name, "Type": hive_type(kind), **({"Comment": comment} if comment else {})}
        for name, kind, comment in table.columns
    ]
    return {
        "Name": table.name, "TableType": "EXTERNAL_TABLE", "Columns": columns, "PartitionKeys": [],
        "Parameters": {"EXTERNAL": "TRUE"},
    }  # fmt: skip


def _pattern(expression: str) -> re.Pattern[str]:
    """A regular expression, or ``*`` for everything as clients send it."""
    try:
        return re.compile(expression if expression.strip("*") else "", re.IGNORECASE)
    except re.error as error:
        raise invalid("Expression 不是正则表达式", "Expression is not a regular expression") from error
