"""Records of this package as the API shows them: no seal, no blind index."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from huitong.procedures.model import Record, Step

_HIDDEN: Final = ("sealed", "record", "batch_id", "source_row")


def shown(
    record: Record, possible: Iterable[Step], receivers: Sequence[Mapping[str, Any]] | None = None
) -> dict[str, Any]:
    """``receivers``: who was told of the correction, for those who may know."""
    body = record.as_dict()
    content = {name: value for name, value in body.pop("content").items() if name not in _HIDDEN}
    told = {} if receivers is None else {"receivers": list(receivers)}
    steps = [step.name for step in possible]
    return {**body, **content, "version": record.version, "possible": steps, **told}
