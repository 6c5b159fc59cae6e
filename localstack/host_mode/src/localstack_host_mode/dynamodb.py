"""DynamoDB by moto: conditional writes by one lock, transactions that copy no tables, idempotency tokens."""

from __future__ import annotations

import copy
import json
import time
from typing import Any

from localstack.aws.api import CommonServiceException, RequestContext
from localstack.services.moto import call_moto
from localstack.services.plugins import Service
from moto.dynamodb.comparisons import get_filter_expression
from moto.dynamodb.exceptions import (
    ConditionalCheckFailed,
    MockValidationException,
    MultipleTransactionsException,
    TooManyTransactionsException,
    TransactionCanceledException,
    TransactWriteSingleOpException,
)
from moto.dynamodb.models import DynamoDBBackend

from localstack_host_mode.moto_service import service as moto_service

#: How long DynamoDB remembers a transaction's token.
TOKEN_SECONDS = 600.0
_Reason = tuple[str | None, str | None, dict[str, Any] | None]
_done: dict[tuple[str, str, str], tuple[float, str, Any]] = {}


def service() -> Service:
    """moto's own transaction copies every table it touches, at each call, and is replaced."""
    DynamoDBBackend.transact_write_items = transact_write_items
    return moto_service("dynamodb", {"TransactWriteItems": transact_once})


def transact_once(context: RequestContext, request: Any) -> Any:
    """The same token and request again: the same answer, nothing written. Called under DynamoDB's lock."""
    token = request.get("ClientRequestToken")
    if not token:
        return call_moto(context)
    now, place = time.monotonic(), (context.account_id, context.region, token)
    for old in [known for known, (at, _, _) in _done.items() if at < now - TOKEN_SECONDS]:
        del _done[old]
    said = json.dumps(request["TransactItems"], sort_keys=True, default=repr)
    if place in _done:
        _, before, answer = _done[place]
        if before != said:
            raise CommonServiceException(
                "IdempotentParameterMismatchException", "The token was used with another request"
            )
        return answer
    answer = call_moto(context)
    _done[place] = (now, said, answer)
    return answer


def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
    """All conditions are judged before anything is written; what was written is put back when a write fails.

    Raises the exceptions of moto's own method.
    """
    if len(transact_items) > 100:
        raise TooManyTransactionsException()
    operations = [_operation(backend, item) for item in transact_items]
    targets = [(op["TableName"], json.dumps(key, sort_keys=True)) for _, op, key in operations]
    if len(set(targets)) < len(targets):
        raise MultipleTransactionsException()
    reasons = [_judge(backend, op, key) for _, op, key in operations]
    if any(code for code, _, _ in reasons):
        raise TransactionCanceledException(reasons)
    before = [(op["TableName"], key, _item(backend, op["TableName"], key)) for _, op, key in operations]
    for index, (kind, op, key) in enumerate(operations):
        try:
            _write(backend, kind, op, key)
        except MockValidationException:
            _put_back(backend, before[: index + 1])
            raise
        except Exception as error:  # whatever moto raises becomes the transaction's reason
            _put_back(backend, before[: index + 1])
            failed: list[_Reason] = [(None, None, None)] * len(operations)
            failed[index] = (type(error).__name__, str(error), None)
            raise TransactionCanceledException(failed) from error


def _operation(backend: DynamoDBBackend, item: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    if len(item) > 1:
        raise TransactWriteSingleOpException
    kind, op = next(iter(item.items()))
    if kind != "Put":
        return kind, op, op["Key"]
    table = backend.get_table(op["TableName"])
    names = [name for name in (table.hash_key_attr, table.range_key_attr) if name is not None]
    return kind, op, {name: op["Item"][name] for name in names}


def _judge(backend: DynamoDBBackend, op: dict[str, Any], key: dict[str, Any]) -> _Reason:
    condition = op.get("ConditionExpression")
    if condition is None:
        return None, None, None
    current = backend.get_item(op["TableName"], key)
    parsed = get_filter_expression(
        condition, op.get("ExpressionAttributeNames"), op.get("ExpressionAttributeValues")
    )
    if parsed.expr(current):
        return None, None, None
    shown = op.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and current
    failed = ConditionalCheckFailed()
    return "ConditionalCheckFailed", str(failed.message), current.to_json()["Attributes"] if shown else None


def _write(backend: DynamoDBBackend, kind: str, op: dict[str, Any], key: dict[str, Any]) -> None:
    said = {
        "expression_attribute_names": op.get("ExpressionAttributeNames"),
        "expression_attribute_values": op.get("ExpressionAttributeValues"),
    }
    if kind == "Put":
        backend.put_item(op["TableName"], op["Item"], **said)
    elif kind == "Delete":
        backend.delete_item(op["TableName"], key, **said)
    elif kind == "Update":
        backend.update_item(op["TableName"], key, update_expression=op["UpdateExpression"], **said)


def _item(backend: DynamoDBBackend, table: str, key: dict[str, Any]) -> Any:
    return copy.deepcopy(backend.get_item(table, key))


def _put_back(backend: DynamoDBBackend, before: list[tuple[str, dict[str, Any], Any]]) -> None:
    for table, key, item in before:
        if item is None:
            backend.delete_item(table, key)
        else:
            backend.put_item(table, item.to_json()["Attributes"])
