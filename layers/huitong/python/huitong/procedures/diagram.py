"""A procedure as a Mermaid state diagram and as a table, for the documentation."""

from __future__ import annotations

from huitong.procedures.model import Procedure, Step


def diagram(procedure: Procedure) -> str:
    """``stateDiagram-v2`` with Chinese names."""
    lines = ["stateDiagram-v2"]
    lines += [f'    state "{s.zh}" as {_id(s.name)}' for s in procedure.states]
    lines.append(f"    [*] --> {_id(procedure.opening.target)}: {procedure.opening.zh}")
    for step in procedure.steps:
        for source in step.sources:
            lines.append(f"    {_id(source)} --> {_id(step.target or source)}: {step.zh}")
    lines += [f"    {_id(s.name)} --> [*]" for s in procedure.states if s.final]
    return "\n".join(lines) + "\n"


def table(procedure: Procedure) -> str:
    """Steps, who takes them, what they need, which clocks they touch, as Markdown."""
    rows = ["| step | 步骤 | from | to | who | needs | clocks |", "|---|---|---|---|---|---|---|"]
    rows += [_row(step) for step in (procedure.opening, *procedure.steps)]
    rows += [
        "",
        "| clock | 时限 | working days | reminder before | when it runs out |",
        "|---|---|---|---|---|",
    ]
    rows += [f"| {t.name} | {t.zh} | {t.days} | {t.warn} | {t.on_breach or '-'} |" for t in procedure.terms]
    return "\n".join(rows) + "\n"


def _row(step: Step) -> str:
    who = step.party or "platform"
    if step.roles:
        who += f" ({', '.join(step.roles)})"
    clocks = [f"+{c}" for c in step.starts] + [f"-{c}" for c in step.stops]
    clocks += [f"‖{c}" for c in step.pauses] + [f"▷{c}" for c in step.resumes]
    cells = (step.name, step.zh, " ".join(step.sources) or "-", step.target or "stays", who)
    return "| " + " | ".join((*cells, ", ".join(step.needs) or "-", " ".join(clocks) or "-")) + " |"


def _id(name: str) -> str:
    return name.replace("-", "_")
