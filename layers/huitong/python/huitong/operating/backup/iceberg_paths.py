"""Iceberg metadata under another bucket's name: it holds absolute addresses, in JSON and in Avro manifests.

Every file keeps its key. Lengths that a manifest list states of its manifests are those of the new files.
Statistics and delete files that name paths are not written by this platform; a manifest that has one is
refused rather than carried over wrong. Needs fastavro (extra ``operate``).
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from huitong.errors import Corrupt

_DATA: Final = 0  # content of a data file; 1 and 2 are deletes


def moved_metadata(data: bytes, old: str, new: str) -> bytes:
    """A ``*.metadata.json`` with every address under ``old`` (``s3://bucket/``) put under ``new``."""
    return json.dumps(_moved(json.loads(data), old, new), separators=(",", ":")).encode()


def moved_manifest(data: bytes, old: str, new: str) -> bytes:
    """A manifest: the addresses of its data files. Raises Corrupt for one with delete files."""

    def change(record: dict[str, Any]) -> dict[str, Any]:
        file = dict(record["data_file"])
        if file.get("content", _DATA) != _DATA:
            raise Corrupt("清单含删除文件", "A manifest names delete files")
        file["file_path"] = _put(str(file["file_path"]), old, new)
        return {**record, "data_file": file}

    return _rewritten(data, change)


def moved_list(data: bytes, old: str, new: str, sizes: Mapping[str, int]) -> bytes:
    """A manifest list: the addresses of its manifests and their new lengths, by new address."""

    def change(record: dict[str, Any]) -> dict[str, Any]:
        path = _put(str(record["manifest_path"]), old, new)
        return {
            **record,
            "manifest_path": path,
            "manifest_length": sizes.get(path, record["manifest_length"]),
        }

    return _rewritten(data, change)


def is_list(data: bytes) -> bool:
    """Is an Avro file of the metadata folder a manifest list, not a manifest?"""
    return b'"manifest_path"' in data[:8_192]


def _rewritten(data: bytes, change: Callable[[dict[str, Any]], dict[str, Any]]) -> bytes:
    import fastavro

    reader = fastavro.reader(io.BytesIO(data))
    kept = {name: value for name, value in reader.metadata.items() if not name.startswith("avro.")}
    schema = json.loads(reader.metadata["avro.schema"])  # as written: field ids and logical types stay
    codec = reader.metadata.get("avro.codec", "null")
    records = [change(dict(record)) for record in reader]  # type: ignore[arg-type]
    target = io.BytesIO()
    fastavro.writer(target, schema, records, codec=codec, metadata=kept)
    return target.getvalue()


def _moved(value: Any, old: str, new: str) -> Any:
    if isinstance(value, str):
        return _put(value, old, new)
    if isinstance(value, dict):
        return {name: _moved(one, old, new) for name, one in value.items()}
    return [_moved(one, old, new) for one in value] if isinstance(value, list) else value


def _put(text: str, old: str, new: str) -> str:
    return new + text.removeprefix(old) if text.startswith(old) else text
