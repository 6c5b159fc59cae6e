"""The API as the command line calls it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, urlencode

import urllib3

from huitong import __version__
from huitong.cli.connection import USE, Connection

_TIMEOUT: Final = urllib3.Timeout(connect=5, read=60)
_UPLOAD_TIMEOUT: Final = urllib3.Timeout(connect=5, read=600)
#: Only calls that may be made twice are made again.
_RETRIES: Final = urllib3.Retry(
    total=4,
    backoff_factor=0.3,
    status_forcelist=(429, 502, 503, 504),
    allowed_methods=frozenset({"GET", "PUT", "DELETE"}),
    raise_on_status=False,
    redirect=0,
)
_ONCE: Final = urllib3.Retry(total=0, redirect=0, raise_on_status=False)
JSON: Final = "application/json"


class Refused(Exception):
    """The API said no, or could not be reached: the problem details."""

    def __init__(self, problem: Mapping[str, Any]) -> None:
        super().__init__(str(problem.get("detail", "")))
        self.problem = dict(problem)


class Client:
    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._pool = urllib3.PoolManager(retries=_RETRIES, timeout=_TIMEOUT)

    def get(self, *path: str, acting: str = "", **query: Any) -> Any:
        """JSON of a GET; empty query values are left out. Raises Refused."""
        return json.loads(self._call("GET", path, query=query, acting=acting))

    def post(self, *path: str, body: Any = None, acting: str = "", key: str = "", **query: Any) -> Any:
        """JSON of a POST; with an idempotency ``key`` it is tried again like a GET. Raises Refused."""
        return json.loads(self._call("POST", path, body=body, query=query, acting=acting, key=key))

    def put(self, *path: str, body: Any, acting: str = "") -> Any:
        return json.loads(self._call("PUT", path, body=body, acting=acting))

    def delete(self, *path: str, acting: str = "", **query: Any) -> Any:
        return json.loads(self._call("DELETE", path, query=query, acting=acting))

    def pages(
        self, *path: str, limit: int = 0, acting: str = "", most: int = 1_000, **query: Any
    ) -> Iterator[Any]:
        """The pages of a list, as they come, until about ``limit`` items (0 = all), ``most`` in each."""
        seen, after = 0, ""
        while True:
            size = min(most, limit - seen) if limit else ""
            page = self.get(
                *path, acting=acting, **{**query, "after": after or query.get("after", ""), "limit": size}
            )
            yield page
            seen += len(page["items"])
            after = page["next"] or ""
            if not page.get("has_more", bool(after)) or (limit and seen >= limit):
                return

    def items(self, *path: str, limit: int = 0, acting: str = "", **query: Any) -> list[Any]:
        """All items of a list that is paged by ``after`` and ``limit``."""
        pages = self.pages(*path, limit=limit, acting=acting, **query)
        return [item for page in pages for item in page["items"]]

    def answer(
        self, method: str, *path: str, accept: str, body: Any = None, acting: str = "", **query: Any
    ) -> Any:
        """The urllib3 answer of a call whose body is not JSON. Raises Refused."""
        return self._answer(method, path, body=body, query=query, acting=acting, accept=accept)

    def download(self, url: str, target: Path, *, sha256: str) -> None:
        """Fetch a file from its presigned address. Raises Refused, also when it is another file."""
        try:
            answer = self._pool.request("GET", url, timeout=_UPLOAD_TIMEOUT)
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(error) from error
        if answer.status >= 300 or hashlib.sha256(answer.data).hexdigest() != sha256:
            raise Refused(_problem(answer.status, f"未能取得文件 / the file was not had ({answer.status})"))
        partial = target.with_name(f"{target.name}.part")
        partial.write_bytes(answer.data)
        partial.replace(target)

    def upload(self, ticket: Mapping[str, Any], file: Path) -> None:
        """Put a file to its presigned address, streamed. Raises Refused."""
        headers = {**ticket["headers"], "Content-Length": str(file.stat().st_size)}
        try:
            with file.open("rb") as stream:
                answer = self._pool.request(
                    ticket["method"], ticket["url"], body=stream, headers=headers, timeout=_UPLOAD_TIMEOUT
                )
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(error) from error
        if answer.status >= 300:
            raise Refused(
                _problem(answer.status, f"文件未能存入 / the store refused the file ({answer.status})")
            )

    def _call(self, method: str, path: tuple[str, ...], **more: Any) -> bytes:
        made: bytes = self._answer(method, path, accept=JSON, **more).data
        return made or b"null"

    def _answer(
        self,
        method: str,
        path: tuple[str, ...],
        *,
        accept: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        acting: str = "",
        key: str = "",
    ) -> Any:
        url = "/".join((self.connection.api_url, "v1", *(quote(part, safe="") for part in path)))
        given = {name: value for name, value in (query or {}).items() if value not in ("", None)}
        headers = {
            "Accept": accept,
            "User-Agent": f"huitong-cli/{__version__}",
        }
        unit = acting or self.connection.unit
        headers |= {"Huitong-Unit": unit} if unit else {}
        for name in USE:
            said = getattr(self.connection, name)
            headers |= {f"Huitong-{name.title()}": quote(said, safe="")} if said else {}
        headers |= {"Content-Type": JSON} if body is not None else {}
        headers |= {"Idempotency-Key": key} if key else {}
        data = json.dumps(body, ensure_ascii=False).encode() if body is not None else None
        retries = _RETRIES.new(allowed_methods=None) if key else _RETRIES
        url = f"{url}?{urlencode(given)}" if given else url
        try:
            if self.connection.key:
                answer = self._signed(method, path, url, given, headers, data, retries)
            else:
                bearer = {"Authorization": f"Bearer {self.connection.token}"} if self.connection.token else {}
                answer = self._pool.request(
                    method, url, body=data, headers={**headers, **bearer}, retries=retries
                )
        except urllib3.exceptions.HTTPError as error:
            raise _unreachable(error) from error
        if answer.status >= 300:
            raise Refused(_refusal(answer))
        return answer

    def _signed(
        self,
        method: str,
        path: tuple[str, ...],
        url: str,
        given: Mapping[str, Any],
        headers: Mapping[str, str],
        data: bytes | None,
        retries: urllib3.Retry,
    ) -> Any:
        """Each try has a nonce of its own, so it is made here and not by the pool."""
        from datetime import UTC, datetime

        from huitong.identity.signed import Signable, sign

        request = Signable(
            method,
            "/".join(("/v1", *(quote(part, safe="") for part in path))),
            tuple((name, str(value)) for name, value in given.items()),
            tuple(headers.items()),
            data or b"",
        )
        again = retries.allowed_methods is None or method in retries.allowed_methods
        for left in range(int(retries.total or 0) if again else 0, -1, -1):
            c = self.connection
            signature = sign(c.algorithm, c.key, c.credential, request, datetime.now(UTC))
            try:
                answer = self._pool.request(
                    method, url, body=data, headers={**headers, "Authorization": signature}, retries=_ONCE
                )
            except urllib3.exceptions.HTTPError:
                if not left:
                    raise
                continue
            if answer.status not in retries.status_forcelist or not left:
                return answer
            time.sleep(0.3)
        raise AssertionError("unreachable")


def _refusal(answer: Any) -> dict[str, Any]:
    try:
        said = json.loads(answer.data)
    except ValueError:
        said = None
    if isinstance(said, dict) and "code" in said:
        return said
    if answer.status in (401, 403):
        return _problem(
            answer.status, "凭证无效或无权访问 / the token is not valid, or this is not permitted"
        )
    return _problem(answer.status, f"平台答复 / the platform answered {answer.status}")


def _unreachable(error: Exception) -> Refused:
    return Refused(_problem(0, f"无法连接平台 / the platform cannot be reached: {error}"))


def _problem(status: int, detail: str) -> dict[str, Any]:
    code = {0: "unreachable", 401: "not-authenticated", 403: "not-permitted"}.get(status, "refused")
    return {"status": status, "code": code, "title": code, "detail": detail, "problems": []}
