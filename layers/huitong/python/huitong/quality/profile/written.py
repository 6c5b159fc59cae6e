"""A drafted contract as ODCS YAML, with what a person must decide said beside it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from huitong.contracts.model import Contract, Field
from huitong.quality.profile.model import Column, Profile

_HEAD = """\
# 数据契约草案,由样本文件生成;凡有 TODO 处须人工确认。
# A draft made from a sample file. Decide on every TODO, then: huitong contract put FILE
apiVersion: v3.1.0
kind: DataContract
id: {id}  # TODO 资源编号 / the resource's id
name: {title}  # TODO 资源名称 / its name
version: 1.0.0
status: draft
customProperties:
  - {{property: providerUscc, value: ""}}  # TODO 数源单位统一社会信用代码 / the source unit
  - {{property: direction, value: in}}
  - {{property: deliveryMode, value: full}}  # TODO full 全量 / increment 增量
{case}  - {{property: shareType, value: "2"}}  # TODO 1 无条件 2 有条件 3 不予共享
# slaProperties:  # TODO 更新周期 / how often it is updated
#   - {{property: frequency, value: daily}}
"""


def written(contract: Contract, profile: Profile, doubts: Sequence[tuple[str, str]]) -> str:
    """The document."""
    case = (
        f"  - {{property: caseField, value: {_text(contract.case_field)}}}\n" if contract.case_field else ""
    )
    lines = [_HEAD.format(id=_text(contract.id), title=_text(contract.title), case=case).rstrip()]
    lines += [f"# TODO {zh} / {en}" for zh, en in doubts]
    lines += ["schema:", f"  - name: {_text(contract.id)}", "    properties:"]
    for f in contract.fields:
        lines += _property(f, profile.column(f.name))
    return "\n".join(lines) + "\n"


def _property(f: Field, seen: Column | None) -> list[str]:
    pad = "        "
    lines = [f"      - name: {_text(f.name)}"]
    if f.title and f.title != f.name:
        lines.append(f"{pad}businessName: {_text(f.title)}")
    lines.append(f"{pad}logicalType: {'number' if f.type == 'decimal' else f.type}")
    if f.type == "decimal":
        lines.append(f'{pad}physicalType: "decimal({f.precision},{f.scale})"')
    options = {"maxLength": f.max_length, "pattern": f.pattern or None}
    given = {k: v for k, v in options.items() if v is not None}
    if given:
        lines.append(f"{pad}logicalTypeOptions: {json.dumps(given, ensure_ascii=False)}")
    if f.semantic:
        lines.append(f'{pad}semanticType: "huitong:{f.semantic}"')
    if f.required:
        lines.append(f"{pad}required: true")
    if f.key:
        lines.append(f"{pad}primaryKey: true")
        lines.append(f"{pad}primaryKeyPosition: {f.key}")
    lines.append(f"{pad}classification: {f.level}  # TODO 敏感级别 / level")
    if f.mask:
        lines.append(f"{pad}customProperties: [{{property: mask, value: {f.mask}}}]")
    if f.codes:
        lines.append(f"{pad}enum:  # TODO 样本中出现的代码,可能不全 / codes of the sample, maybe not all")
        lines += [f"{pad}  - {{value: {_text(code)}}}" for code in f.codes]
    if seen is not None:
        lines.append(f"{pad}# {_seen(seen)}")
    return lines


def _seen(c: Column) -> str:
    about = "" if c.exact else "约 / about "
    counts = f"空 null {c.nulls}/{c.rows}, 不同值 distinct {about}{c.distinct}"
    return f"样本 / sample: {counts}, 长 length {c.shortest}–{c.longest}"


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)
