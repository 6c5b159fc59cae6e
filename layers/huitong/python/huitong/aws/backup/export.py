"""From a deployment to a folder of encrypted files, which may be copied to any second site.

``manifest.enc`` says what there is; ``register.enc`` and ``evidence.enc`` are items, a line each;
``objects.enc`` lists the objects, whose bytes are in ``objects/``. Names of files are numbers: keys can hold
names that people gave.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

from huitong import __version__
from huitong.aws.backup.site import TABLES, Raw, Site, Stream, body_of, with_body
from huitong.aws.errors import translated
from huitong.errors import BadRequest
from huitong.operating.backup import sealed_values
from huitong.operating.backup.cipher import seal
from huitong.ports import Clock, SystemClock, timestamp

FORMAT: Final = 1
#: Results of queries, which anybody can have again, and whose time is over soon.
_PASSING: Final = ("queries/",)
#: Attempts to sign in, for minutes: they are not carried over.
_TRANSIENT: Final = ("SIGN-IN#", "SIGNIN#", "BOUND#")


@dataclass
class Counts:
    register: int = 0
    evidence: int = 0
    objects: int = 0
    bytes: int = 0
    left_out: int = 0


@dataclass
class Export:
    """``tables``: names of tables to read instead, such as copies made by point-in-time recovery."""

    site: Site
    folder: Path
    key: bytes
    tables: Mapping[str, str] = field(default_factory=dict)
    clock: Clock = field(default_factory=SystemClock)
    counts: Counts = field(default_factory=Counts)

    def run(self) -> dict[str, Any]:
        """Write everything; the manifest. Raises BadRequest unless the folder is empty."""
        if self.folder.exists() and any(self.folder.iterdir()):
            raise BadRequest(
                f"{self.folder} 不是空目录", f"{self.folder} is not empty", folder=str(self.folder)
            )
        (self.folder / "objects").mkdir(parents=True, exist_ok=True)
        began = self.clock.now()
        for role, output in TABLES.items():
            table = self.tables.get(role) or self.site.outputs[output]
            self._file(f"{role}.enc", self._items(role, table))
        self._file("objects.enc", self._objects())
        manifest = {
            "format": FORMAT,
            "version": __version__,
            "at": timestamp(began),
            "ended_at": timestamp(self.clock.now()),
            "stack": self.site.name,
            "buckets": self.site.buckets,
            "signers": self.site.signers(),
            "tables": self._tables(),
            "counts": vars(self.counts),
        }
        self._file("manifest.enc", iter([json.dumps(manifest, ensure_ascii=False).encode()]))
        return manifest

    def _file(self, name: str, pieces: Iterator[bytes]) -> None:
        with (self.folder / name).open("wb") as target:
            seal(cast(Any, Stream(pieces)), target, self.key, name)

    def _items(self, role: str, table: str) -> Iterator[bytes]:
        for raw in self.site.raw_items(table):
            pk, sk = str(raw["pk"]["S"]), str(raw["sk"]["S"])
            if role == "register":
                if pk.upper().startswith(_TRANSIENT):
                    self.counts.left_out += 1
                    continue
                body = body_of(raw)
                if sealed_values.is_sealed(body):
                    raw = with_body(raw, sealed_values.opened(body, pk, sk, self.site.secrets))
            setattr(self.counts, role, getattr(self.counts, role) + 1)
            yield json.dumps(_told(raw), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"

    def _objects(self) -> Iterator[bytes]:
        for role, bucket in self.site.buckets.items():
            for key, version in self._listed(role, bucket):
                yield (
                    json.dumps(self._object(role, bucket, key, version), ensure_ascii=False).encode() + b"\n"
                )

    def _listed(self, role: str, bucket: str) -> Iterator[tuple[str, str]]:
        """Deliveries in all versions, oldest first, since batches name them; else the present ones."""
        with translated(bucket):
            pages = self.site.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
            kept = [
                (one["Key"], str(one["LastModified"]), one["VersionId"])
                for page in pages
                for one in page.get("Versions", ())
                if (role == "landing" or one["IsLatest"]) and not one["Key"].startswith(_PASSING)
            ]
        for key, _, version in sorted(kept):
            yield key, version

    def _object(self, role: str, bucket: str, key: str, version: str) -> dict[str, Any]:
        named = {
            "Bucket": bucket,
            "Key": key,
            **({"VersionId": version} if version not in ("", "null") else {}),
        }
        self.counts.objects += 1
        number = self.counts.objects
        digest = hashlib.sha256()
        with translated(key):
            answer = self.site.client("s3").get_object(**named)

            def pieces() -> Iterator[bytes]:
                for piece in answer["Body"].iter_chunks(1 << 20):
                    digest.update(piece)
                    yield piece

            name = f"objects/{number:08}.enc"
            with (self.folder / name).open("wb") as target:
                size = seal(cast(Any, Stream(pieces())), target, self.key, name)
        self.counts.bytes += size
        return {
            "role": role,
            "key": key,
            "version": version,
            "file": name,
            "size": size,
            "sha256": digest.hexdigest(),
            "type": answer.get("ContentType", ""),
            "metadata": answer.get("Metadata", {}),
        }

    def _tables(self) -> dict[str, str]:
        """Names of the Iceberg tables and where their metadata are."""
        with translated("Glue"):
            pages = self.site.client("glue").get_paginator("get_tables").paginate(DatabaseName="huitong")
            return {
                one["Name"]: one.get("Parameters", {})["metadata_location"]
                for page in pages
                for one in page["TableList"]
            }


def _told(raw: Raw) -> Raw:
    """With bytes as text."""
    return {
        name: {"B": base64.b64encode(bytes(value["B"])).decode()} if "B" in value else value
        for name, value in raw.items()
    }


def untold(told: Raw) -> Raw:
    return {
        name: {"B": base64.b64decode(value["B"])} if "B" in value else value for name, value in told.items()
    }
