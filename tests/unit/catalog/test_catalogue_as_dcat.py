"""The DCAT export against SHACL shapes, judged by pyshacl."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyshacl
import pytest
import rdflib
from tests.support.catalog_world import OPERATOR, REVIEWER, ROOT, CatalogWorld

from huitong.catalog import dcat
from huitong.catalog.documents import header

Node = dict[str, Any]
SHAPES = rdflib.Graph().parse(ROOT / "schemas/dcat/shapes.ttl")


def exported(world: CatalogWorld, documents: list[Node], **more: Any) -> Node:
    return dcat.catalog(
        documents,
        base="https://huitong.example/v1/catalog",
        edition="2026.2",
        publisher=(OPERATOR, "深圳市破产事务管理署"),
        **more,
    )


def faults(document: Node) -> set[str]:
    """Local names of the paths that fail; ShareShape for the alternatives of sharing."""
    data = rdflib.Graph().parse(data=json.dumps(document, ensure_ascii=False), format="json-ld")
    conforms, report, text = pyshacl.validate(data, shacl_graph=SHAPES, inference="none")
    sh = rdflib.Namespace("http://www.w3.org/ns/shacl#")
    found = set()
    for result in report.subjects(rdflib.RDF.type, sh.ValidationResult):
        path = report.value(result, sh.resultPath)
        found.add(str(path).rpartition("#")[2].rpartition("/")[2] if path else "share")
    assert conforms == (not found), text
    return found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> CatalogWorld:
    made = CatalogWorld(Path(tmp_path_factory.mktemp("catalog"))).with_contracts().published()
    made.catalog.editions.publish(REVIEWER)
    return made


def test_the_export_of_all_twenty_resources_conforms(world: CatalogWorld) -> None:
    """Q-19, C-02; standards.md 1.3."""
    documents = world.catalog.editions.documents("2026.1")
    made = exported(world, documents, previous="2026.1", issued="2026-01-05T08:00:00.000Z")
    assert faults(made) == set()
    kinds = [node["@type"] for node in made["@graph"]]
    assert (kinds.count("dcat:Dataset"), kinds.count("dcat:CatalogRecord")) == (20, 20)
    assert kinds.count("dcat:DataService") == kinds.count("dcat:Distribution") == 19  # one is not shared
    catalogue = made["@graph"][0]
    assert catalogue["dcat:version"] == "2026.2"
    assert catalogue["dcat:previousVersion"]["@id"].endswith("/editions/2026.1")


def test_what_is_unconditional_between_departments_is_not_called_public(world: CatalogWorld) -> None:
    documents = {d["resource"]: d for d in world.catalog.editions.documents("2026.1")}
    shared = {**documents["IN-15"], "open": False}
    (node,) = [n for n in exported(world, [shared])["@graph"] if n["@type"] == "dcat:Dataset"]
    rights = [one["@id"] for one in node["dct:accessRights"]]
    assert rights == ["urn:huitong:vocabulary:share-1", f"{dcat._ACCESS}NON_PUBLIC"]
    assert node["dct:accrualPeriodicity"]["@id"].endswith("/MONTHLY")


BROKEN: dict[str, tuple[Callable[[Node], Any], str]] = {
    "title": (lambda d: d.pop("title"), "title"),
    "abstract": (lambda d: d.pop("abstract"), "description"),
    "code": (lambda d: d.update(code="440/1"), "identifier"),
    "no code": (lambda d: d.pop("code"), "identifier"),
    "contacts": (lambda d: d.pop("contacts"), "contactPoint"),
    "categories": (lambda d: d.pop("categories"), "theme"),
    "provider code": (lambda d: d.pop("provider"), "publisher"),
    "provider name": (lambda d: d.pop("provider_name"), "publisher"),
    "share type": (lambda d: d.pop("share_type"), "accessRights"),
    "frequency": (lambda d: d.pop("frequency"), "accrualPeriodicity"),
    "metadata id": (lambda d: d.pop("metadata_id"), "identifier"),
    "metadata date": (lambda d: d.pop("metadata_updated"), "modified"),
    "format": (lambda d: d.pop("format"), "format"),
    "service type": (lambda d: d["service"].update(type=""), "type"),
    "issued": (lambda d: d.update(issued="yesterday"), "issued"),
    "condition": (lambda d: [d.pop("share_condition"), d.pop("condition")], "share"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_each_broken_mandatory_element_is_found(name: str, world: CatalogWorld) -> None:
    """Q-19: the shapes miss what publication would refuse."""
    documents = {d["resource"]: d for d in world.catalog.editions.documents("2026.1")}
    broken = copy.deepcopy(documents["IN-07"])
    change, path = BROKEN[name]
    change(broken)
    assert path in faults(exported(world, [broken]))


def test_a_resource_that_is_not_shared_has_no_distribution_and_needs_its_basis(world: CatalogWorld) -> None:
    """L-02."""
    documents = {d["resource"]: d for d in world.catalog.editions.documents("2026.1")}
    withheld = documents["OUT-05"]
    assert faults(exported(world, [withheld])) == set()
    assert "share" in faults(exported(world, [{k: v for k, v in withheld.items() if k != "legal_basis"}]))
    assert "items" not in header(withheld)
