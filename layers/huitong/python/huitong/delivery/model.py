"""Subscriptions and deliveries as values: light, no effect.

Numbers that must not be mixed up:

- ``seq`` counts the publications of a resource; an event is at (seq, ordinal);
- ``n`` counts the deliveries of one subscription, from 1 without gap: that is
  the sequence which the receiver sees, checks and answers with.
"""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, NamedTuple, Self

from huitong.contracts.model import Mask
from huitong.errors import BadRequest
from huitong.sharing.access import Access

State = Literal["active", "paused", "suspended", "cancelled"]
Start = Literal["now", "snapshot", "seq"]
Kind = Literal["changes", "snapshot"]
Form = Literal["inline", "link"]
DeliveryState = Literal["pending", "acknowledged", "failed"]

SECRET_PREFIX = "whsec_"  # noqa: S105 (a prefix, not a secret)


class Position(NamedTuple):
    """A place in the change log: everything up to and including it is done."""

    seq: int
    ordinal: int = 0  # 0 = nothing of publication ``seq`` yet


@dataclass(frozen=True, slots=True)
class SealedSecret:
    """A signing secret as stored. ``until`` is when it stops signing (ports.timestamp); empty = in use."""

    sealed: str
    until: str = ""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What one unit is sent of one resource, and how far that has come.

    ``planned_seq`` is the last publication all of whose events are planned;
    ``planned_ordinal`` says how far the next one is planned already (large
    publications are planned piece by piece). ``acked`` is the last delivery in
    order that the receiver gave its receipt for. ``snapshot_seq`` is the
    publication whose table it starts from (0 = it starts without a snapshot).
    """

    id: str
    unit: str
    resource: str
    endpoint: str
    fields: tuple[str, ...]
    masks: Mapping[str, Mask] = field(default_factory=dict)
    row_filter: str = ""
    secrets: tuple[SealedSecret, ...] = ()
    state: State = "active"
    reason: str = ""  # why it is paused or suspended
    start: Start = "now"
    snapshot_seq: int = 0
    snapshot_ordinal: int = 0
    snapshot_done: bool = True
    planned_seq: int = 0
    planned_ordinal: int = 0
    next_delivery: int = 1
    acked: int = 0
    created_at: str = ""
    created_by: str = ""
    history: tuple[tuple[str, str, str], ...] = ()  # (state or act, at, by)
    grant: str = ""  # under which it runs (sharing.grant.Grant.ref); empty = the owner's, or a masked view
    case_no: str = ""  # the case or duty for which it was asked
    duty: str = ""

    @property
    def access(self) -> Access:
        return Access(
            self.resource,
            self.fields,
            self.masks,
            self.row_filter,
            grant=self.grant,
            case_no=self.case_no,
            duty=self.duty,
        )

    @property
    def planned(self) -> Position:
        """The place in the change log after which the next delivery begins."""
        return Position(self.planned_seq + 1, self.planned_ordinal)

    def behind(self, seq: int) -> bool:
        """Is anything up to publication ``seq`` still to be planned?"""
        return self.planned_seq < seq or not self.snapshot_done

    @property
    def outstanding(self) -> int:
        return self.next_delivery - 1 - self.acked

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        raw = dict(body)
        raw["fields"] = tuple(raw["fields"])
        raw["secrets"] = tuple(SealedSecret(**s) for s in raw["secrets"])
        raw["history"] = tuple((s, at, by) for s, at, by in raw["history"])
        return cls(**raw)

    def summary(self) -> dict[str, Any]:
        """What the API and the command line show: everything but the secrets."""
        shown = self.as_dict()
        del shown["secrets"]
        return {**shown, "status": shown.pop("state"), "outstanding": self.outstanding}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one subscriber: which events, and what became of it."""

    subscription: str
    n: int
    resource: str
    unit: str
    kind: Kind
    form: Form
    seq: int  # publication
    first: int  # ordinals of its first and last event
    last: int
    count: int  # events, not messages
    object: str  # key in the exports bucket: the body (inline) or the file behind the link
    sha256: str  # of that object
    size: int
    created_at: str
    batch: str = ""  # that made the publication; empty for a snapshot
    state: DeliveryState = "pending"
    attempts: int = 0
    next_attempt_at: str = ""  # empty = at once
    reason: str = ""  # of the last failure
    http_status: int = 0  # of the last answer; 0 = none came
    receipt: Mapping[str, Any] | None = None
    acknowledged_at: str = ""
    reported: bool = False  # a failed one: dead-letter queue and event were told
    traced: bool = False  # its evidence is written: from then on it may be sent
    fields: tuple[str, ...] = ()  # those in the body, as it was made; empty = the subscription's
    masked: tuple[str, ...] = ()
    access: str = ""  # digest of what it was made under: it is sent only while that stands
    grant: str = ""
    case_no: str = ""
    duty: str = ""
    purpose: str = ""
    subjects: Mapping[str, Any] = field(default_factory=dict)  # audit.subjects.Subjects as a mapping

    @property
    def message_id(self) -> str:
        """The webhook-id: the same for every attempt."""
        return f"{self.subscription}.{self.n}"

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        lists = {name: tuple(body.get(name, ())) for name in ("fields", "masked")}
        return cls(**{**body, **lists})

    def summary(self) -> dict[str, Any]:
        """What the API and the command line show."""
        shown = self.as_dict()
        for internal in ("object", "reported", "traced", "subjects", "access"):
            del shown[internal]
        return {**shown, "status": shown.pop("state"), "id": self.message_id}


def new_secret() -> str:
    """A fresh signing secret in the form that receivers' libraries take: ``whsec_`` + base64 of 32 bytes."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(32)).decode()


def secret_bytes(secret: str) -> bytes:
    """The key of a signing secret. Raises BadRequest unless it is ``whsec_`` + base64 of 24 to 64 bytes."""
    try:
        if not secret.startswith(SECRET_PREFIX):
            raise binascii.Error("no prefix")
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _bad_secret() from error
    if not 24 <= len(key) <= 64:
        raise _bad_secret()
    return key


def _bad_secret() -> BadRequest:
    return BadRequest(
        "密钥须为 whsec_ 加 24 至 64 字节的 base64",
        "The secret must be whsec_ and the base64 of 24 to 64 bytes",
    )
