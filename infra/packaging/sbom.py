"""The bill of materials of what is deployed (CycloneDX 1.6, JSON): the same packages give the same text."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution
from pathlib import Path
from typing import Any, Final

from cyclonedx.builder.this import this_component
from cyclonedx.model import Property
from cyclonedx.model.bom import Bom, BomMetaData
from cyclonedx.model.component import Component, ComponentScope, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from infra.packaging import licences, wheels
from infra.packaging.building import OWN
from infra.packaging.plan import PackagingError, Plan, Target
from packageurl import PackageURL

from packaging.requirements import Requirement

_NAMESPACE: Final = uuid.UUID("8c0c0e0e-3f0c-5d5b-9a55-6a1c0f0f7a11")


def write(plan: Plan, target: Target, tree: Path, version: str) -> str:
    """The text. Raises PackagingError when CycloneDX's own schema refuses it."""
    text = made(plan, target, tree, version)
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        raise PackagingError(f"the bill of materials is not CycloneDX: {problem}")
    return text


def made(plan: Plan, target: Target, tree: Path, version: str) -> str:
    """The text, not yet judged."""
    found = {layer.name: wheels.packages(tree / layer.folder / OWN) for layer in plan.layers}
    return _without_time(JsonV1Dot6(_bom(target, found, version)).output_as_string())


def _bom(target: Target, found: Mapping[str, list[Distribution]], version: str) -> Bom:
    root = Component(
        name="huitong", version=version, type=ComponentType.APPLICATION, bom_ref="huitong",
        properties=[Property(name="huitong:target", value=target.name)],
    )  # fmt: skip
    parts = {
        package.name.lower(): (_component(package, layer), package)
        for layer, packages in found.items()
        for package in packages
    }
    bom = Bom(metadata=BomMetaData(component=root), components=[made for made, _ in parts.values()])
    bom.metadata.tools.components.add(this_component())
    for made, package in parts.values():
        bom.register_dependency(made, [parts[name][0] for name in _asked(package) if name in parts])
    bom.register_dependency(root, [made for made, _ in parts.values()])
    named = "\n".join([target.name, version, *sorted(str(made.purl) for made, _ in parts.values())])
    bom.serial_number = uuid.uuid5(_NAMESPACE, named)
    return bom


def _component(package: Distribution, layer: str) -> Component:
    url = PackageURL("pypi", name=re.sub(r"[-_.]+", "-", package.name.lower()), version=package.version)
    expression = licences.of(package).expression
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(url),
        purl=url,
        licenses=[LicenseExpression(expression)] if expression else [],
        components=list(_bundled(package, str(url))),
        properties=[Property(name="huitong:layer", value=layer)],
    )


def _bundled(package: Distribution, inside: str) -> Iterator[Component]:
    seen: set[str] = set()
    for part in sorted(bundled(package), key=lambda p: (p["name"], str(p.get("version")))):
        url = PackageURL.from_string(part["purl"]) if part.get("purl") else None
        ref = f"{inside}#{url.to_string() if url else part['name']}"
        if (url and url.name.lower() == package.name.lower()) or ref in seen:
            continue
        seen.add(ref)
        expression = bundled_licence(part)
        yield Component(
            name=part["name"],
            version=part.get("version"),
            type=ComponentType.LIBRARY,
            bom_ref=ref,
            purl=url,
            scope=ComponentScope.OPTIONAL if part.get("scope") == "optional" else None,
            licenses=[LicenseExpression(expression)] if licences.known(expression) else [],
        )


def bundled(package: Distribution) -> Iterator[dict[str, Any]]:
    """What a wheel says to have compiled in (PEP 770): OpenSSL, Rust crates, libraries of pictures."""
    for file in sorted(Path(str(package.locate_file(""))).glob(f"{_folder(package)}/sboms/*.json")):
        said = json.loads(file.read_text())
        if said.get("bomFormat") == "CycloneDX":
            yield from (part for part in said.get("components", []) if part.get("scope") != "excluded")


def bundled_licence(part: Mapping[str, Any]) -> str:
    """The expression in an entry of a wheel's own bill of materials; "" where it names none."""
    said = part.get("licenses", [])
    found = [one.get("expression") or one.get("license", {}).get("id", "") for one in said]
    return " AND ".join(f"({one.replace('/', ' OR ')})" if len(found) > 1 else one.replace("/", " OR ")
                        for one in found if one)  # fmt: skip


def forbidden(package: Distribution) -> list[str]:
    """What is compiled into a package, for certain, under a licence that is not allowed."""
    return [
        f"{package.name} {package.version} has {part['name']} in it: {bundled_licence(part)}"
        for part in bundled(package)
        if part.get("scope") != "optional" and bundled_licence(part)
        if not licences.allowed(bundled_licence(part))
    ]


def _folder(package: Distribution) -> str:
    return f"{re.sub(r'[-_.]+', '_', package.name)}-{package.version}.dist-info"


def _asked(package: Distribution) -> set[str]:
    """Names of the packages that one asks for, extras aside."""
    asked = (Requirement(line) for line in package.requires or ())
    return {r.name.lower() for r in asked if "extra" not in str(r.marker)}


def _without_time(text: str) -> str:
    """The one thing that would differ from run to run."""
    document = json.loads(text)
    document["metadata"].pop("timestamp", None)
    return json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
