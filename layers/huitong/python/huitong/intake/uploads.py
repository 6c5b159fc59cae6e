"""Announced uploads: where a unit may put a file, and what it said about it (Q-13)."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal, Self, get_args

from huitong.contracts.model import Mode
from huitong.errors import BadRequest, NotFound, Problem
from huitong.intake.layout import Layout
from huitong.ports import Clock, Item, ObjectStore, PresignedUpload, Register, timestamp

#: What one S3 PUT can carry.
MAX_BYTES: Final = 5 * 1024**3
PRESIGNED_SECONDS: Final = 3600
_EXPIRES_DAYS: Final = 400
_ID: Final = re.compile(r"u[0-9a-f]{16,64}")
_PATH_PART: Final = re.compile(r"[^/\\\x00-\x1f\x7f]{1,64}")


@dataclass(frozen=True, slots=True)
class Upload:
    """One announced upload. ``batch_id`` is known once the object has been received."""

    id: str
    unit: str
    resource: str
    key: str  # in the landing bucket
    filename: str
    mode: Literal["", "full", "increment", "deletion"] = ""
    edition: str = ""
    profile: str = ""
    case_no: str = ""
    ticket: str = ""  # the correction (huitong.tickets) that the rows carry
    mends: str = ""  # the batch whose rows in quarantine it brings again
    layout: Layout = field(default_factory=Layout)
    by: str = ""
    opened_at: str = ""
    sha256: str = ""  # of rows that came by the API: known beforehand
    batch_id: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, body: Mapping[str, Any]) -> Self:
        return cls(**{**body, "layout": Layout(**body["layout"])})


class Uploads:
    def __init__(self, register: Register, landing: ObjectStore, clock: Clock) -> None:
        self._register = register
        self._landing = landing
        self._clock = clock

    def open(
        self,
        unit: str,
        resource: str,
        filename: str,
        *,
        mode: str = "",
        edition: str = "",
        profile: str = "",
        case_no: str = "",
        ticket: str = "",
        mends: str = "",
        options: Mapping[str, Any] | None = None,
        by: str,
    ) -> tuple[str, PresignedUpload]:
        """Announce a file: its upload id, and where to put it. Raises BadRequest with all problems.

        ``options`` are the settings of :class:`huitong.intake.layout.Layout`
        and go before those of the profile.
        """
        upload = self.announced(
            unit,
            resource,
            filename,
            mode=mode,
            edition=edition,
            profile=profile,
            case_no=case_no,
            ticket=ticket,
            mends=mends,
            options=options,
            by=by,
        )
        self.add(upload)
        return upload.id, self._landing.presign_put(upload.key, seconds=PRESIGNED_SECONDS)

    def announced(
        self,
        unit: str,
        resource: str,
        filename: str,
        *,
        mode: str = "",
        edition: str = "",
        profile: str = "",
        case_no: str = "",
        ticket: str = "",
        mends: str = "",
        options: Mapping[str, Any] | None = None,
        by: str,
        id: str = "",
    ) -> Upload:
        """The upload as a checked value; nothing is stored."""
        layout, problems = Layout.read(options or {}, "options.")
        for name, value, limit in (
            ("edition", edition, 200),
            ("profile", profile, 64),
            ("case_no", case_no, 200),
            ("ticket", ticket, 128),
            ("mends", mends, 128),
        ):
            if len(value) > limit or has_control(value):
                problems.append(
                    _wrong(name, f"{name} 过长或含控制字符", f"{name} is too long or has control characters")
                )
        for name, value in (("unit", unit), ("resource", resource)):
            if not _PATH_PART.fullmatch(value) or value in (".", ".."):
                problems.append(_wrong(name, f"{name} 不可用", f"{name} is not usable"))
        if mode not in ("", *get_args(Mode)):
            problems.append(
                _wrong("mode", "mode 应为 full、increment 或 deletion", "mode is full, increment or deletion")
            )
        if problems:
            raise BadRequest(
                f"上传申请有 {len(problems)} 处错误",
                f"The upload request has {len(problems)} problem(s)",
                problems=problems,
            )
        id = id or self.new_id()
        name = safe_filename(filename)
        return Upload(
            id=id,
            unit=unit,
            resource=resource,
            key=f"{unit}/{resource}/{id}/{name}",
            filename=name,
            mode=mode,  # type: ignore[arg-type]  # checked above
            edition=edition,
            profile=profile,
            case_no=case_no,
            ticket=ticket,
            mends=mends,
            layout=layout,
            by=by,
            opened_at=timestamp(self._clock.now()),
        )

    def new_id(self) -> str:
        """A fresh upload id; ids sort by the time of their making."""
        return new_upload_id(self._clock.now())

    def add(self, upload: Upload) -> None:
        """Store an announced upload. Raises Conflict when its id is taken."""
        expires = int(self._clock.now().timestamp()) + _EXPIRES_DAYS * 86_400
        self._register.create(Item(f"UPLOAD#{upload.id}", "UPLOAD", upload.as_dict(), expires=expires))

    def find(self, id: str) -> Upload | None:
        item = self._register.get(f"UPLOAD#{id}", "UPLOAD")
        return Upload.from_dict(item.body) if item else None

    def get(self, id: str) -> Upload:
        """Raises NotFound."""
        found = self.find(id)
        if found is None:
            raise no_upload(id)
        return found

    def became(self, id: str, batch_id: str) -> None:
        """Remember which batch an upload became. Raises Conflict when another write came between."""
        item = self._register.get(f"UPLOAD#{id}", "UPLOAD")
        if item is not None and item.body["batch_id"] != batch_id:
            self._register.replace(item.with_body(batch_id=batch_id))


def no_upload(id: str) -> NotFound:
    return NotFound(f"没有上传 {id}", f"There is no upload {id}", upload=id)


def new_upload_id(now: datetime) -> str:
    """Microseconds in 14 digits, then 64 random bits."""
    return f"u{int(now.timestamp() * 1_000_000):014x}{secrets.token_hex(8)}"


def is_upload_id(text: str) -> bool:
    return _ID.fullmatch(text) is not None


def upload_of(key: str) -> str:
    """The upload id in a key of the landing bucket; empty where the object came without one."""
    parts = key.split("/")
    return parts[2] if len(parts) == 4 and is_upload_id(parts[2]) else ""


def has_control(text: str) -> bool:
    return any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in text)


def safe_filename(filename: str) -> str:
    """The last part of a path, without control and other invisible characters; Chinese stays."""
    name = unicodedata.normalize("NFC", filename).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if not has_control(c)).strip(" .") or "file"
    if len(name.encode()) <= 200:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 12:
        stem, extension = name, ""
    keep = 200 - len(extension.encode()) - 1
    return stem.encode()[:keep].decode(errors="ignore") + (f".{extension}" if extension else "")


def with_batch(upload: Upload, batch_id: str, sha256: str) -> Upload:
    return replace(upload, batch_id=batch_id, sha256=sha256)


def _wrong(name: str, zh: str, en: str) -> Problem:
    return Problem(f"upload.{name}", zh, en, {"field": name})
