"""The register on DynamoDB: one table, and one of its own for the records of evidence.

Attributes: ``pk``, ``sk``; ``version`` (N); ``body`` (S, JSON) or, when long,
``zbody`` (B, deflated JSON); ``i1pk``/``i1sk`` and ``i2pk``/``i2sk`` of the two
secondary indexes; ``expires`` (N, TTL); ``token`` (S), by which a writer
knows its own write when the SDK repeated a request whose answer was lost.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from huitong.aws.errors import translate, translated
from huitong.errors import Conflict, Fault
from huitong.ports import Index, Item

_INDEXES: Final = {"index1": ("i1pk", "i1sk"), "index2": ("i2pk", "i2sk")}
_EVIDENCE: Final = ("CHAIN#", "TRACES#", "TRACES-BY#")  # the chains, and the two indexes over them
_HIGHEST: Final = "\U0010ffff"
_EMPTY: Final = "\x00"  # keys must not be empty; this sorts first, as an empty text would
_DEFLATE_ABOVE: Final = 16_384  # characters
_ABSENT: Final = "attribute_not_exists(pk)"
_SAME: Final = "version = :was"


class DynamoRegister:
    """:class:`huitong.ports.Register` over a low-level DynamoDB client."""

    def __init__(self, client: Any, table: str, evidence_table: str = "") -> None:
        """``evidence_table`` takes the chains of evidence and their indexes: there, nothing is ever
        replaced or deleted (S-14), neither by this class nor by the functions' permissions."""
        self._client = client
        self._table = table
        self._evidence = evidence_table or table

    def get(self, pk: str, sk: str) -> Item | None:
        with translated(f"{pk}/{sk}"):
            answer = self._client.get_item(TableName=self._of(pk), Key=_key(pk, sk), ConsistentRead=True)
        return _item(answer["Item"]) if "Item" in answer else None

    def create(self, item: Item) -> Item:
        self._put(item, _ABSENT, {})
        return replace(item, version=1)

    def replace(self, item: Item) -> Item:
        _only_grows([(item.pk, item.sk)])
        self._put(item, _SAME, _was(item))
        return replace(item, version=item.version + 1)

    def write(
        self,
        creates: Sequence[Item] = (),
        replaces: Sequence[Item] = (),
        deletes: Sequence[tuple[str, str]] = (),
    ) -> None:
        if not (creates or replaces or deletes):
            return
        _only_grows([*((i.pk, i.sk) for i in replaces), *deletes])
        if len(creates) + len(replaces) + len(deletes) == 1 and not deletes:
            (self.create if creates else self.replace)((*creates, *replaces)[0])
            return
        puts = [self._transact_put(i, _ABSENT, {}) for i in creates]
        puts += [self._transact_put(i, _SAME, _was(i)) for i in replaces]
        drops = [{"Delete": {"TableName": self._of(pk), "Key": _key(pk, sk)}} for pk, sk in deletes]
        # The SDK adds a request token: a repeated transaction is applied once.
        try:
            self._client.transact_write_items(TransactItems=[*puts, *drops])
        except (ClientError, BotoCoreError) as error:
            problem = translate(error, what=_named(creates, replaces, deletes), writing=True)
            if isinstance(problem, Conflict):
                problem.where["failed"] = _failed(error, [(i.pk, i.sk) for i in (*creates, *replaces)])
            raise problem from error

    def delete(self, item: Item) -> None:
        _only_grows([(item.pk, item.sk)])
        with translated(f"{item.pk}/{item.sk}", writing=True):
            self._client.delete_item(
                TableName=self._of(item.pk),
                Key=_key(item.pk, item.sk),
                ConditionExpression=_SAME,
                ExpressionAttributeValues=_was(item),
            )

    def query(
        self, pk: str, *, prefix: str = "", after: str = "", limit: int = 0, descending: bool = False
    ) -> list[Item]:
        low, high = prefix, prefix + _HIGHEST if prefix else ""
        if after and descending:
            high = min(high, after) if high else after
        elif after:
            low = max(low, after)
        found = self._pages(pk, "pk", "sk", low, high, limit + 1 if after and limit else limit, descending)
        found = [i for i in found if i.sk != after] if after else found
        return found[:limit] if limit else found

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
        pk_name, sk_name = _INDEXES[index]
        return self._pages(pk, pk_name, sk_name, low, high, limit, descending, index=index)

    def _of(self, pk: str) -> str:
        return self._evidence if pk.startswith(_EVIDENCE) else self._table

    def _put(self, item: Item, condition: str, values: dict[str, Any]) -> None:
        attributes = _attributes(item)
        request: dict[str, Any] = {
            "TableName": self._of(item.pk),
            "Item": attributes,
            "ConditionExpression": condition,
        }
        if values:
            request["ExpressionAttributeValues"] = values
        try:
            self._client.put_item(**request)
        except (ClientError, BotoCoreError) as error:
            problem = translate(error, what=f"{item.pk}/{item.sk}", writing=True)
            if isinstance(problem, Conflict) and self._wrote(item, attributes["token"]["S"]):
                return  # the first of two attempts went through; only its answer was lost
            raise problem from error

    def _wrote(self, item: Item, token: str) -> bool:
        with translated(f"{item.pk}/{item.sk}"):
            answer = self._client.get_item(
                TableName=self._of(item.pk), Key=_key(item.pk, item.sk), ConsistentRead=True
            )
        return bool(answer.get("Item", {}).get("token", {}).get("S") == token)

    def _transact_put(self, item: Item, condition: str, values: dict[str, Any]) -> dict[str, Any]:
        put = {"TableName": self._of(item.pk), "Item": _attributes(item), "ConditionExpression": condition}
        return {"Put": {**put, "ExpressionAttributeValues": values} if values else put}

    def _pages(
        self,
        pk: str,
        pk_name: str,
        sk_name: str,
        low: str,
        high: str,
        limit: int,
        descending: bool,
        *,
        index: str = "",
    ) -> list[Item]:
        if low and high and low > high:
            return []
        condition, values = _condition(pk, low, high)
        request: dict[str, Any] = {
            "TableName": self._of(pk),
            "KeyConditionExpression": condition,
            "ExpressionAttributeNames": {"#p": pk_name, **({"#s": sk_name} if "#s" in condition else {})},
            "ExpressionAttributeValues": values,
            "ScanIndexForward": not descending,
            "ConsistentRead": not index,
        }
        if index:
            request["IndexName"] = index
        found: list[Item] = []
        while True:
            if limit:
                request["Limit"] = limit - len(found)
            with translated(pk):
                answer = self._client.query(**request)
            found.extend(_item(raw) for raw in answer["Items"])
            if "LastEvaluatedKey" not in answer or (limit and len(found) >= limit):
                return found
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]


def _only_grows(keys: Sequence[tuple[str, str]]) -> None:
    for pk, sk in keys:
        if pk.startswith(_EVIDENCE):
            what = f"{pk}/{sk}"
            raise Fault(f"留痕不可更改:{what}", f"Evidence is never changed: {what}", what=what)


def _failed(error: ClientError | BotoCoreError, keys: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The entries whose condition failed, when the store tells; reasons stand in the order of the entries."""
    answer: Mapping[str, Any] = error.response if isinstance(error, ClientError) else {}
    reasons = answer.get("CancellationReasons") or ()
    return [key for key, reason in zip(keys, reasons, strict=False) if reason.get("Code", "None") != "None"]


def _condition(pk: str, low: str, high: str) -> tuple[str, dict[str, Any]]:
    values = {":p": {"S": pk}}
    if low:
        values[":low"] = {"S": low}
    if high:
        values[":high"] = {"S": high}
    sort = {
        (True, True): " AND #s BETWEEN :low AND :high",
        (True, False): " AND #s >= :low",
        (False, True): " AND #s <= :high",
        (False, False): "",
    }[bool(low), bool(high)]
    return f"#p = :p{sort}", values


def _key(pk: str, sk: str) -> dict[str, Any]:
    return {"pk": {"S": pk or _EMPTY}, "sk": {"S": sk or _EMPTY}}


def _was(item: Item) -> dict[str, Any]:
    return {":was": {"N": str(item.version)}}


def _attributes(item: Item) -> dict[str, Any]:
    text = json.dumps(item.body, ensure_ascii=False, separators=(",", ":"))
    raw: dict[str, Any] = {
        **_key(item.pk, item.sk),
        "version": {"N": str(item.version + 1)},
        "token": {"S": uuid4().hex},
    }
    if len(text) > _DEFLATE_ABOVE:
        raw["zbody"] = {"B": zlib.compress(text.encode())}
    else:
        raw["body"] = {"S": text}
    for name, pair in (("index1", item.index1), ("index2", item.index2)):
        if pair:
            pk_name, sk_name = _INDEXES[name]
            raw[pk_name], raw[sk_name] = {"S": pair[0] or _EMPTY}, {"S": pair[1] or _EMPTY}
    if item.expires:
        raw["expires"] = {"N": str(item.expires)}
    return raw


def _item(raw: dict[str, Any]) -> Item:
    text = zlib.decompress(raw["zbody"]["B"]).decode() if "zbody" in raw else raw["body"]["S"]
    return Item(
        pk=_text(raw["pk"]),
        sk=_text(raw["sk"]),
        body=json.loads(text),
        version=int(raw["version"]["N"]),
        index1=_pair(raw, "index1"),
        index2=_pair(raw, "index2"),
        expires=int(raw["expires"]["N"]) if "expires" in raw else 0,
    )


def _pair(raw: dict[str, Any], index: str) -> tuple[str, str] | None:
    pk_name, sk_name = _INDEXES[index]
    return (_text(raw[pk_name]), _text(raw[sk_name])) if pk_name in raw else None


def _text(value: dict[str, Any]) -> str:
    text = str(value["S"])
    return "" if text == _EMPTY else text


def _named(creates: Sequence[Item], replaces: Sequence[Item], deletes: Sequence[tuple[str, str]]) -> str:
    keys = [(i.pk, i.sk) for i in (*creates, *replaces)] + list(deletes)
    return ", ".join(f"{pk}/{sk}" for pk, sk in keys[:4])
