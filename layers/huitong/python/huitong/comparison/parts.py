"""A comparison in parts, as data: how many, what each is told, and what each leaves. Pure; quick to import.

In the staging bucket, under ``parts/{resource}/{batch}/{attempt}/``: the plan (its digest in the name), the
list of parts that the state machine reads, and a receipt for each part that is done.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, Self

from huitong.comparison.inputs import Op, Outcome
from huitong.comparison.sources import Refs, Sources, refs_of
from huitong.contracts.model import Contract
from huitong.warehouse.buckets import bucket_of, buckets_for

FOLDER: Final = "parts"
#: A comparison of the size at which it is cut is cut into so many.
_FEWEST: Final = 4
#: An increment looks for its keys among the current ones, which costs far less for a row than comparing it.
_LOOKED_AT: Final = 16


@dataclass(frozen=True, slots=True)
class Plan:
    """What all parts of one comparison are told; nothing they do depends on anything else.

    ``room``: ordinals of a part begin after its number times this, so that they are unique and ascend.
    """

    batch: str
    resource: str
    unit: str
    attempt: int
    of: int  # how many parts: a power of two
    seq: int
    room: int
    current_base: int
    changes_base: int
    contract_version: int
    received_at: str
    changed_at: str
    change_ids: Mapping[str, int]  # column ids of the change log
    sources: Sources

    def to_json(self) -> bytes:
        return json.dumps(asdict(self), separators=(",", ":"), sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        raw = json.loads(text)
        return cls(**{**raw, "sources": Sources.from_dict(raw["sources"])})

    @property
    def folder(self) -> str:
        return f"{FOLDER}/{self.resource}/{self.batch}/{self.attempt}"

    @property
    def key(self) -> str:
        return f"{self.folder}/plan-{hashlib.sha256(self.to_json()).hexdigest()[:16]}.json"

    @property
    def items_key(self) -> str:
        return f"{self.folder}/items-{self.of}.json"

    def items(self) -> bytes:
        """What the state machine reads: one member for each part."""
        return json.dumps([{"number": number} for number in range(self.of)]).encode()


def named(plan_key: str) -> dict[str, str]:
    """The ids in a plan's key, for the log; nothing of a key that is none."""
    folder, *ids = plan_key.split("/")
    return {"resource": ids[0], "batch_id": ids[1]} if folder == FOLDER and len(ids) == 4 else {}


def receipt_key(plan_key: str, number: int) -> str:
    """Of a plan's part. With the plan's digest: parts of another plan never count for this one."""
    return f"{plan_key.removesuffix('.json')}/done-{number:05}.json"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one part found and wrote. ``footers`` are those of the added files, by key; ``samples`` the first
    keys of each kind, as text."""

    outcome: Outcome
    changes: Refs
    add: Refs
    remove: Refs
    footers: Mapping[str, bytes] = field(default_factory=dict)
    samples: Mapping[Op, Sequence[Sequence[str | None]]] = field(default_factory=dict)

    def to_json(self) -> bytes:
        footers = {key: base64.b64encode(content).decode() for key, content in self.footers.items()}
        return json.dumps({**asdict(self), "footers": footers}, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, text: bytes) -> Self:
        raw = json.loads(text)
        return cls(
            outcome=Outcome(**raw["outcome"]),
            footers={key: base64.b64decode(content) for key, content in raw["footers"].items()},
            samples=raw["samples"],
            **{name: refs_of(raw[name]) for name in ("changes", "add", "remove")},
        )


def threshold(contract: Contract, setting: int) -> int:
    """From how many rows on a comparison of the resource is cut: as its contract says, or the setting."""
    return contract.limits.fan_out_rows or setting


def weight(sources: Sources) -> int:
    """How large a comparison is, in rows of an edition."""
    if sources.mode == "full":
        return max(sources.current_rows, sources.delivered_rows)
    return sources.delivered_rows + sources.current_rows // _LOOKED_AT


def parts_for(rows: int, limit: int) -> int:
    """Into how many parts something of so many rows is cut; 1 = it is not. ``limit`` is the threshold."""
    return buckets_for(rows, max(1, limit // _FEWEST)) if rows >= limit else 1


def parts_of(sources: Sources, limit: int) -> int:
    """Into how many parts a comparison is cut: those that validation cut the delivery into, where that will
    do, since its files then become the table's as they are."""
    wanted = parts_for(weight(sources), limit)
    cut = {bucket_of(ref.key).of for ref in sources.delivered}
    if wanted > 1 and len(cut) == 1 and 2 * (made := cut.pop()) >= wanted and made > 1:
        return made
    return wanted
