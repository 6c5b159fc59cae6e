"""The one error tree.

Bad *data* is a value (a finding, see :mod:`huitong.quality`); only what stops
an operation is raised. Adapters translate their SDK's errors into these.

::

    HuitongError
    ├── Refusal                    the caller must change something
    │   ├── BadRequest        400
    │   │   ├── InvalidContract    all faults of a contract at once
    │   │   ├── InvalidQuery       not a single, permitted SELECT
    │   │   └── UnreadableFile     a delivery that no reader can take
    │   ├── NotAuthenticated  401
    │   ├── NotPermitted      403
    │   ├── NotFound          404
    │   │   └── Concealed          it is there, but the asker may not know: answered alike, kept as evidence
    │   ├── Conflict          409  somebody was first: read again, then retry
    │   ├── TooLarge          413
    │   ├── LimitExceeded     422  time, memory or rows of a query
    │   └── TooMany           429  too many requests within a minute: wait
    └── Fault                      the platform must do something
        ├── Unavailable       503  a service failed or throttled: retry
        ├── UnknownCommitState 503 a commit may or may not have happened: look first
        └── Corrupt           500  stored bytes do not match their digest or shape
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: what, where, by which rule, and what to do.

    ``where`` holds any of ``file``, ``sheet``, ``row``, ``field``, ``path``.
    """

    rule: str
    zh: str
    en: str
    where: Mapping[str, Any] = field(default_factory=dict)
    advice_zh: str = ""
    advice_en: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {k: v for k, v in asdict(self).items() if v not in ("", {})}


class HuitongError(Exception):
    """Base of everything that Huitong raises on purpose."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "error"
    on_record: bool = False  # evidence of it is written already

    def __init__(self, zh: str, en: str, *, problems: Sequence[Problem] = (), **where: Any) -> None:
        super().__init__(f"{en} / {zh}")
        self.zh = zh
        self.en = en
        self.where = where
        self.problems = tuple(problems)

    def as_dict(self) -> dict[str, Any]:
        """The error as JSON-ready values, for a register, a log or a problem document."""
        return {
            "code": self.code,
            "zh": self.zh,
            "en": self.en,
            "where": self.where,
            "problems": [p.as_dict() for p in self.problems],
        }


class Refusal(HuitongError):
    status = 400
    code = "refused"


class BadRequest(Refusal):
    code = "bad-request"


class InvalidContract(BadRequest):
    status = 422
    code = "invalid-contract"


class InvalidQuery(BadRequest):
    code = "invalid-query"


class UnreadableFile(BadRequest):
    status = 422
    code = "unreadable-file"


class NotAuthenticated(Refusal):
    status = 401
    code = "not-authenticated"


class NotPermitted(Refusal):
    status = 403
    code = "not-permitted"


class NotFound(Refusal):
    status = 404
    code = "not-found"


class Concealed(NotFound):
    """Raised with the very words of the NotFound of what is not there (:meth:`like`)."""

    @classmethod
    def like(cls, missing: NotFound) -> Concealed:
        return cls(missing.zh, missing.en, problems=missing.problems, **missing.where)


class Conflict(Refusal):
    status = 409
    code = "conflict"


class TooLarge(Refusal):
    status = 413
    code = "too-large"


class LimitExceeded(Refusal):
    status = 422
    code = "limit-exceeded"


class TooMany(Refusal):
    status = 429
    code = "too-many-requests"


class Fault(HuitongError):
    code = "fault"


class Unavailable(Fault):
    status = 503
    code = "unavailable"


class UnknownCommitState(Fault):
    status = 503
    code = "unknown-commit-state"


class Corrupt(Fault):
    code = "corrupt"
