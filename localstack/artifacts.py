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
#: The transform of CloudFormation that knows loops; :func:`read_template` leaves it nothing to do.
LOOPS = "AWS::LanguageExtensions"
_SKIPPED = {"__pycache__", ".pytest_cache", ".mypy_cache", ".ruff_cache"}
_EPOCH = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Package:
    template: str  # JSON
    files: dict[str, bytes]  # key → zip
    keys: dict[str, str]  # folder → key


def package(
    template: Path, bucket: str | dict[str, str], *, content: Path | None = None, level: int = 1
) -> Package:
    """All folders of a template zipped, each under a key made of its content.

    The folders lie beside the template, or under ``content``: infra/packaging builds
    them there with third-party packages in the layers. ``level`` is the compression's.
    """
    document, root = assembled(template), content or template.parent
    files: dict[str, bytes] = {}
    keys: dict[str, str] = {}
    for resource in document["Resources"].values():
        place = FOLDERS.get(resource["Type"])
        if place is None:
            continue
        folder = resource["Properties"][place]
        if folder not in keys:
            made = zipped(root / folder, level)
            keys[folder] = f"{hashlib.sha256(made).hexdigest()}.zip"
            files[keys[folder]] = made
        resource["Properties"][place] = {"Bucket": bucket, "Key": keys[folder]}
    return Package(json.dumps(document), files, keys)


def zipped(folder: Path, level: int = 1) -> bytes:
    """The same files make the same bytes, so that an unchanged function is not deployed again."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=level) as target:
        for path in sorted(folder.rglob("*")):
            name = path.relative_to(folder)
            if path.is_file() and not _skipped(name):
                info = zipfile.ZipInfo(name.as_posix(), _EPOCH)
                info.external_attr = 0o644 << 16
                info.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(info, path.read_bytes())
    return buffer.getvalue()


def assembled(template: Path) -> dict[str, Any]:
    """The whole template as one plain document: loops written out, included files in their places."""
    document = read_template(template.read_text())
    return dict(_included(document, template.parent))


def read_template(text: str) -> dict[str, Any]:
    """A template's YAML with the short forms of functions spelled out and its loops written out."""
    document = dict(yaml.load(text, Loader=_Loader))
    document["Resources"] = _unrolled(document["Resources"])
    transforms = [t for t in _listed(document.get("Transform", [])) if t != LOOPS]
    if transforms:
        document["Transform"] = transforms[0] if len(transforms) == 1 else transforms
    return document


def _unrolled(fragment: dict[str, Any]) -> dict[str, Any]:
    """``Fn::ForEach`` written out as AWS::LanguageExtensions does it (one emulator does it otherwise)."""
    plain: dict[str, Any] = {}
    for key, value in fragment.items():
        if not key.startswith("Fn::ForEach::"):
            plain[key] = value
            continue
        name, items, body = value
        for item in items:
            for inner, told in _unrolled(body).items():
                plain[inner.replace(f"${{{name}}}", item)] = _filled(told, name, item)
    return plain


def _filled(node: Any, name: str, item: str) -> Any:
    """A loop's name stands for its item in the texts of Fn::Sub and in a Ref to it, nowhere else."""
    if isinstance(node, list):
        return [_filled(one, name, item) for one in node]
    if not isinstance(node, dict):
        return node
    if node == {"Ref": name}:
        return item
    if set(node) == {"Fn::Sub"}:
        text, *values = _listed(node["Fn::Sub"])
        text = text.replace(f"${{{name}}}", item)
        if values:
            return {"Fn::Sub": [text, _filled(values[0], name, item)]}
        return {"Fn::Sub": text} if "${" in text else text
    return {key: _filled(value, name, item) for key, value in node.items()}


def _included(node: Any, folder: Path) -> Any:
    """``AWS::Include`` of a file beside the template, replaced by what the file says (JSON)."""
    if isinstance(node, list):
        return [_included(one, folder) for one in node]
    if not isinstance(node, dict):
        return node
    transform = node.get("Fn::Transform", {})
    if transform.get("Name") == "AWS::Include":
        return json.loads((folder / transform["Parameters"]["Location"]).read_text())
    return {key: _included(value, folder) for key, value in node.items()}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


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
