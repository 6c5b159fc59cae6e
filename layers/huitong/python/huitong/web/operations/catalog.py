"""Operations of the catalogue: entries, editions, views, search, workbooks, DCAT, duties, data elements."""

from __future__ import annotations

from typing import Final

from huitong.catalog.model import COVERAGES, METHODS, SHARE_TYPES
from huitong.contracts.frequency import FREQUENCIES
from huitong.web.operations.model import OF_UNIT, PAGED, Operation, o
from huitong.web.schemas import one_of, text

_STATE: Final = text("only in this state", most=40, pattern="^[a-z_]+$")
_EDITION: Final = text("2026.1, or current", most=16, pattern=r"^([0-9]{4}\.[1-9][0-9]{0,4}|current)$")
_SEARCH: Final = {
    "q": text("words; every one must be found", most=200),
    "unit": OF_UNIT,
    "class": one_of("1", "2", "3", about="1 基础 basic, 2 主题 theme, 3 部门 department"),
    "category": text("class code or its beginning", most=64),
    "share_type": one_of(*SHARE_TYPES),
    "method": one_of(*METHODS),
    "frequency": one_of(*FREQUENCIES),
    "coverage": one_of(*COVERAGES),
    "demand": text("demand, or item of Q/BAAS 003", most=200),
    "open": one_of("true", "false"),
    "drafts": one_of("true", "false", about="also what is not published, of the own unit or for the desk"),
}

CATALOG: Final[tuple[Operation, ...]] = (
    # entries
    o("create_entry", "POST /v1/catalog/entries", "编目", "Draft the catalogue entry of a resource",
       "EntryRecord", "entry.write", body="EntryBody", status=201),
    o("list_entries", "GET /v1/catalog/entries", "目录条目办理列表", "Entries under way, of a unit or all",
       "EntryRecords", "entry.read", query={"unit": OF_UNIT, "state": _STATE, **PAGED}),
    o("get_entry", "GET /v1/catalog/entries/{code}", "目录条目", "A published entry with its items",
       "EntryDocument", "data.read"),
    o("get_entry_record", "GET /v1/catalog/entries/{code}/record", "条目办理情况",
       "The draft, its history, its findings, the steps that are possible", "EntryRecord", "entry.read"),
    o("put_entry", "PUT /v1/catalog/entries/{code}", "保存草稿", "Save the content of a draft",
       "EntryRecord", "entry.write", body="EntryContentBody"),
    o("step_entry", "POST /v1/catalog/entries/{code}/steps", "办理条目", "Take a step of an entry",
       "EntryRecord", "entry.step", body="CatalogStepBody"),
    o("get_entry_publication", "GET /v1/catalog/entries/{code}/publications/{version}", "条目历次发布",
       "An entry as it was published that time", "EntryDocument", "data.read"),
    o("get_entry_interface", "GET /v1/catalog/entries/{code}/interface", "接口说明文档",
       "How the resource is had, and its items as a Table Schema", "EntryInterface", "data.read"),
    o("search_catalog", "GET /v1/catalog/search", "目录检索", "Search the catalogue", "CatalogHits",
       "data.read", query={**_SEARCH, **PAGED}),
    o("test_conformance", "GET /v1/catalog/conformance", "目录符合性测试",
       "Every failed rule of every entry", "Conformance", "entry.read",
       query={"resource": text(most=64), "unit": OF_UNIT, **PAGED}),
    # editions
    o("publish_edition", "POST /v1/catalog/editions", "发布目录版本", "Number what is published now",
       "CatalogEdition", "edition.publish", body="EditionBody", status=201),
    o("list_editions", "GET /v1/catalog/editions", "目录版本列表", "Editions, newest first",
       "CatalogEditions", "data.read"),
    o("get_edition", "GET /v1/catalog/editions/{name}", "目录版本", "The entries of an edition",
       "EditionPage", "data.read", query=PAGED),
    o("compare_editions", "GET /v1/catalog/editions/{name}/difference", "版本比较",
       "What changed since another edition", "EditionDifference", "data.read",
       query={"from": _EDITION}),
    # views
    o("list_views", "GET /v1/catalog/views", "目录视图列表", "Views", "CatalogViews", "data.read"),
    o("get_view", "GET /v1/catalog/views/{name}", "目录视图", "A view: its groups of entries",
       "CatalogView", "data.read"),
    o("put_view", "PUT /v1/catalog/views/{name}", "保存视图", "Add or change a view", "CatalogViewHead",
       "view.put", body="ViewBody"),
    o("remove_view", "DELETE /v1/catalog/views/{name}", "删除视图", "Remove a view", "CatalogViewHead",
       "view.put"),
    # workbooks, DCAT
    o("get_catalog_template", "GET /v1/catalog/template", "目录导入模板", "An empty workbook", "CatalogFile",
       "data.read"),
    o("import_catalog", "POST /v1/catalog/import", "批量导入目录", "Entries from a workbook",
       "CatalogImport", "entry.write", body="ImportBody", most_body=6_000_000),
    o("export_catalog", "GET /v1/catalog/export", "导出目录", "An edition as JSON, DCAT or workbook",
       "CatalogExport", "data.read",
       query={"edition": _EDITION, "format": one_of("json", "dcat", "workbook"), **PAGED}),
    o("get_open_catalog", "GET /v1/open/catalogue", "开放目录",
       "What is open to the public, as DCAT; without sign-in", "CatalogExport", public=True, query=PAGED),
    # data elements
    o("list_elements", "GET /v1/catalog/elements", "数据元列表", "Registered data elements", "DataElements",
       "data.read"),
    o("put_element", "PUT /v1/catalog/elements/{name}", "登记数据元", "Register a data element",
       "DataElement", "element.put", body="ElementBody"),
    o("seed_elements", "POST /v1/catalog/elements/seed", "由数据模型登记数据元",
       "Register what the contracts' fields lack", "DataElements", "element.put"),
    # duties
    o("register_duty", "POST /v1/catalog/duties", "登记法规或职能变更",
       "Register a change that starts the 15 working days", "CatalogDuty", "duty.register",
       body="CatalogDutyBody", status=201),
    o("list_catalog_duties", "GET /v1/catalog/duties", "目录更新事项列表", "Duties to update",
       "CatalogDuties", "entry.read", query={"unit": OF_UNIT, "state": _STATE, **PAGED}),
    o("get_catalog_duty", "GET /v1/catalog/duties/{id}", "目录更新事项", "One duty", "CatalogDuty",
       "entry.read"),
    o("step_catalog_duty", "POST /v1/catalog/duties/{id}/steps", "办理目录更新事项", "Take a step of a duty",
       "CatalogDuty", "entry.step", body="CatalogStepBody"),
)  # fmt: skip
