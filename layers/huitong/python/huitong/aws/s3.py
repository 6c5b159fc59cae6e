"""One bucket of S3."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, cast

from botocore.exceptions import BotoCoreError, ClientError

from huitong.aws.errors import codes, translate, translated
from huitong.aws.warm import WarmFiles
from huitong.errors import Conflict, NotFound
from huitong.ports import ObjectInfo, PresignedUpload, timestamp

_BUFFER = 1 << 20


class S3Objects:
    """:class:`huitong.ports.ObjectStore`.

    ``signer`` is the client that makes presigned URLs (an outside address may
    differ from the inside one); ``warm`` keeps downloaded objects for :meth:`local`; ``shown`` is how a key
    is told of in errors (:func:`huitong.unnamed.key` where people name what they put in).
    """

    def __init__(
        self,
        client: Any,
        bucket: str,
        *,
        warm: WarmFiles,
        signer: Any = None,
        shown: Callable[[str], str] = str,
    ) -> None:
        self._shown = shown
        self._client = client
        self._bucket = bucket
        self._warm = warm
        self._signer = signer or client

    def uri(self, key: str) -> str:
        return f"s3://{self._bucket}/{key}"

    def key_of(self, uri: str) -> str:
        head = f"s3://{self._bucket}/"
        if not uri.startswith(head):
            raise NotFound(f"{uri} 不在本存储桶", f"{uri} is not in this bucket", uri=uri)
        return uri.removeprefix(head)

    def head(self, key: str, version: str = "") -> ObjectInfo | None:
        try:
            answer = self._client.head_object(**self._named(key, version))
        except (ClientError, BotoCoreError) as error:
            problem = translate(error, what=self._shown(key))
            if isinstance(problem, NotFound):
                return None
            raise problem from error
        return ObjectInfo(
            key,
            int(answer["ContentLength"]),
            etag=_bare(answer.get("ETag", "")),
            version=_version(answer),
            modified=timestamp(answer["LastModified"]),
            metadata=dict(answer.get("Metadata", {})),
        )

    @contextmanager
    def open(self, key: str, version: str = "") -> Iterator[BinaryIO]:
        with translated(self._shown(key)):
            answer = self._client.get_object(**self._named(key, version))
        with closing(answer["Body"]) as body:
            yield cast(BinaryIO, io.BufferedReader(_Stream(body, self._shown(key)), _BUFFER))

    def read(self, key: str) -> bytes:
        with self.open(key) as stream:
            return stream.read()

    @contextmanager
    def local(self, key: str, version: str = "") -> Iterator[Path]:
        name = f"{self._bucket}/{key}?{version}"
        with self._warm.lease(name, lambda known, path: self._download(key, version, known, path)) as path:
            yield path

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
    ) -> None:
        more: dict[str, Any] = {"IfNoneMatch": "*"} if if_absent else {}
        if metadata:
            more["Metadata"] = dict(metadata)
        try:
            self._client.put_object(Bucket=self._bucket, Key=key, Body=data, ContentType=content_type, **more)
        except (ClientError, BotoCoreError) as error:
            shown = self._shown(key)
            problem = translate(error, what=shown, writing=True)
            if isinstance(problem, Conflict):
                raise Conflict(f"对象 {shown} 已存在", f"Object {shown} already exists", key=shown) from error
            raise problem from error

    def put_file(self, key: str, path: Path, *, content_type: str = "application/octet-stream") -> None:
        with translated(self._shown(key), writing=True), path.open("rb") as stream:
            self._client.upload_fileobj(stream, self._bucket, key, ExtraArgs={"ContentType": content_type})

    def list(self, prefix: str) -> Iterator[ObjectInfo]:
        pages = iter(
            self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        )
        while True:
            with translated(self._shown(prefix)):
                page = next(pages, None)
            if page is None:
                return
            for found in page.get("Contents", []):
                yield ObjectInfo(
                    found["Key"],
                    int(found["Size"]),
                    etag=_bare(found.get("ETag", "")),
                    modified=timestamp(found["LastModified"]),
                )

    def delete(self, key: str) -> None:
        with translated(self._shown(key), writing=True):
            self._client.delete_object(Bucket=self._bucket, Key=key)

    def presign_put(self, key: str, *, seconds: int, content_type: str = "") -> PresignedUpload:
        named = {**self._named(key, ""), **({"ContentType": content_type} if content_type else {})}
        until = timestamp(datetime.now(UTC) + timedelta(seconds=seconds))
        url = self._signer.generate_presigned_url("put_object", Params=named, ExpiresIn=seconds)
        return PresignedUpload(url, {"content-type": content_type} if content_type else {}, until)

    def presign_get(self, key: str, *, seconds: int) -> str:
        named = self._named(key, "")
        return str(self._signer.generate_presigned_url("get_object", Params=named, ExpiresIn=seconds))

    def _named(self, key: str, version: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": key, **({"VersionId": version} if version else {})}

    def _download(self, key: str, version: str, known: str, path: Path) -> str:
        """Write the object to ``path`` and answer its ETag; write nothing when that is still ``known``."""
        more = {"IfNoneMatch": f'"{known}"'} if known else {}
        try:
            answer = self._client.get_object(**self._named(key, version), **more)
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and codes(error) & {"304", "NotModified"}:
                return known
            raise translate(error, what=self._shown(key)) from error
        with closing(answer["Body"]) as body, path.open("wb") as target:
            stream = _Stream(body, self._shown(key))
            while block := stream.read(_BUFFER):
                target.write(block)
        return _bare(answer["ETag"])


class _Stream(io.RawIOBase):
    """The body of an answer as a raw stream that raises our errors."""

    def __init__(self, body: Any, what: str) -> None:
        self._body = body
        self._what = what

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        with translated(self._what):
            block: bytes = self._body.read(len(buffer))
        buffer[: len(block)] = block
        return len(block)


def _bare(etag: str) -> str:
    return etag.strip('"')


def _version(answer: Mapping[str, Any]) -> str:
    version = str(answer.get("VersionId", ""))
    return "" if version == "null" else version
