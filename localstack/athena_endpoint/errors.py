"""Answers of the API that are refusals, as AWS words them."""

from __future__ import annotations

from typing import Any


class ApiError(Exception):
    """A refusal: ``code`` is the exception's name in the service model, ``members`` its other members."""

    def __init__(self, code: str, message: str, status: int = 400, **members: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.members = members


class StatementFailed(Exception):
    """A query that ends as FAILED: ``reason`` in Chinese and English. ``ours``: not the query's fault."""

    def __init__(self, zh: str, en: str, *, code: str = "", ours: bool = False) -> None:
        self.reason = f"{zh} / {en}" + (f" [{code}]" if code else "")
        super().__init__(self.reason)
        self.ours = ours


def invalid(zh: str, en: str, code: str = "INVALID_INPUT") -> ApiError:
    """What the caller sent is not a request that can be done."""
    return ApiError("InvalidRequestException", f"{zh} / {en}", AthenaErrorCode=code)
