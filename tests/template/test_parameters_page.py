"""docs/deploy.md and docs/decisions/template.md against the template."""

from __future__ import annotations

import importlib.util
import re
import sys
from typing import Any

from test_template import ROOT, TEMPLATE

from huitong.operating.doctor.table import CHECKS

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


def test_each_boundary_has_a_requirement_and_a_check_that_is_there() -> None:
    """C-40: network, host, application, data, firewall, web intrusion protection, isolation gateway."""
    section = (ROOT / "docs/deploy.md").read_text().partition("/ Boundaries\n")[2].partition("\n## ")[0]
    rows = [line.split("|")[1:-1] for line in section.splitlines() if line.startswith("| ")][1:]
    assert [row[0].split()[0] for row in rows] == [
        "网络边界",
        "主机",
        "应用",
        "数据",
        "防火墙",
        "Web",
        "隔离网闸",
    ]
    checks, targets = {check.id for check in CHECKS}, (ROOT / "Makefile").read_text()
    for part, requirement, check in rows:
        assert len(requirement.strip()) > 40, part
        named = set(re.findall(r"`([A-Z]\w+)(?:=\w+)?`", requirement)) - {"COUNT"}
        assert named <= set(TEMPLATE["Parameters"]) | set(TEMPLATE["Resources"]), part
        judged = re.findall(r"`([^`]+)`", check)
        assert judged, part
        for one in judged:
            known = one in checks or (ROOT / one).is_file() or f"\n{one.removeprefix('make ')}: " in targets
            assert known, one


def test_every_rule_of_checkov_that_is_skipped_has_a_reason() -> None:
    skipped = loaded("infra/checkov/check").SKIPPED
    assert all(re.fullmatch(r"CKV_AWS_\d+", id) and len(reason) > 20 for id, reason in skipped.items())
    assert "No VPC" in (ROOT / "docs/decisions/template.md").read_text()
