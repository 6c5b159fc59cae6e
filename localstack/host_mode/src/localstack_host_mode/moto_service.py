"""A whole AWS service answered by moto, one request at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service

Handler = Callable[[RequestContext, Any], Any]
_LOCKS: dict[str, threading.RLock] = {}
_MAKING = threading.Lock()


def lock(name: str) -> threading.RLock:
    """The lock under which all requests to a moto backend run.

    moto reads, decides and writes without one: two conditional writes at once could both succeed. Its work is
    pure Python, so with one lock nothing runs slower that could have run side by side.
    """
    with _MAKING:
        return _LOCKS.setdefault(name, threading.RLock())


def service(name: str, special: Mapping[str, Handler] | None = None, *, lock_of: str = "") -> Service:
    """A LocalStack service: ``special`` handlers by operation, moto for all others.

    A special handler runs under the lock and may call moto itself.
    """
    held = lock(lock_of or name)
    special = special or {}
    model = load_service(name)

    def locked(handler: Handler) -> Handler:
        def call(context: RequestContext, request: Any) -> Any:
            with held:
                return handler(context, request)

        return call

    table = {
        operation: locked(special.get(operation, lambda context, request: call_moto(context)))
        for operation in model.operation_names
    }
    return Service(name=name, skeleton=Skeleton(model, table))
