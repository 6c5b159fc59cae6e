"""Glue by moto, with the check that table formats rely on.

``UpdateTable`` with a ``VersionId`` succeeds only while that is the table's version. Without it the second of
two concurrent Iceberg commits silently replaces the first one.
"""

from __future__ import annotations

from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.services.moto import call_moto
from localstack.services.plugins import Service
from moto.core.exceptions import JsonRESTError
from moto.glue.models import glue_backends

from localstack_host_mode.moto_service import service as moto_service


def service() -> Service:
    return moto_service("glue", {"UpdateTable": update_table})


def update_table(context: RequestContext, request: Any) -> Any:
    """Raises ConcurrentModificationException. Called under Glue's lock."""
    expected = request.get("VersionId")
    if expected is not None:
        name = request.get("Name") or request["TableInput"]["Name"]
        check_version(context.account_id, context.region, request["DatabaseName"], name, expected)
    return call_moto(context)


def check_version(account: str, region: str, database: str, name: str, expected: str) -> None:
    try:
        table = glue_backends[account][region].get_table(database, name)
    except JsonRESTError:
        return  # moto says it better
    current = table.as_dict()["VersionId"]
    if current != expected:
        raise CommonServiceException(
            "ConcurrentModificationException",
            f"Update table failed due to concurrent modifications: version {current} is not {expected}",
        )
