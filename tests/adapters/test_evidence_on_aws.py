"""Evidence on DynamoDB and KMS: a table of its own, transactions over both, signatures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from huitong.audit.chain import Keyring, partition
from huitong.audit.signatures import fits
from huitong.audit.trace import Trace, Traces
from huitong.aws.dynamodb import DynamoRegister
from huitong.aws.signing import KmsSigner
from huitong.errors import Conflict, Fault
from huitong.local.messages import ManualClock
from huitong.ports import Item

ACT = Trace("query", "c1", "U1", resource="IN-01")


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        made = boto3.client("dynamodb", region_name="us-east-1")
        for table in ("register", "evidence"):
            names = ("pk", "sk", "i1pk", "i1sk", "i2pk", "i2sk")
            made.create_table(
                TableName=table,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
                KeySchema=_key("pk", "sk"),
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": f"index{n}",
                        "KeySchema": _key(f"i{n}pk", f"i{n}sk"),
                        "Projection": {"ProjectionType": "ALL"},
                    }
                    for n in (1, 2)
                ],
            )
        yield made


def _key(hash: str, range: str) -> Any:
    return [{"AttributeName": hash, "KeyType": "HASH"}, {"AttributeName": range, "KeyType": "RANGE"}]


def count(client: Any, table: str) -> int:
    return int(client.scan(TableName=table, Select="COUNT")["Count"])


def test_an_act_and_its_record_are_one_write_over_two_tables(client: Any) -> None:
    """S-14."""
    register = DynamoRegister(client, "register", "evidence")
    traces = Traces(register, ManualClock(), Keyring(lambda _: "k", ("evidence",)))
    traces.commit(ACT, creates=[Item("THING", "1", {})])
    assert (count(client, "register"), count(client, "evidence")) == (1, 1)
    assert [t.act for t in traces.list(resource="IN-01")] == ["query"]
    assert [t.act for t in traces.list(unit="U1")] == ["query"]
    with pytest.raises(Conflict) as caught:
        traces.commit(ACT, creates=[Item("THING", "1", {})])
    assert caught.value.where["failed"] == [("THING", "1")]
    assert (count(client, "register"), count(client, "evidence")) == (1, 1)


def test_a_place_taken_by_another_process_is_found_again_elsewhere(client: Any) -> None:
    register = DynamoRegister(client, "register", "evidence")
    one, other = (Traces(register, ManualClock()) for _ in range(2))
    one.write(ACT)
    other._shard = one._shard
    other.write(ACT)
    one.commit(ACT, creates=[Item("THING", "1", {})])
    assert (count(client, "register"), count(client, "evidence")) == (1, 3)


def test_the_register_itself_never_replaces_or_deletes_evidence(client: Any) -> None:
    """S-14."""
    register = DynamoRegister(client, "register", "evidence")
    Traces(register, ManualClock()).write(ACT)
    (item,) = [i for s in range(16) for i in register.query(partition(s))]
    for forbidden in (
        lambda: register.replace(item),
        lambda: register.delete(item),
        lambda: register.write(deletes=[(item.pk, item.sk)]),
        lambda: register.write(replaces=[item], creates=[Item("A", "1", {})]),
    ):
        with pytest.raises(Fault):
            forbidden()
    assert count(client, "evidence") == 1


def test_a_signature_of_kms_is_checked_with_the_public_key_alone(client: Any) -> None:
    """S-13."""
    kms = boto3.client("kms", region_name="us-east-1")
    key = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    signer = KmsSigner(kms, key)
    signature = signer.sign(b"head")
    assert signer.verify(b"head", signature)
    assert fits(b"head", signature)
    assert not signer.verify(b"other", signature)
    assert not fits(b"other", signature)
