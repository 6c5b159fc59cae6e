"""What a function that outsiders reach may do, if it were taken over (S-08)."""

from __future__ import annotations

import pytest
from test_template import FUNCTIONS, RESOURCES, listed, statements

from huitong.operating.backup.sealed_values import PURPOSES


def reached(name: str, action: str, bucket: str) -> list[str]:
    """Key patterns of a bucket on which the function may do the action."""
    found = []
    for statement in statements(FUNCTIONS[name]):
        if action in listed(statement["Action"]):
            texts = [str(r.get("Fn::Sub", "")) for r in listed(statement["Resource"]) if isinstance(r, dict)]
            found += [t.split("Arn}/", 1)[1] for t in texts if t.startswith(f"${{{bucket}.Arn}}/")]
    return found


def test_the_api_takes_deliveries_and_reads_none() -> None:
    assert reached("ApiFunction", "s3:PutObject", "LandingBucket") == ["*"]
    for bucket in ("LandingBucket", "WarehouseBucket"):
        assert reached("ApiFunction", "s3:GetObject", bucket) == []
    assert reached("ApiFunction", "s3:GetObject", "StagingBucket") == ["contracts/*", "documents/*"]


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("ApiFunction", ["contracts/*", "documents/*"]),
        ("QueryDataFunction", ["queries/*", "documents/*"]),
        ("PushChangesFunction", ["exports/*", "conflicts/*"]),
        ("RunScheduleFunction", ["contracts/*"]),  # contracts of the platform's own tables
        ("AuthorizeRequestFunction", []),
    ],
)
def test_each_writes_its_own_folder_of_the_staging_bucket(name: str, keys: list[str]) -> None:
    assert reached(name, "s3:PutObject", "StagingBucket") == keys


@pytest.mark.parametrize("name", FUNCTIONS)
def test_only_intake_reads_deliveries_and_only_housekeeping_steps_delete(name: str) -> None:
    reads = reached(name, "s3:GetObject", "LandingBucket")
    assert bool(reads) == (name == "IngestFileFunction")
    for bucket in ("LandingBucket", "StagingBucket"):
        assert reached(name, "s3:DeleteObject", bucket) == []


def test_the_authorizer_reads_the_register_and_nothing_else() -> None:
    actions = [a for s in statements(FUNCTIONS["AuthorizeRequestFunction"]) for a in listed(s["Action"])]
    assert actions == ["dynamodb:GetItem"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_no_function_may_change_keys_tables_or_queues(name: str) -> None:
    for statement in statements(FUNCTIONS[name]):
        for action in listed(statement["Action"]):
            verb = action.partition(":")[2]
            assert not verb.startswith(("Create", "Delete", "Put", "Update")) or action in {
                "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion", "dynamodb:PutItem",
                "dynamodb:DeleteItem", "events:PutEvents", "glue:CreateTable", "glue:UpdateTable",
                "sqs:DeleteMessage",
            }, action  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_messages_are_taken_away_by_hand_from_dead_letter_queues_alone(name: str) -> None:
    """The queues of the flow are read by their event source mappings, whose rights SAM writes itself."""
    for statement in statements(FUNCTIONS[name]):
        if "sqs:DeleteMessage" in listed(statement["Action"]):
            assert name == "ApiFunction"
            queues = {r["Fn::GetAtt"][0] for r in listed(statement["Resource"])}
            assert all(queue.endswith("DeadLetters") for queue in queues)


#: What is sealed in the register is bound to its purpose, and each function opens those of its own work.
FLOW = ("platform:*",)
OPENS = {
    **dict.fromkeys(
        ("IngestFileFunction", "ValidateBatchFunction", "CompareBatchFunction", "ComparePartFunction",
         "CommitComparisonFunction", "MaintainTablesFunction", "RunScheduleFunction", "ArchiveEvidenceFunction"),
        FLOW,
    ),
    "PushChangesFunction": (*FLOW, "subscription:*", "ticket:*"),
    **dict.fromkeys(
        ("ApiFunction", "QueryDataFunction"),
        (*(f"{purpose}:*" for purpose in PURPOSES), "sign-in:*"),
    ),
    "AuthorizeRequestFunction": (),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_function_opens_what_is_sealed_for_its_own_purposes_alone(name: str) -> None:
    """S-24: a step of the flow that was taken over opens no subscription's secret and no request."""
    opened: set[str] = set()
    for statement in statements(FUNCTIONS[name]):
        if statement["Resource"] != {"Fn::GetAtt": ["DataKey", "Arn"]}:
            continue
        (purposes,) = statement["Condition"]["StringLikeIfExists"].values()
        assert list(statement["Condition"]["StringLikeIfExists"]) == ["kms:EncryptionContext:huitong"]
        opened |= set(purposes)
    assert opened == set(OPENS[name])


def test_the_state_machine_reads_objects_and_opens_nothing_that_is_sealed() -> None:
    machine = RESOURCES["CompareInParts"]["Properties"]
    (told,) = [s for p in machine["Policies"] for s in p["Statement"] if "kms:Decrypt" in listed(s["Action"])]
    assert told["Condition"] == {"Null": {"kms:EncryptionContext:huitong": "true"}}
