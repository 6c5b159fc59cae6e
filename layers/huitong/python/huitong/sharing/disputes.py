"""When the owner refuses or is late (L-20, L-21): negotiation led by the operator, coordination, joint
review (会审), binding decision.

These steps are part of the application's procedure, not of one beside it: an
application and its dispute cannot tell different stories. What was found at
each step is published on the platform (:func:`published`): stages, days,
results and document numbers, nothing of what was applied for.
"""

from __future__ import annotations

from typing import Any, Final

from huitong.procedures.calendar import china_day
from huitong.procedures.model import OPERATOR_PARTY, Record, State, Step

#: States in which a dispute is under way, in their order.
STAGES: Final = ("negotiating", "coordinating", "joint_review", "confirming")

STATES: Final = (
    State("negotiating", "协商中", "in negotiation"),
    State("coordinating", "协调中", "in coordination"),
    State("joint_review", "会审中", "in joint review"),
    State("confirming", "会审决定待复核", "binding decision to be confirmed by a second person"),
    State("upheld", "裁定不予共享", "decided not to be shared", final=True),
)

_DECISION: Final = ("approved", "refused", "masks", "unmasked", "row_filter")

STEPS: Final = (
    Step("overdue", "逾期未答复", "no answer in time", ("deciding", "seconding"), "negotiating"),
    Step("escalate", "提请协商", "call for negotiation", ("refused", "approved"), "negotiating", "receiver",
         ("applicant", "approver"), ("reason",), stops=("provide",)),
    Step("negotiated", "协商未成", "negotiation without agreement", ("negotiating",), "coordinating",
         OPERATOR_PARTY, ("officer",), ("result",), ("document",)),
    Step("coordinated", "协调未成", "coordination without agreement", ("coordinating",), "joint_review",
         OPERATOR_PARTY, ("officer",), ("result",), ("document",)),
    Step("decide_binding", "会审决定", "binding decision", ("joint_review",), "", OPERATOR_PARTY,
         ("officer",), ("share", "document", "text"), _DECISION,
         apart_from=("draft", "revise", "submit", "send")),
    Step("uphold", "裁定不予共享", "not to be shared", ("joint_review",), "upheld"),
    Step("ask_confirm", "提请复核会审决定", "ask for a second person", ("joint_review",), "confirming"),
    Step("confirm", "复核会审决定", "confirm the binding decision", ("confirming",), "approved",
         OPERATOR_PARTY, ("officer",), apart_from=("decide_binding",), starts=("provide",)),
    Step("return_binding", "退回会审", "return to joint review", ("confirming",), "joint_review",
         OPERATOR_PARTY, ("officer",), ("reason",), apart_from=("decide_binding",)),
)  # fmt: skip

#: Steps that are published, with the member of their content that tells the result.
_TOLD: Final = {
    "overdue": "", "escalate": "", "negotiated": "result", "coordinated": "result", "decide": "",
    "decide_binding": "text", "uphold": "", "confirm": "", "withdraw": "", "settle": "", "second": "",
}  # fmt: skip


def disputed(record: Record) -> bool:
    """Whether the application went into negotiation at some time."""
    return record.last("overdue") is not None or record.last("escalate") is not None


def published(record: Record) -> dict[str, Any]:
    """What everybody on the platform may read of a dispute: each step with its day, and how it ended."""
    first = next(n for n, t in enumerate(record.history) if t.step in ("overdue", "escalate"))
    steps = [
        {
            "step": t.step,
            "day": china_day_of(t.at),
            "result": str(t.given.get(_TOLD[t.step], "")) if _TOLD[t.step] else "",
            "document": str(t.given.get("document", "")),
        }
        for t in record.history[first:]
        if t.step in _TOLD
    ]
    return {
        "application": record.id,
        "resource": record.content["resource"],
        "receiver": record.parties["receiver"],
        "owner": record.parties["owner"],
        "state": record.state,
        "steps": steps,
    }


def china_day_of(at: str) -> str:
    from datetime import datetime

    return china_day(datetime.fromisoformat(at)).isoformat()
