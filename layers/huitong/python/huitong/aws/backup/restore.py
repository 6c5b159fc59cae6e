"""From a folder of encrypted files into an empty deployment, whatever its buckets are called.

Objects come first and the register last: a restore that is broken off leaves a deployment that knows of
nothing, and is run again. Nothing moves in the deployment meanwhile.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from huitong.aws.backup.export import FORMAT, untold
from huitong.aws.backup.site import TABLES, Raw, Site, body_of, with_body
from huitong.aws.errors import translated
from huitong.errors import BadRequest, Conflict, Corrupt
from huitong.operating.backup import sealed_values
from huitong.operating.backup.cipher import unseal
from huitong.operating.backup.iceberg_paths import moved_list, moved_manifest, moved_metadata

#: What only a deployment in use has.
_USED: Final = ("BATCH#", "UNIT#", "CONTRACT#", "GRANT#", "UPLOAD#")
_MEMORY: Final = 64 << 20


@dataclass
class Restore:
    site: Site
    folder: Path
    key: bytes
    counts: dict[str, int] = field(default_factory=dict)
    _versions: dict[tuple[str, str], str] = field(default_factory=dict)  # of deliveries: as they were → now
    _sizes: dict[str, int] = field(default_factory=dict)

    def manifest(self) -> dict[str, Any]:
        """Raises Corrupt for another key or a damaged file."""
        told: dict[str, Any] = json.loads(b"".join(self._plain("manifest.enc")))
        if told.get("format") != FORMAT:
            raise BadRequest("备份格式不支持", "This form of backup is not known", format=told.get("format"))
        return told

    def run(self) -> dict[str, Any]:
        """Put everything in its place; the manifest. Raises Conflict unless the deployment is empty."""
        told = self.manifest()
        self._must_be_empty()
        with self.site.standing_still():
            self._objects(told["buckets"])
            for role, output in TABLES.items():
                table = self.site.outputs[output]
                self.site.empty(table)
                self.counts[role] = self.site.write(table, self._items(role, told["buckets"]))
            self._register_tables(told)
            self.site.purge()
        return {**told, "restored": self.counts}

    def _must_be_empty(self) -> None:
        for raw in self.site.raw_items(self.site.outputs["RegisterTable"]):
            if str(raw["pk"]["S"]).startswith(_USED):
                raise Conflict(
                    f"栈 {self.site.name} 已在使用,不能恢复到其中",
                    f"The stack {self.site.name} is in use: a restore goes into an empty one",
                    stack=self.site.name,
                )

    # --- objects -------------------------------------------------------------

    def _objects(self, before: dict[str, str]) -> None:
        listed = [json.loads(line) for line in self._lines("objects.enc")]
        for one in sorted(listed, key=_rank):  # stable: versions of a delivery stay in their order
            self._object(one, f"s3://{before[one['role']]}/")
        self.counts["objects"] = len(listed)

    def _object(self, one: dict[str, Any], old: str) -> None:
        bucket, key = self.site.buckets[one["role"]], one["key"]
        new = f"s3://{bucket}/"
        named = {"Bucket": bucket, "Key": key, "ContentType": one["type"] or "application/octet-stream"}
        with TemporaryDirectory(prefix="huitong-restore-") as folder, translated(key):
            path = Path(folder) / "object"
            self._unpacked(one, path)
            if one["role"] == "warehouse" and _rank(one) and old != new:
                path.write_bytes(self._moved(one, path.read_bytes(), old, new))
                if _rank(one) == 1:
                    self._sizes[new + key] = path.stat().st_size
            with path.open("rb") as body:
                answer = self.site.client("s3").put_object(Body=body, Metadata=one["metadata"], **named)
        if one["role"] == "landing":
            self._versions[key, one["version"]] = str(answer.get("VersionId", ""))

    def _unpacked(self, one: dict[str, Any], path: Path) -> None:
        digest = hashlib.sha256()
        with path.open("wb") as target:
            for block in self._plain(one["file"]):
                digest.update(block)
                target.write(block)
        if digest.hexdigest() != one["sha256"]:
            raise Corrupt("备份中的对象已损坏", "An object of the backup is damaged", file=one["file"])

    def _moved(self, one: dict[str, Any], data: bytes, old: str, new: str) -> bytes:
        kind = _rank(one)
        if kind == 1:
            return moved_manifest(data, old, new)
        return moved_list(data, old, new, self._sizes) if kind == 2 else moved_metadata(data, old, new)

    # --- items -----------------------------------------------------------------

    def _items(self, role: str, before: dict[str, str]) -> Iterator[Raw]:
        """Evidence as it is, to the byte; in the register new versions of objects, addresses and seals."""
        for line in self._lines(f"{role}.enc"):
            raw = untold(json.loads(line))
            if role == "register":
                body = body_of(raw)
                fresh = sealed_values.closed(self._placed(body, before), self.site.secrets)
                raw = with_body(raw, fresh) if fresh != body else raw
            yield raw

    def _placed(self, value: Any, before: dict[str, str]) -> Any:
        if isinstance(value, dict):
            found = {name: self._placed(one, before) for name, one in value.items()}
            known = (str(value.get("landing_key", "")), str(value.get("landing_version", "")))
            return {**found, "landing_version": self._versions[known]} if known in self._versions else found
        if isinstance(value, list):
            return [self._placed(one, before) for one in value]
        if isinstance(value, str) and value.startswith("s3://"):
            for role, bucket in before.items():
                if value.startswith(f"s3://{bucket}/"):
                    return f"s3://{self.site.buckets[role]}/" + value.removeprefix(f"s3://{bucket}/")
        return value

    # --- tables ------------------------------------------------------------------

    def _register_tables(self, told: dict[str, Any]) -> None:
        new = f"s3://{self.site.buckets['warehouse']}/"
        old = f"s3://{told['buckets']['warehouse']}/"
        catalog = self.site.catalog()
        for name, location in told["tables"].items():
            catalog.register_table(("huitong", name), new + location.removeprefix(old))
        self.counts["tables"] = len(told["tables"])

    # --- files -------------------------------------------------------------------

    def _plain(self, name: str) -> Iterator[bytes]:
        path = self.folder / name
        if not path.is_file():
            raise BadRequest(f"备份缺少 {name}", f"The backup lacks {name}", file=name)
        with path.open("rb") as source:
            yield from unseal(source, self.key, name)

    def _lines(self, name: str) -> Iterator[bytes]:
        left = b""
        for block in self._plain(name):
            *whole, left = (left + block).split(b"\n")
            yield from whole
        if left:
            yield left


def _rank(one: dict[str, Any]) -> int:
    """0 = carried as it is; manifests come before the lists that state their lengths, then the metadata."""
    key = str(one["key"])
    if one["role"] != "warehouse" or "/metadata/" not in key:
        return 0
    if key.endswith(".metadata.json"):
        return 3
    return (2 if key.rpartition("/")[2].startswith("snap-") else 1) if key.endswith(".avro") else 0
