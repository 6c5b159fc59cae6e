"""docs/quality.md names every rule that a batch can be told about."""

from __future__ import annotations

from pathlib import Path

from huitong.contracts.cleansing import STEPS
from huitong.contracts.model import KNOWN_SEMANTICS, Contract, Deduplicate, Field, RowRule
from huitong.quality.compile import compile_plan
from huitong.quality.semantics import semantic

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "quality.md").read_text("utf-8")


def test_every_rule_of_a_semantic_type_is_in_the_documentation() -> None:
    codes = [(rule.code, rule.zh, rule.en) for name in KNOWN_SEMANTICS for rule in semantic(name).rules]
    assert [code for code, zh, en in codes if f"`{code}`" not in PAGE or f"{zh} · {en}" not in PAGE] == []


def test_every_general_rule_is_in_the_documentation() -> None:
    everything = Field(
        "v", required=True, min_length=1, pattern="x", codes=("a",), minimum="a", unique=True, type="string"
    )
    contract = Contract(
        "T",
        1,
        "t",
        fields=(Field("k", key=1, type="integer"), Field("t", key=2), Field("d", type="date"), everything),
        rules=(RowRule("r", "v > 1", ("v",)),),
        deduplicate=Deduplicate("first"),
    )
    ids = {rule.id for rule in compile_plan(contract).rules} - {"rule:r"} | {"rule:编号 id", "batch.rejected"}
    assert {id for id in ids if f"`{id}`" not in PAGE} == set()
    assert len(ids) == 23


def test_every_cleansing_step_is_in_the_documentation() -> None:
    missing = [step for step, (zh, en) in STEPS.items() if f"| `{step}` | {zh} · {en} |" not in PAGE]
    assert missing == []
