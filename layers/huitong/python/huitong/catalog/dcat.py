"""The catalogue as DCAT 3 in JSON-LD (standards.md 1.3), written as plain values: no RDF library at run time.

``schemas/dcat/shapes.ttl`` has what it must satisfy: the mandatory terms of
DCAT-AP 3 and the local ones. GB/T 21063.3 and the guide of 2017 are mapped to
DCAT where it has a term; the share type has none and is a concept scheme of ours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import quote

from huitong.catalog.model import CLASSES, METHODS, SHARE_TYPES

_VOCABULARY: Final = "urn:huitong:vocabulary:"
_ACCESS: Final = "http://publications.europa.eu/resource/authority/access-right/"
_EVERY: Final = "http://publications.europa.eu/resource/authority/frequency/"
#: 更新周期 → the EU's codes.
FREQUENCIES: Final = {
    "realtime": "UPDATE_CONT",
    "daily": "DAILY",
    "weekly": "WEEKLY",
    "monthly": "MONTHLY",
    "quarterly": "QUARTERLY",
    "half-yearly": "ANNUAL_2",
    "yearly": "ANNUAL",
    "irregular": "IRREG",
}
_MEDIA: Final = "https://www.iana.org/assignments/media-types/"

CONTEXT: Final[Mapping[str, Any]] = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "adms": "http://www.w3.org/ns/adms#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "ht": _VOCABULARY,
}


def catalog(
    documents: Iterable[Mapping[str, Any]],
    *,
    base: str,
    edition: str,
    previous: str = "",
    issued: str = "",
    publisher: tuple[str, str],
    title: str = "个人破产政务信息资源目录",
) -> dict[str, Any]:
    """A JSON-LD document: the catalogue, its datasets, records, services, and the concepts they use.

    ``base`` is the address of the catalogue; ``edition`` and ``previous`` are numbers of editions;
    ``issued`` the moment of this one; ``publisher`` code and name of its publisher.
    """
    shown = list(documents)
    subjects = [f"{base}/entries/{quote(str(one['resource']), safe='')}" for one in shown]
    root = f"{base}/editions/{edition}"
    services = [f"{s}#service" for s, one in zip(subjects, shown, strict=True) if one.get("service")]
    node: dict[str, Any] = {
        "@id": root,
        "@type": "dcat:Catalog",
        "dct:title": _zh(title),
        "dct:description": _zh("目录版本:已发布的政务信息资源条目"),
        "dct:publisher": _agent(*publisher),
        "dct:language": {"@id": "http://publications.europa.eu/resource/authority/language/ZHO"},
        "dcat:version": edition,
        "dcat:dataset": [{"@id": s} for s in subjects],
        "dcat:record": [{"@id": f"{s}#record"} for s in subjects],
        "dcat:service": [{"@id": s} for s in services],
        "dcat:themeTaxonomy": [{"@id": f"{_VOCABULARY}class"}, {"@id": f"{_VOCABULARY}share"}],
    }
    if previous:
        node["dcat:previousVersion"] = {"@id": f"{base}/editions/{previous}"}
    if issued:
        node["dct:issued"] = _typed(issued, "dateTime")
    graph = [node, *_concepts(shown)]
    for subject, one in zip(subjects, shown, strict=True):
        graph += _entry(subject, one)
    return {"@context": dict(CONTEXT), "@graph": graph}


def _entry(subject: str, one: Mapping[str, Any]) -> list[dict[str, Any]]:
    nodes = [_dataset(subject, one), _record(subject, one)]
    if _shared(one):
        nodes.append(_distribution(subject, one))
    if one.get("service"):
        nodes.append(_service(subject, one))
    return nodes


def _shared(one: Mapping[str, Any]) -> bool:
    return one.get("share_type") != "3" and bool(one.get("methods") or one.get("open"))


def _dataset(subject: str, one: Mapping[str, Any]) -> dict[str, Any]:
    is_open = bool(one.get("open"))
    condition = one.get("condition") or {}
    frequency = FREQUENCIES.get(str(one.get("frequency", "")), "OTHER")
    node: dict[str, Any] = {
        "@id": subject,
        "@type": "dcat:Dataset",
        "dct:identifier": one.get("code", ""),
        "dct:title": _zh(one.get("title", "")),
        "dct:description": _zh(one.get("abstract", "")),
        "dct:publisher": _agent(str(one.get("provider", "")), str(one.get("provider_name", ""))),
        "dcat:contactPoint": [_contact(p) for p in one.get("contacts", ())],
        "dct:accessRights": [
            {"@id": f"{_VOCABULARY}share-{one.get('share_type', '')}"},
            {"@id": f"{_ACCESS}{'PUBLIC' if is_open else 'NON_PUBLIC'}"},
        ],
        "dcat:theme": _themes(one),
        "dcat:keyword": [_zh(w) for k in one.get("keywords", ()) for w in k.get("words", ())],
        "dct:rights": _rights(one, condition),
        "dct:accrualPeriodicity": {"@id": f"{_EVERY}{frequency}"},
        "dct:relation": [{"@id": f"{_VOCABULARY}code:{quote(c, safe='')}"} for c in one.get("related", ())],
        "dcat:landingPage": [{"@id": u} for u in one.get("online", ()) if ":" in u],
        "dcat:version": str(one.get("edition", "")),
        "ht:coverageLevel": one.get("coverage", ""),
        "ht:disclosure": one.get("disclosure", ""),
        "ht:shareMethod": [f"{m}" for m in one.get("methods", ()) if m in METHODS],
        "ht:legalBasis": _zh(one["legal_basis"]) if one.get("legal_basis") else "",
        "ht:serves": [s["code"] for s in one.get("serves", ())],
    }
    if one.get("issued"):
        node["dct:issued"] = _typed(str(one["issued"]), "date")
    if _shared(one):
        node["dcat:distribution"] = {"@id": f"{subject}#distribution"}
    return _full(node)


def _record(subject: str, one: Mapping[str, Any]) -> dict[str, Any]:
    changed = str(one.get("metadata_updated", ""))
    node = {
        "@id": f"{subject}#record",
        "@type": "dcat:CatalogRecord",
        "dct:identifier": one.get("metadata_id", ""),
        "foaf:primaryTopic": {"@id": subject},
        "dct:modified": _typed(changed, "date") if changed else "",
        "dct:publisher": [
            _agent(str(p.get("code", "")), str(p.get("name", ""))) for p in one.get("metadata_contacts", ())
        ],
    }
    return _full(node)


def _distribution(subject: str, one: Mapping[str, Any]) -> dict[str, Any]:
    node = {
        "@id": f"{subject}#distribution",
        "@type": "dcat:Distribution",
        "dct:title": _zh(one.get("title", "")),
        "dcat:accessURL": {"@id": f"{subject}/interface"},
        "dct:format": one.get("format", ""),
        "dcat:mediaType": {"@id": f"{_MEDIA}application/json"},
        "dct:conformsTo": {"@id": f"{subject}/interface#table-schema"},
    }
    if one.get("service"):
        node["dcat:accessService"] = {"@id": f"{subject}#service"}
    return _full(node)


def _service(subject: str, one: Mapping[str, Any]) -> dict[str, Any]:
    service = one["service"]
    root = subject.split("/v1/")[0]
    address = service["url"] if ":" in service["url"] else f"{root}{service['url']}"
    return _full(
        {
            "@id": f"{subject}#service",
            "@type": "dcat:DataService",
            "dct:title": _zh(f"{one.get('title', '')}服务接口"),
            "dcat:endpointURL": {"@id": address},
            "dcat:endpointDescription": {"@id": f"{root}/v1/openapi.json"},
            "dct:type": service["type"],
            "dcat:servesDataset": {"@id": subject},
        }
    )


def _concepts(shown: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The classes in use, and the three share types, as schemes of concepts."""
    nodes: dict[str, dict[str, Any]] = {
        "class": _scheme("class", "信息资源分类"),
        "share": _scheme("share", "共享类型"),
    }
    for number, (zh, en) in SHARE_TYPES.items():
        nodes[f"share-{number}"] = _concept(f"share-{number}", number, zh, "share", en)
    for number, (zh, en) in CLASSES.items():
        nodes[f"class:{number}"] = _concept(f"class:{number}", number, zh, "class", en)
    for one in shown:
        for category in one.get("categories", ()):
            id, scheme = f"class:{quote(category['code'], safe='')}", f"scheme:{quote(category['standard'])}"
            nodes.setdefault(scheme, _scheme(scheme, category["standard"]))
            nodes.setdefault(id, _concept(id, category["code"], category["name"], scheme))
        for group in one.get("keywords", ()):
            if group.get("thesaurus"):
                scheme = f"thesaurus:{quote(group['thesaurus'])}"
                nodes.setdefault(scheme, _scheme(scheme, group["thesaurus"]))
                for word in group.get("words", ()):
                    id = f"{scheme}:{quote(word)}"
                    nodes.setdefault(id, _concept(id, word, word, scheme))
    return list(nodes.values())


def _themes(one: Mapping[str, Any]) -> list[dict[str, str]]:
    classes = [f"class:{quote(c['code'], safe='')}" for c in one.get("categories", ())]
    words = [
        f"thesaurus:{quote(k['thesaurus'])}:{quote(w)}"
        for k in one.get("keywords", ())
        if k.get("thesaurus")
        for w in k.get("words", ())
    ]
    return [{"@id": _VOCABULARY + name} for name in (*classes, *words)]


def _scheme(name: str, title: str) -> dict[str, Any]:
    return {"@id": _VOCABULARY + name, "@type": "skos:ConceptScheme", "dct:title": _zh(title)}


def _concept(name: str, notation: str, zh: str, scheme: str, en: str = "") -> dict[str, Any]:
    label = [_zh(zh), {"@value": en, "@language": "en"}] if en else _zh(zh)
    return {
        "@id": _VOCABULARY + name,
        "@type": "skos:Concept",
        "skos:notation": notation,
        "skos:prefLabel": label,
        "skos:inScheme": {"@id": _VOCABULARY + scheme},
    }


def _agent(code: str, name: str) -> dict[str, Any]:
    node: dict[str, Any] = {"@type": "foaf:Agent", "foaf:name": _zh(name) if name else ""}
    if code:
        node["@id"] = f"urn:uscc:{code}"
        node["adms:identifier"] = {
            "@id": f"urn:uscc:{code}#id",
            "@type": "adms:Identifier",
            "skos:notation": {"@value": code, "@type": f"{_VOCABULARY}USCC"},
        }
    return _full(node)


def _contact(party: Mapping[str, Any]) -> dict[str, Any]:
    address = str(party.get("address", ""))
    return _full(
        {
            "@type": "vcard:Organization",
            "vcard:fn": _zh(party.get("name", "")),
            "vcard:hasAddress": {"@type": "vcard:Address", "vcard:street-address": address}
            if address
            else "",
        }
    )


def _rights(one: Mapping[str, Any], condition: Mapping[str, Any]) -> list[dict[str, str]]:
    """The conditions as texts: of sharing (L-03), of use, of openness."""
    said = [str(one.get("share_condition", ""))]
    said += [str(condition.get(name) or "") for name in ("to", "part", "use")]
    said += ["脱敏提供"] if condition.get("masked") else []
    said += ["仅供比对"] if condition.get("comparison_only") else []
    said += [f"开放条件:{one['open_condition']}"] if one.get("open_condition") else []
    return [_zh(text) for text in dict.fromkeys(said) if text]


def _zh(text: Any) -> dict[str, str]:
    return {"@value": str(text), "@language": "zh"} if text else {}


def _typed(text: str, kind: str) -> dict[str, str]:
    return {"@value": text, "@type": f"xsd:{kind}"}


def _full(node: dict[str, Any]) -> dict[str, Any]:
    """Without members that say nothing: an empty title must be missed, not be there empty."""
    return {k: v for k, v in node.items() if v not in ("", [], {}, None)}
