"""LocalStack 4.14 takes any Python, but was made for 3.13 and misses two things of its library in 3.12."""

from __future__ import annotations

import importlib
import sys
import threading
import warnings

_REAL_LOCK = threading.Lock


class Lock:
    """A class as in 3.13, where ``Lock | None`` is a type; in 3.12 Lock is a function."""

    def __new__(cls) -> Lock:
        return _REAL_LOCK()  # type: ignore[return-value]


def install() -> None:
    """Before LocalStack's services are imported. Does nothing on 3.13 and later."""
    if sys.version_info >= (3, 13):
        return
    from typing_extensions import deprecated

    warnings.deprecated = deprecated  # type: ignore[attr-defined]
    threading.Lock = Lock  # type: ignore[assignment,misc]
    try:
        importlib.import_module("localstack.packages.api")  # the one module that asks for the type
    finally:
        threading.Lock = _REAL_LOCK
