"""What one execution does: asks the platform, writes the files that clients read."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from athena_endpoint.catalogue import DATABASES
from athena_endpoint.errors import StatementFailed
from athena_endpoint.executions import Execution
from athena_endpoint.keys import Keys
from athena_endpoint.product import KeyEnded, Product, Ran
from athena_endpoint.purposes import merged, said_in
from athena_endpoint.results import column, csv_lines, hive_type, metadata_file, text_rows, txt_lines
from athena_endpoint.statements import Statement, read, with_values
from athena_endpoint.storage import Storage
from athena_endpoint.workgroups import WorkGroups

#: Athena pads what DESCRIBE and SHOW COLUMNS give.
_WIDTH: Final = 20
_HEADINGS: Final = {
    "databases": ("database_name",), "tables": ("tab_name",), "views": ("views",), "columns": ("field",),
    "describe": ("col_name", "data_type", "comment"),
}  # fmt: skip


class Worker:
    """Does executions; ``product`` makes the platform's API of an analyst."""

    def __init__(
        self, keys: Keys, groups: WorkGroups, storage: Storage, product: Callable[..., Product] = Product
    ) -> None:
        self._keys = keys
        self._groups = groups
        self._storage = storage
        self._product = product

    def __call__(self, execution: Execution) -> None:
        """Raises StatementFailed. A pair whose credential has ended ends here, too (S-10)."""
        try:
            self._do(execution)
        except KeyEnded:
            self._keys.revoke(execution.analyst.access_key)
            raise

    def _do(self, execution: Execution) -> None:
        sql = execution.query
        statement = read(sql)
        execution.statement = statement
        hints = [said_in(sql)]
        if statement.kind == "execute":
            kept = self._groups.prepared(execution.analyst.principal, execution.group.name, statement.name)
            hints.append(said_in(kept.sql))
            statement = read(with_values(kept.sql, statement.values))
        elif execution.asked.get("ExecutionParameters"):
            statement = read(with_values(sql, execution.asked["ExecutionParameters"]))
        if statement.kind == "unload":
            hints.append(said_in(statement.sql))
        execution.use = merged(*hints, execution.group.use, execution.analyst.said())
        product = self._product(execution.analyst.connection)
        if statement.kind == "select":
            self._select(execution, statement, product)
        elif statement.kind == "unload":
            self._unload(execution, statement, product)
        elif statement.kind in ("prepare", "deallocate"):
            self._prepare(execution, statement)
        else:
            self._show(execution, statement, product)

    # --- rows ---

    def _select(self, execution: Execution, statement: Statement, product: Product) -> None:
        ran = product.run(statement.sql, execution.use)
        execution.ran, execution.columns = ran, ran.columns
        if execution.managed or execution.cancelled():
            return
        key = f"{execution.analyst.own}{execution.id}.csv"
        execution.size = self._storage.put_lines(key, self._csv(execution, ran, product))
        self._storage.put_lines(f"{key}.metadata", [metadata_file(ran.columns)])
        execution.location = self._storage.uri(key)

    def _csv(self, execution: Execution, ran: Ran, product: Product) -> Iterator[bytes]:
        yield from csv_lines([[c.name for c in ran.columns]])
        for page in product.pages(ran, execution.use):
            if execution.cancelled():
                raise StatementFailed("已取消", "Cancelled", code="cancelled")
            yield from csv_lines(text_rows(page))

    def _unload(self, execution: Execution, statement: Statement, product: Product) -> None:
        """A file of the data, taken away: the platform's export, by right, marked, on record (C-21, L-38)."""
        folder = self._storage.key_of(statement.to)
        own = execution.analyst.own
        if execution.managed:
            raise StatementFailed(
                "UNLOAD 须用工作组 files", "UNLOAD needs the work group files", code="unload-location"
            )
        if not folder.startswith(own) or ".." in folder:
            place = self._storage.uri(own)
            raise StatementFailed(
                f"UNLOAD 只能写入 {place} 之下", f"UNLOAD writes below {place} only", code="unload-location"
            )
        folder = folder if folder.endswith("/") else f"{folder}/"
        if self._storage.any_under(folder):
            raise StatementFailed(
                "目标位置已有文件",
                "HIVE_PATH_ALREADY_EXISTS: the location is not empty",
                code="unload-location",
            )
        ran = product.run(statement.sql, execution.use)
        execution.ran, execution.columns = ran, (column("rows", "bigint"),)
        written = []
        if ran.rows and not execution.cancelled():
            with tempfile.TemporaryDirectory(prefix="huitong-unload-") as temporary:
                file = Path(temporary) / "part.parquet"
                product.export(ran, execution.use, file)
                if execution.cancelled():
                    return
                key = f"{folder}{execution.id}.parquet"
                execution.size = self._storage.put_file(key, file)
                written.append(self._storage.uri(key))
        manifest = f"{own}{execution.id}-manifest.csv"
        self._storage.put_lines(manifest, [f"{uri}\n".encode() for uri in written])
        self._storage.put_lines(f"{own}{execution.id}.metadata", [metadata_file(execution.columns)])
        execution.manifest = self._storage.uri(manifest)
        execution.location = self._storage.uri(f"{own}{execution.id}")

    # --- what there is ---

    def _show(self, execution: Execution, statement: Statement, product: Product) -> None:
        rows = self._shown(execution, statement, product)
        execution.columns = tuple(column(name, "string") for name in _HEADINGS[statement.kind])
        execution.rows = tuple(rows)
        if execution.managed:
            return
        key = f"{execution.analyst.own}{execution.id}.txt"
        execution.size = self._storage.put_lines(key, txt_lines(rows))
        self._storage.put_lines(f"{key}.metadata", [metadata_file(execution.columns)])
        execution.location = self._storage.uri(key)

    def _shown(self, execution: Execution, statement: Statement, product: Product) -> list[tuple[str, ...]]:
        if statement.kind == "databases":
            return [(name,) for name in DATABASES if _like(statement.pattern)(name)]
        if statement.kind == "views":
            return []
        if statement.kind == "tables":
            return [(name,) for name in product.names(execution.use) if _like(statement.pattern)(name)]
        wanted = statement.name.lower()
        table = next((t for t in product.tables(execution.use) if t.name.lower() == wanted), None)
        if table is None:
            raise StatementFailed(f"没有表 {wanted}", f"Table {wanted} does not exist", code="not-found")
        if statement.kind == "columns":
            return [(name.ljust(_WIDTH),) for name, _, _ in table.columns]
        return [
            ("\t".join(cell.ljust(_WIDTH) for cell in (name, hive_type(kind), " ".join(comment.split()))),)
            for name, kind, comment in table.columns
        ]

    def _prepare(self, execution: Execution, statement: Statement) -> None:
        principal, group = execution.analyst.principal, execution.group.name
        if statement.kind == "deallocate":
            self._groups.forget(principal, group, statement.name)
        else:
            read(statement.sql)
            self._groups.prepare(principal, group, statement.name, statement.sql)


def _like(pattern: str) -> Callable[[str], object]:
    """Hive's pattern of names: ``*`` stands for anything, ``|`` for or."""
    words = "|".join(re.escape(part).replace(r"\*", ".*") for part in pattern.split("|"))
    return re.compile(words if pattern else ".*", re.IGNORECASE).fullmatch
