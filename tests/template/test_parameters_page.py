"""docs/deploy.md and docs/decisions/template.md against the template."""

from __future__ import annotations

import importlib.util
import re
import sys
from typing import Any

from test_template import ROOT, TEMPLATE

sys.path.insert(0, str(ROOT / "infra" / "checkov"))


def loaded(path: str) -> Any:
    spec = importlib.util.spec_from_file_location(path.replace("/", "_"), ROOT / f"{path}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_lists_every_parameter_with_its_default() -> None:
    page = (ROOT / "docs/deploy.md").read_text()
    assert loaded("infra/write_parameters").written(page) == page
    listed = re.findall(r"^\| `(\w+)` \| (?:`([^`]*)`|—) \|", page, re.M)
    assert dict(listed) == {name: str(told["Default"]) for name, told in TEMPLATE["Parameters"].items()}


def test_what_the_page_tells_to_set_by_task_can_be_set() -> None:
    page = (ROOT / "docs/deploy.md").read_text()
    tasks = page.partition("By task")[2].partition("## ")[0]
    named = set(re.findall(r"`([A-Z]\w+)(?:=[^`]*)?`", tasks))
    assert {"DomainName", "ClientCertificates", "Firewall", "SecondRegion", "MonthlyBudget"} <= named
    assert named - {"BLOCK"} <= set(TEMPLATE["Parameters"])


def test_every_rule_of_checkov_that_is_skipped_has_a_reason() -> None:
    skipped = loaded("infra/checkov/check").SKIPPED
    assert all(re.fullmatch(r"CKV_AWS_\d+", id) and len(reason) > 20 for id, reason in skipped.items())
    assert "No VPC" in (ROOT / "docs/decisions/template.md").read_text()
