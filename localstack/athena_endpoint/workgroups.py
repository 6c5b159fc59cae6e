"""Work groups: each an analyst's own name for what data are used for; and prepared statements in them.

``primary`` and ``files`` are always there and say what the analyst's profile says. Others are made with
tags (``case``, ``duty``, ``grant``, ``purpose``, ``unit``). Results are *managed* (had by the API, page by
page, asked of the platform anew), or files in the analyst's own folder as in ``files``.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from athena_endpoint.errors import ApiError, invalid
from athena_endpoint.keys import write_private
from athena_endpoint.purposes import NAMES

PRIMARY: Final = "primary"
FILES: Final = "files"
ENGINE: Final = {"SelectedEngineVersion": "AUTO", "EffectiveEngineVersion": "Athena engine version 3"}
_MOST: Final = 100
_NAME: Final = re.compile(r"[a-zA-Z0-9._-]{1,128}")
_STATEMENT: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,255}")


@dataclass(frozen=True, slots=True)
class WorkGroup:
    """``use`` is what its queries are for; ``managed``: results are had by the API, no file is made."""

    name: str
    description: str = ""
    use: Mapping[str, str] = field(default_factory=dict)
    managed: bool = True
    created: float = 0.0


_STANDING: Final = (
    WorkGroup(PRIMARY, "结果经接口读取 results by the API"),
    WorkGroup(FILES, "结果为文件 results as files in S3, UNLOAD", managed=False),
)


@dataclass(frozen=True, slots=True)
class Prepared:
    name: str
    work_group: str
    sql: str
    description: str
    modified: float


class WorkGroups:
    """Of all analysts; each has its own. Statements may hold personal values: they stay in memory."""

    def __init__(self, folder: Path, now: Callable[[], float]) -> None:
        self._path = folder / "workgroups.json"
        self._now = now
        self._lock = threading.Lock()
        self._prepared: dict[tuple[str, str, str], Prepared] = {}

    def get(self, principal: str, name: str) -> WorkGroup:
        """Raises ApiError."""
        found = next((group for group in self.all(principal) if group.name == name), None)
        if found is None:
            raise invalid(f"没有工作组 {name}", f"WorkGroup {name} is not found", "WORKGROUP_NOT_FOUND")
        return found

    def all(self, principal: str) -> list[WorkGroup]:
        own = [WorkGroup(**one) for one in self._kept().get(principal, ())]
        return [*_STANDING, *own]

    def create(self, principal: str, asked: Mapping[str, Any]) -> None:
        """Raises ApiError on a name that is taken or none, and on tags that say nothing of the use."""
        name = asked["Name"]
        tags = {tag.get("Key", ""): tag.get("Value", "") for tag in asked.get("Tags", ())}
        configuration = asked.get("Configuration", {})
        managed = bool(configuration.get("ManagedQueryResultsConfiguration", {}).get("Enabled", True))
        if not _NAME.fullmatch(name):
            raise invalid("工作组名称无效", "The name of the work group is not valid")
        if unknown := sorted(set(tags) - set(NAMES)):
            known = ", ".join(NAMES)
            raise invalid(f"标签须取自 {known}", f"Tags are some of {known}, not {', '.join(unknown)}")
        if configuration.get("ResultConfiguration", {}).get("OutputLocation"):
            raise invalid(
                "结果位置由平台决定,请勿指定",
                "The platform decides where results are: name no OutputLocation",
            )
        with self._lock:
            groups = self.all(principal)
            if any(group.name == name for group in groups):
                raise invalid(
                    f"工作组 {name} 已存在", "WorkGroup is already created", "WORKGROUP_ALREADY_EXISTS"
                )
            if len(groups) >= _MOST:
                raise invalid(
                    f"工作组最多 {_MOST} 个", f"At most {_MOST} work groups", "RESOURCE_LIMIT_EXCEEDED"
                )
            made = WorkGroup(name, asked.get("Description", ""), tags, managed, self._now())
            self._keep(principal, [*groups[len(_STANDING) :], made])

    def delete(self, principal: str, name: str) -> None:
        """Raises ApiError for ``primary`` and for one that is not there."""
        with self._lock:
            self.get(principal, name)
            if name in (PRIMARY, FILES):
                raise invalid(f"{name} 不能删除", f"The work group {name} cannot be deleted")
            own = self.all(principal)[len(_STANDING) :]
            self._keep(principal, [group for group in own if group.name != name])
            for key in [k for k in self._prepared if k[:2] == (principal, name)]:
                del self._prepared[key]

    # --- prepared statements ---

    def prepare(
        self,
        principal: str,
        group: str,
        name: str,
        sql: str,
        description: str = "",
        *,
        again: bool | None = None,
    ) -> None:
        """``again``: True = it must be there, False = it must not, None = either. Raises ApiError."""
        self.get(principal, group)
        if not _STATEMENT.fullmatch(name):
            raise invalid("语句名称无效", "The name of the statement is not valid")
        with self._lock:
            key = (principal, group, name.lower())
            if again is True and key not in self._prepared:
                raise _no_statement(name)
            if again is False and key in self._prepared:
                raise invalid(
                    f"语句 {name} 已存在", f"Prepared statement {name} already exists", "ALREADY_EXISTS"
                )
            if len(self._prepared) >= 10 * _MOST:
                raise invalid("预备语句过多", "Too many prepared statements", "RESOURCE_LIMIT_EXCEEDED")
            self._prepared[key] = Prepared(name, group, sql, description, self._now())

    def prepared(self, principal: str, group: str, name: str) -> Prepared:
        """Raises ApiError."""
        found = self._prepared.get((principal, group, name.lower()))
        if found is None:
            raise _no_statement(name)
        return found

    def all_prepared(self, principal: str, group: str) -> list[Prepared]:
        self.get(principal, group)
        return [one for key, one in sorted(self._prepared.items()) if key[:2] == (principal, group)]

    def forget(self, principal: str, group: str, name: str) -> None:
        """Raises ApiError."""
        self.prepared(principal, group, name)
        with self._lock:
            self._prepared.pop((principal, group, name.lower()), None)

    def _kept(self) -> dict[str, list[dict[str, Any]]]:
        if not self._path.is_file():
            return {}
        found: dict[str, list[dict[str, Any]]] = json.loads(self._path.read_text(encoding="utf-8"))
        return found

    def _keep(self, principal: str, groups: list[WorkGroup]) -> None:
        kept = self._kept() | {principal: [asdict(group) for group in groups]}
        write_private(self._path, json.dumps(kept, ensure_ascii=False, indent=1))


def _no_statement(name: str) -> ApiError:
    return ApiError(
        "ResourceNotFoundException",
        f"没有预备语句 {name} / Prepared statement {name} was not found",
        ResourceName=name,
    )
