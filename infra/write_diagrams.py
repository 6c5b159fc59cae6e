"""Writes the diagrams and tables of procedures into docs/, from the data.

``python infra/write_diagrams.py``          rewrites docs/procedures.md, and what other pages mark
``python infra/write_diagrams.py --check``  fails when a page is behind

A page marks a procedure with ``<!-- procedure NAME -->`` and ``<!-- /procedure -->``.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parents[1] / "docs"
ALL = DOCS / "procedures.md"
MARKED = re.compile(r"(<!-- procedure (\w+) -->\n).*?(<!-- /procedure -->)", re.DOTALL)
HEAD = """# 办理程序 · Procedures

由数据生成(`python infra/write_diagrams.py`),与系统执行的完全一致。
Written from the data that the platform runs on; a test holds the two together.

时钟记号 clocks: `+` 启动 started, `-` 停止 stopped, `‖` 暂停 paused, `▷` 恢复 resumed.
时限按工作日计算 in working days.
"""


def pages() -> dict[Path, str]:
    """Every page that shows procedures, as it should be. Raises KeyError for one that is not there."""
    from huitong.procedures.all import every
    from huitong.procedures.diagram import diagram, table

    procedures = every()
    shown = {name: f"```mermaid\n{diagram(p)}```\n\n{table(p)}" for name, p in procedures.items()}
    parts = [HEAD]
    for name, p in procedures.items():
        parties = "; ".join(f"`{key}` {zh} {en}" for key, (zh, en) in p.parties.items())
        parts.append(f"\n## {p.zh} · {p.en} (`{name}`)\n\n当事方 parties: {parties or '-'}\n\n{shown[name]}")
    made = {ALL: "".join(parts)}
    for path in sorted(DOCS.glob("*.md")):
        text = path.read_text("utf-8")
        if path != ALL and MARKED.search(text):
            made[path] = MARKED.sub(lambda m: f"{m[1]}{shown[m[2]]}{m[3]}", text)
    return made


def main(check: bool) -> int:
    behind = [p for p, text in pages().items() if not p.exists() or p.read_text("utf-8") != text]
    for path in [] if check else behind:
        path.write_text(pages()[path], "utf-8")
    sys.stdout.write(" ".join(p.name for p in behind) + "\n")
    return 1 if check and behind else 0


if __name__ == "__main__":
    sys.exit(main("--check" in sys.argv[1:]))
