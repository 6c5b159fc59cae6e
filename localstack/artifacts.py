"""From the repository to what CloudFormation takes: zips in a bucket, and a template that names them."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

#: resource type → the property that names a folder
FOLDERS = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
_SKIPPED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
_EPOCH = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Package:
    template: str  # JSON
    files: dict[str, bytes]  # key → zip


def package(template: Path, bucket: str) -> Package:
    """All folders of a template zipped, each under a key made of its content."""
    document = read_template(template.read_text())
    files: dict[str, bytes] = {}
    keys: dict[str, str] = {}
    for resource in document["Resources"].values():
        place = FOLDERS.get(resource["Type"])
        if place is None:
            continue
        folder = resource["Properties"][place]
        if folder not in keys:
            content = zipped(template.parent / folder)
            keys[folder] = f"{hashlib.sha256(content).hexdigest()}.zip"
            files[keys[folder]] = content
        resource["Properties"][place] = {"Bucket": bucket, "Key": keys[folder]}
    return Package(json.dumps(document), files)


def zipped(folder: Path) -> bytes:
    """The same files make the same bytes, so that an unchanged function is not deployed again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not _skipped(name):
                info = zipfile.ZipInfo(name.as_posix(), _EPOCH)
                info.external_attr = 0o644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(info, path.read_bytes())
    return buffer.getvalue()


def read_template(text: str) -> dict[str, Any]:
    """A template's YAML with the short forms of functions spelled out."""
    return dict(yaml.load(text, Loader=_Loader))


def _skipped(name: Path) -> bool:
    return any(part in _SKIPPED or part.endswith(".egg-info") for part in name.parts)


class _Loader(yaml.SafeLoader):
    pass


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _function)
