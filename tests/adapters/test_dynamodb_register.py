"""The register on DynamoDB keeps the conditions of the port; the memory register is held to the same."""

from __future__ import annotations

import random
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from botocore.stub import Stubber

from huitong.aws.dynamodb import DynamoRegister
from huitong.errors import Conflict, Fault, TooLarge, Unavailable, UnknownCommitState
from huitong.local.register import MemoryRegister
from huitong.ports import Item, Register


@pytest.fixture(params=["dynamodb", "memory"])
def register(request: pytest.FixtureRequest) -> Register:
    if request.param == "memory":
        return MemoryRegister()
    return DynamoRegister(request.getfixturevalue("dynamodb"), request.getfixturevalue("table"))


def item(sk: str, pk: str = "P", **body: Any) -> Item:
    return Item(pk=pk, sk=sk, body=body)


def test_what_was_created_is_read_back_whole(register: Register) -> None:
    body = {"zh": "汇通", "n": 12345678901234567890, "x": 0.1, "list": [1, None, True], "empty": ""}
    made = register.create(Item("P", "S", body, index1=("I", "1"), index2=("J", ""), expires=2_000_000_000))
    assert made.version == 1
    assert register.get("P", "S") == made


def test_a_missing_entry_is_none(register: Register) -> None:
    assert register.get("P", "nothing") is None


def test_creating_twice_conflicts_and_keeps_the_first(register: Register) -> None:
    register.create(item("S", v=1))
    with pytest.raises(Conflict):
        register.create(item("S", v=2))
    found = register.get("P", "S")
    assert found is not None
    assert found.body == {"v": 1}


def test_a_write_over_a_version_that_has_moved_on_conflicts(register: Register) -> None:
    first = register.create(item("S", v=1))
    second = register.replace(first.with_body(v=2))
    assert second.version == 2
    with pytest.raises(Conflict):
        register.replace(first.with_body(v=3))
    assert register.get("P", "S") == second


def test_replacing_what_does_not_exist_conflicts(register: Register) -> None:
    with pytest.raises(Conflict):
        register.replace(Item("P", "S", {}, version=1))


def test_a_transaction_writes_all_or_nothing(register: Register) -> None:
    kept = register.create(item("kept", v=1))
    register.create(item("gone"))
    with pytest.raises(Conflict):
        register.write(creates=[item("new"), item("kept")], deletes=[("P", "gone")])
    with pytest.raises(Conflict):
        register.write(creates=[item("new")], replaces=[Item("P", "kept", {"v": 9}, version=7)])
    assert register.get("P", "new") is None
    assert register.get("P", "gone") is not None
    register.write(creates=[item("new")], replaces=[kept.with_body(v=2)], deletes=[("P", "gone"), ("P", "?")])
    assert [(i.sk, i.version) for i in register.query("P")] == [("kept", 2), ("new", 1)]


def test_a_transaction_of_one_entry_keeps_its_condition(register: Register) -> None:
    register.write(creates=[item("S")])
    with pytest.raises(Conflict):
        register.write(creates=[item("S")])
    register.write()


def test_deleting_needs_the_version_that_was_read(register: Register) -> None:
    first = register.create(item("S", v=1))
    second = register.replace(first.with_body(v=2))
    with pytest.raises(Conflict):
        register.delete(first)
    register.delete(second)
    assert register.get("P", "S") is None


def test_a_query_honours_prefix_after_limit_and_direction(register: Register) -> None:
    for sk in ("A#1", "B#1", "B#2", "B#3", "B#4", "C#1"):
        register.create(item(sk))

    def keys(**how: Any) -> list[str]:
        return [i.sk for i in register.query("P", **how)]

    assert keys() == ["A#1", "B#1", "B#2", "B#3", "B#4", "C#1"]
    assert keys(prefix="B#") == ["B#1", "B#2", "B#3", "B#4"]
    assert keys(prefix="B#", after="B#2") == ["B#3", "B#4"]
    assert keys(prefix="B#", after="B#2", limit=1) == ["B#3"]
    assert keys(prefix="B#", after="B#25") == ["B#3", "B#4"]
    assert keys(prefix="B#", after="B#3", descending=True) == ["B#2", "B#1"]
    assert keys(prefix="B#", after="A") == ["B#1", "B#2", "B#3", "B#4"]
    assert keys(prefix="B#", after="D") == []
    assert keys(after="B#4") == ["C#1"]
    assert keys(descending=True, limit=2) == ["C#1", "B#4"]


def test_an_index_query_honours_its_bounds_and_gives_whole_bodies(register: Register) -> None:
    for n in range(1, 6):
        register.create(Item(f"P{n}", "S", {"n": n}, index1=("I", f"{n}"), index2=("J", f"{9 - n}")))
    register.create(item("S"))

    def numbers(index: Any, pk: str, **how: Any) -> list[int]:
        return [i.body["n"] for i in register.query_index(index, pk, **how)]

    assert numbers("index1", "I") == [1, 2, 3, 4, 5]
    assert numbers("index1", "I", low="2", high="4") == [2, 3, 4]
    assert numbers("index1", "I", low="4", high="2") == []
    assert numbers("index1", "I", high="2", descending=True) == [2, 1]
    assert numbers("index2", "J", limit=2) == [5, 4]
    assert numbers("index1", "none") == []


def test_an_entry_leaves_an_index_when_a_write_says_so(register: Register) -> None:
    made = register.create(Item("P", "S", {}, index1=("I", "1")))
    register.replace(Item("P", "S", {}, version=made.version))
    assert register.query_index("index1", "I") == []


def test_a_long_body_is_kept_and_pages_are_joined(dynamodb: Any, table: str) -> None:
    register = DynamoRegister(dynamodb, table)
    for n in range(30):  # about 3 MB of plain text: more than the 1 MB of a page, were it not deflated
        register.create(item(f"{n:02}", text=f"{n}-" * 50_000))
    found = register.query("P")
    assert [i.sk for i in found] == [f"{n:02}" for n in range(30)]
    assert found[7].body == {"text": "7-" * 50_000}


def test_pages_of_the_service_are_joined_up_to_the_limit(dynamodb: Any, table: str) -> None:
    register, source = DynamoRegister(dynamodb, table), random.Random(1)
    for n in range(8):  # does not deflate: 8 x 300 kB are three pages
        register.create(item(f"{n}", text="".join(source.choices("0123456789abcdef", k=600_000))))
    assert [i.sk for i in register.query("P")] == [str(n) for n in range(8)]
    assert [i.sk for i in register.query("P", limit=7)] == [str(n) for n in range(7)]


def test_an_entry_beyond_the_size_of_an_item_is_too_large(dynamodb: Any, table: str) -> None:
    source = random.Random(2)
    text = "".join(chr(0x4E00 + source.randrange(20_000)) for _ in range(300_000))
    with pytest.raises(TooLarge):
        DynamoRegister(dynamodb, table).create(item("S", text=text))


def test_a_lost_answer_to_a_write_that_went_through_is_no_conflict(dynamodb: Any, table: str) -> None:
    """The SDK repeats a request whose answer was lost; the condition then fails on our own write."""

    class Repeating:
        def __getattr__(self, name: str) -> Any:
            return getattr(dynamodb, name)

        def put_item(self, **request: Any) -> Any:
            dynamodb.put_item(**request)
            return dynamodb.put_item(**request)

    register = DynamoRegister(Repeating(), table)
    made = register.create(item("S", v=1))
    assert register.replace(made.with_body(v=2)).version == 2
    found = register.get("P", "S")
    assert found is not None
    assert (found.version, found.body) == (2, {"v": 2})


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("ThrottlingException", 400, Unavailable),
        ("ProvisionedThroughputExceededException", 400, Unavailable),
        ("RequestLimitExceeded", 400, Unavailable),
        ("ServiceUnavailable", 503, Unavailable),
        ("InternalServerError", 500, UnknownCommitState),
        ("TransactionConflictException", 400, Conflict),
        ("ResourceNotFoundException", 400, Fault),  # the table is missing: nothing a caller can change
    ],
)
def test_errors_of_the_service_become_ours(code: str, status: int, expected: type[Exception]) -> None:
    client = boto3.client("dynamodb", region_name="us-east-1")
    with Stubber(client) as stub:
        stub.add_client_error("delete_item", code, http_status_code=status)
        with pytest.raises(expected) as caught:
            DynamoRegister(client, "register").delete(Item("P", "S", {}, version=1))
    assert type(caught.value) is expected


@pytest.mark.parametrize(
    ("reasons", "expected"),
    [
        (["None", "ConditionalCheckFailed"], Conflict),
        (["TransactionConflict", "None"], Conflict),
        (["ThrottlingError", "None"], Unavailable),
        (["ThrottlingError", "ConditionalCheckFailed"], Unavailable),  # trying again shows the conflict
    ],
)
def test_a_cancelled_transaction_is_judged_by_its_reasons(
    reasons: list[str], expected: type[Exception]
) -> None:
    class Cancelling:
        def transact_write_items(self, **_: Any) -> None:
            answer = {
                "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
                "CancellationReasons": [{"Code": code} for code in reasons],
            }
            raise ClientError(answer, "TransactWriteItems")  # type: ignore[arg-type]

    with pytest.raises(expected):
        DynamoRegister(Cancelling(), "register").write(creates=[item("a"), item("b")])


def test_a_write_whose_answer_never_came_is_unknown_and_a_read_unavailable() -> None:
    class Silent:
        def __getattr__(self, _: str) -> Any:
            def silent(**__: Any) -> None:
                raise ReadTimeoutError(endpoint_url="http://dynamodb")

            return silent

    register = DynamoRegister(Silent(), "register")
    with pytest.raises(UnknownCommitState):
        register.create(item("S"))
    with pytest.raises(Unavailable):
        register.get("P", "S")
