"""The one table from the AWS SDK's errors to ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from huitong.errors import (
    Conflict,
    Corrupt,
    Fault,
    HuitongError,
    NotFound,
    TooLarge,
    Unavailable,
    UnknownCommitState,
)

_MISSING: Final = frozenset(
    {"NoSuchKey", "NoSuchVersion", "NotFound", "404", "EntityNotFoundException", "InvalidRange"}
)
_CONFLICT: Final = frozenset(
    {
        "ConditionalCheckFailed",
        "ConditionalCheckFailedException",
        "ConditionalRequestConflict",
        "ConcurrentModificationException",
        "PreconditionFailed",
        "412",
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
_BUSY: Final = frozenset(
    {
        "KMSInvalidStateException",
        "LimitExceededException",
        "ProvisionedThroughputExceeded",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingError",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_UNKNOWN_WHEN_WRITING: Final = (
    ReadTimeoutError,
    ConnectionClosedError,
    IncompleteReadError,
    ResponseStreamingError,
)
#: Nothing was sent, so nothing happened.
_NEVER_SENT: Final = (EndpointConnectionError, ConnectTimeoutError)


def translate(error: ClientError | BotoCoreError, *, what: str, writing: bool = False) -> HuitongError:
    """Our error for one of the SDK's.

    ``what`` names the thing without personal values (a key, a table). A write
    whose answer was lost becomes UnknownCommitState: the caller looks first.
    """
    if isinstance(error, ClientError):
        return _of_answer(error, what, writing)
    if isinstance(error, _NEVER_SENT):
        return _unavailable(what, type(error).__name__)
    if isinstance(error, _UNKNOWN_WHEN_WRITING):
        return _unknown(what, type(error).__name__) if writing else _unavailable(what, type(error).__name__)
    if isinstance(error, HTTPClientError):
        return _unavailable(what, type(error).__name__)
    return _fault(what, type(error).__name__)


def codes(error: ClientError) -> frozenset[str]:
    """The error code, or the codes of the reasons for which a transaction was cancelled."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    if code != "TransactionCanceledException":
        return frozenset({code})
    reasons = error.response.get("CancellationReasons") or []
    found = {str(r.get("Code", "")) for r in reasons} - {"", "None"}
    if not found:  # some emulators give the reasons in the message only
        message = str(error.response.get("Error", {}).get("Message", ""))
        found = {known for known in _CONFLICT | _BUSY | {"ValidationError"} if known in message}
    return frozenset(found or {code})


@contextmanager
def translated(what: str, *, writing: bool = False) -> Iterator[None]:
    """Raise our errors for the SDK's inside the block."""
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        raise translate(error, what=what, writing=writing) from error


def _of_answer(error: ClientError, what: str, writing: bool) -> HuitongError:
    found = codes(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) or 0)
    where: dict[str, Any] = {"what": what, "aws": "+".join(sorted(found))}
    if found & _BUSY or status in (429, 503):
        return _unavailable(what, where["aws"])
    if found & _CONFLICT or status == 412:
        return Conflict(f"{what} 已被他人更改", f"{what} was changed by somebody else", **where)
    if found & _MISSING:
        return NotFound(f"没有 {what}", f"There is no {what}", **where)
    if _is_too_large(error, found):
        return TooLarge(f"{what} 过大", f"{what} is too large", **where)
    if "InvalidCiphertextException" in found or "IncorrectKeyException" in found:
        return Corrupt(f"{what} 无法解密", f"{what} cannot be decrypted", **where)
    if status >= 500:
        return _unknown(what, where["aws"]) if writing else _unavailable(what, where["aws"])
    return _fault(what, where["aws"])


def _is_too_large(error: ClientError, found: frozenset[str]) -> bool:
    if "EntityTooLarge" in found:
        return True
    message = str(error.response.get("Error", {}).get("Message", "")).lower()
    return bool(found & {"ValidationException", "ValidationError", "InvalidParameterValue"}) and (
        "size has exceeded" in message
        or "must be shorter than" in message
        or "exceeded the maximum" in message
    )


def _unavailable(what: str, aws: str) -> Unavailable:
    return Unavailable(
        f"服务暂不可用:{what}", f"A service is unavailable for now: {what}", what=what, aws=aws
    )


def _unknown(what: str, aws: str) -> UnknownCommitState:
    return UnknownCommitState(
        f"不知是否已写入:{what}", f"It is unknown whether this was written: {what}", what=what, aws=aws
    )


def _fault(what: str, aws: str) -> Fault:
    return Fault(f"操作失败:{what}({aws})", f"The operation failed: {what} ({aws})", what=what, aws=aws)
