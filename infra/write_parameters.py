"""Writes the table of parameters in docs/deploy.md from template.yaml.

``python infra/write_parameters.py``          rewrites it
``python infra/write_parameters.py --check``  fails when the page is behind
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "localstack"))
import artifacts  # noqa: E402

PAGE = ROOT / "docs" / "deploy.md"
HEADER = "| 参数 parameter | 默认 default | |\n|---|---|---|\n"


def rows() -> str:
    """One row a parameter, a line for each group, in the order of the template's interface."""
    template = artifacts.read_template((ROOT / "template.yaml").read_text())
    lines = []
    for group in template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]:
        lines.append(f"| **{group['Label']['default']}** | | |")
        for name in group["Parameters"]:
            told = template["Parameters"][name]
            allowed = told.get("AllowedValues")
            choice = f" ({', '.join(map(str, allowed))})" if allowed else ""
            default = f"`{told['Default']}`" if told["Default"] != "" else "—"
            lines.append(f"| `{name}` | {default} | {told['Description']}{choice} |")
    return "".join(f"{line}\n" for line in lines)


def written(page: str) -> str:
    """The page with the table brought up to date; the table is what ends it."""
    head, _, _ = page.partition(HEADER)
    return head + HEADER + rows()


def main() -> int:
    now = PAGE.read_text()
    wanted = written(now)
    if "--check" in sys.argv[1:]:
        if now != wanted:
            sys.stderr.write("docs/deploy.md is behind: run python infra/write_parameters.py\n")
        return int(now != wanted)
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
