"""The narrow ports through which the capabilities reach the outside world.

Adapters live in :mod:`huitong.aws`; in-memory fakes for tests and the on-disk
object store for benchmarks live in :mod:`huitong.local`. Every adapter raises
only errors of :mod:`huitong.errors`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

Index = Literal["index1", "index2"]


# --- objects ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What an object store knows of an object without reading it."""

    key: str
    size: int
    etag: str = ""
    version: str = ""
    modified: str = ""  # ISO 8601, UTC
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PresignedUpload:
    """Where and with which headers a client puts one object."""

    url: str
    headers: Mapping[str, str]
    expires_at: str


class ObjectStore(Protocol):
    """One bucket. Keys carry no leading slash."""

    def uri(self, key: str) -> str:
        """The object's address as PyIceberg and engines name it (``s3://…`` or ``file://…``)."""
        ...

    def key_of(self, uri: str) -> str:
        """Inverse of :meth:`uri`."""
        ...

    def head(self, key: str, version: str = "") -> ObjectInfo | None: ...

    def open(self, key: str, version: str = "") -> AbstractContextManager[BinaryIO]:
        """A sequential stream of the object's bytes. Raises NotFound."""
        ...

    def read(self, key: str) -> bytes:
        """The whole object; for small ones only. Raises NotFound."""
        ...

    def local(self, key: str, version: str = "") -> AbstractContextManager[Path]:
        """The object as a read-only local file while the context lasts. Raises NotFound."""
        ...

    def put(
        self,
        key: str,
        data: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_absent: bool = False,
    ) -> None:
        """Write an object. With ``if_absent``, raises Conflict when it exists."""
        ...

    def put_file(self, key: str, path: Path, *, content_type: str = "application/octet-stream") -> None: ...

    def list(self, prefix: str) -> Iterator[ObjectInfo]: ...

    def delete(self, key: str) -> None: ...

    def presign_put(self, key: str, *, seconds: int, content_type: str = "") -> PresignedUpload: ...

    def presign_get(self, key: str, *, seconds: int) -> str: ...


# --- registers -------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """One register entry. ``version`` counts its writes; 0 means not yet stored.

    ``index1`` and ``index2`` are (partition, sort) pairs of the two secondary
    indexes; ``expires`` is a POSIX time after which the store may drop it.
    """

    pk: str
    sk: str
    body: Mapping[str, Any]
    version: int = 0
    index1: tuple[str, str] | None = None
    index2: tuple[str, str] | None = None
    expires: int = 0

    def with_body(self, **changes: Any) -> Item:
        return replace(self, body={**self.body, **changes})


class Register(Protocol):
    """Small, conditional records (DynamoDB). Bodies are JSON-ready mappings."""

    def get(self, pk: str, sk: str) -> Item | None:
        """Strongly consistent read."""
        ...

    def create(self, item: Item) -> Item:
        """Store a new entry (version 1). Raises Conflict when (pk, sk) exists."""
        ...

    def replace(self, item: Item) -> Item:
        """Store over the version that was read. Raises Conflict when another write came between."""
        ...

    def write(
        self,
        creates: Sequence[Item] = (),
        replaces: Sequence[Item] = (),
        deletes: Sequence[tuple[str, str]] = (),
    ) -> None:
        """All or nothing (at most 100). Raises Conflict when any condition fails.

        ``deletes`` are (pk, sk) pairs, removed whether or not they exist.
        """
        ...

    def delete(self, item: Item) -> None:
        """Remove the version that was read. Raises Conflict when another write came between."""
        ...

    def query(
        self,
        pk: str,
        *,
        prefix: str = "",
        after: str = "",
        limit: int = 0,
        descending: bool = False,
    ) -> list[Item]:
        """Entries of one partition by sort key, strongly consistent; ``after`` is exclusive; 0 = all."""
        ...

    def query_index(
        self,
        index: Index,
        pk: str,
        *,
        low: str = "",
        high: str = "",
        limit: int = 0,
        descending: bool = False,
    ) -> list[Item]:
        """Entries of an index partition with low <= sort key <= high (empty = open), whole bodies.

        Eventually consistent: decide on what :meth:`get` returns, not on this.
        """
        ...


# --- messages --------------------------------------------------------------


class Queue(Protocol):
    """One queue. ``group`` and ``dedup`` are for FIFO queues; a fresh dedup value is made when empty."""

    def send(
        self, message: Mapping[str, Any], *, group: str = "", dedup: str = "", delay: int = 0
    ) -> None: ...


class EventBus(Protocol):
    def publish(self, kind: str, detail: Mapping[str, Any]) -> None:
        """Emit a domain event, e.g. ``BatchPublished`` or ``LedgerImbalance``. Never personal values."""
        ...


@dataclass(frozen=True, slots=True)
class WorkflowState:
    """Where an execution stands. ``reason`` is a name of an error, never text with values."""

    status: Literal["running", "succeeded", "failed"]
    reason: str = ""


class Workflows(Protocol):
    """Executions of one workflow, each by a name of its own."""

    def start(self, name: str, given: Mapping[str, Any]) -> None:
        """Start an execution. A name that was used already starts nothing, whatever became of it."""
        ...

    def state(self, name: str) -> WorkflowState | None:
        """None when it was not started, or is not visible yet."""
        ...


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class HttpSender(Protocol):
    def post(self, url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> HttpAnswer:
        """One POST, no redirects followed, at most 64 KiB of answer read.

        Raises Unavailable when no answer came (refused, timed out, TLS, DNS) and
        NotPermitted when the address is not one that deliveries may go to.
        """
        ...


class Secrets(Protocol):
    """Sealing of short secrets (webhook secrets) so that registers never hold them plain."""

    def seal(self, plain: str, context: str) -> str: ...

    def unseal(self, sealed: str, context: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Signature:
    """Of a short message, in base64; with ``public_key`` (PEM) anybody can check it."""

    value: str
    algorithm: str  # ECDSA_SHA_256 or SM2DSA
    public_key: str


class Signer(Protocol):
    """A private key that never leaves its place."""

    def sign(self, message: bytes) -> Signature:
        """At most 4 KiB. Raises faults."""
        ...

    def verify(self, message: bytes, signature: Signature) -> bool:
        """Whether *this* key made the signature. Raises faults."""
        ...


class RemoteTime(Protocol):
    def now(self) -> datetime:
        """The time of a service outside, cut to whole seconds. Raises Unavailable."""
        ...


class Clock(Protocol):
    def now(self) -> datetime:
        """The present, timezone-aware, UTC."""
        ...


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds, sortable as text: ``2026-01-31T08:00:00.000Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
