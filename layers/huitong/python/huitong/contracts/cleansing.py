"""Cleansing as a contract names it: steps of a field, code tables, and duplicates by rule (C-12).

A field says ``cleanse: [trim, half-width, code-map:sex]``, a resource ``codeMaps: {sex: {男: 1, 女: 2}}`` and
``deduplicate: first`` or ``deduplicate: newest by updated_at``. Steps run in the order in which they stand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, cast

from huitong.contracts.model import CodeMap, Deduplicate
from huitong.contracts.reading import Problems, text, words

#: What each step does, Chinese and English; docs/quality.md has examples. A test holds the two together.
STEPS: Final[Mapping[str, tuple[str, str]]] = {
    "trim": ("去掉首尾空白与不可见字符", "blanks and invisible characters at the ends go"),
    "spaces": ("中间的连续空白并为一个空格", "runs of blanks inside become one space"),
    "no-spaces": ("去掉全部空白", "all blanks go"),
    "zero-width": ("去掉零宽字符", "characters without width go"),
    "half-width": ("全角字母、数字、符号改为半角", "full-width letters, digits and signs become half-width"),
    "upper": ("字母改为大写", "letters become capitals"),
    "lower": ("字母改为小写", "letters become small"),
    "apostrophe": ("去掉数字前的撇号", "an apostrophe before a number goes"),
    "empty-words": ("“无”“-”“NULL”等改为空", "words that mean nothing, such as 无 or NULL, become empty"),
    "chinese-numerals": ("中文数字改为阿拉伯数字", "Chinese numerals become digits"),
    "chinese-date": ("中文日期及 2021/3/1 改为 2021-03-01", "Chinese dates and 2021/3/1 become 2021-03-01"),
    "amount": ("去掉货币符号与千分位逗号", "currency signs and thousands separators go"),
    "percent": ("百分数改为小数", "percentages become fractions"),
    "phone": ("电话号码改为统一写法", "telephone numbers take one form"),
    "citizen-id": (
        "身份号码去空格、大写 X、升为 18 位",
        "identity numbers: no blanks, capital X, 18 places",
    ),
    "uscc": ("信用代码去空格、改大写半角", "credit codes: no blanks, half-width capitals"),
    "case-number": ("案号括号、数字改半角,去空格", "case numbers: half-width, no blanks"),
}
CODE_MAP: Final = "code-map:"

#: Tables that need no definition.
KNOWN_MAPS: Final[Mapping[str, Mapping[str, str]]] = {
    "sex": {"男": "1", "男性": "1", "女": "2", "女性": "2", "未知": "0", "未说明": "9"},
    "yes-no": {"是": "1", "有": "1", "√": "1", "否": "0", "无": "0", "×": "0"},
    "marital": {
        "未婚": "10",
        "已婚": "20",
        "初婚": "21",
        "再婚": "22",
        "复婚": "23",
        "丧偶": "30",
        "离婚": "40",
    },
}  # fmt: skip
_MOST_CODES: Final = 10_000


def read_steps(extra: Mapping[str, Any], path: str, problems: Problems) -> tuple[str, ...]:
    """The steps of a field. Unknown ones are problems; code tables are checked by :func:`check_maps`."""
    steps = tuple(w for w in words(extra.get("cleanse")) if w)
    for step in steps:
        if step not in STEPS and not (step.startswith(CODE_MAP) and step != CODE_MAP):
            problems.add(
                "cleanse.unknown",
                f"{path}.customProperties.cleanse",
                f"未知的清洗步骤 {step}",
                f"unknown cleansing step {step}",
                "可用:" + "、".join(STEPS) + "、code-map:名称",
                "known are " + ", ".join(STEPS) + ", code-map:NAME",
            )
    if len(set(steps)) < len(steps):
        problems.add(
            "cleanse.twice",
            f"{path}.customProperties.cleanse",
            "同一清洗步骤出现两次",
            "a cleansing step is named twice",
        )
    return steps


def read_maps(settings: Mapping[str, Any], problems: Problems) -> tuple[CodeMap, ...]:
    """``codeMaps`` of a resource."""
    given = settings.get("codeMaps")
    if given is None:
        return ()
    if not isinstance(given, Mapping) or not all(isinstance(m, Mapping) for m in given.values()):
        problems.add(
            "code-map.shape",
            "customProperties.codeMaps",
            "codeMaps 须为 名称: {原值: 代码}",
            "codeMaps is NAME: {spelling: code}",
        )
        return ()
    maps = [CodeMap(text(n), tuple((text(k), text(v)) for k, v in m.items())) for n, m in given.items()]
    for one in maps:
        _check_map(one, problems)
    return tuple(maps)


def _check_map(one: CodeMap, problems: Problems) -> None:
    path = f"customProperties.codeMaps.{one.name}"
    table = dict(one.pairs)
    if not table or len(table) > _MOST_CODES or "" in table:
        problems.add(
            "code-map.size",
            path,
            f"代码对照表应有 1 至 {_MOST_CODES} 项,原值不能为空",
            f"a table has 1 to {_MOST_CODES} spellings, none of them empty",
        )
    moving = sorted(k for k, v in table.items() if table.get(v, v) != v)
    if moving:
        problems.add(
            "code-map.chain",
            path,
            f"{moving[0]} 的结果还会再变,重复清洗结果不同",
            f"what {moving[0]} becomes would change again, so a second run would differ",
        )


def check_maps(
    steps: Sequence[tuple[str, Sequence[str]]], maps: Sequence[CodeMap], problems: Problems
) -> None:
    """Every ``code-map:NAME`` of (field, its steps) names a table."""
    known = {m.name for m in maps} | KNOWN_MAPS.keys()
    for name, listed in steps:
        for step in listed:
            if step.startswith(CODE_MAP) and step.removeprefix(CODE_MAP) not in known:
                problems.add(
                    "code-map.missing",
                    f"{name}.cleanse",
                    f"没有代码对照表 {step.removeprefix(CODE_MAP)}",
                    f"there is no code table {step.removeprefix(CODE_MAP)}",
                    "在 customProperties.codeMaps 中定义",
                    "define it in customProperties.codeMaps",
                )


def read_deduplicate(
    settings: Mapping[str, Any], fields: Mapping[str, str], problems: Problems
) -> Deduplicate:
    """``deduplicate`` of a resource; ``fields`` are name → type."""
    written = text(settings.get("deduplicate"))
    if not written:
        return Deduplicate()
    keep, _, by = written.partition(" by ")
    keep, by = keep.strip(), by.strip()
    ordered = fields.get(by) in ("date", "timestamp", "integer", "decimal")
    if (keep == "first" and not by) or (keep == "newest" and ordered):
        return Deduplicate(cast(Literal["first", "newest"], keep), by)
    problems.add(
        "deduplicate.rule",
        "customProperties.deduplicate",
        f"去重规则 {written!r} 不可用",
        f"the rule {written!r} is none",
        "写 first,或 newest by 字段名(日期、时间或数值字段)",
        "write first, or newest by FIELD, a field of dates, times or numbers",
    )
    return Deduplicate()
