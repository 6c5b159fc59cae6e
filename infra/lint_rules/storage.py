"""Rules for buckets and tables: what holds data of people."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # cfn-lint loads each file by itself
from _shape import Finding, Shape, named, only_tls, rule

CLOSED = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")


def _open_buckets(shape: Shape) -> Iterator[Finding]:
    keys = set(shape.of_type("AWS::KMS::Key"))
    policies = shape.of_type("AWS::S3::BucketPolicy").values()
    for name, bucket in shape.of_type("AWS::S3::Bucket").items():
        path = ["Resources", name]
        if bucket.get("VersioningConfiguration", {}).get("Status") != "Enabled":
            yield path, f"{name} is not versioned: what is overwritten is gone"
        if not named(bucket.get("BucketEncryption")) & keys:
            yield path, f"{name} is not encrypted with a key of this template"
        closed = bucket.get("PublicAccessBlockConfiguration", {})
        if not all(closed.get(part) is True for part in CLOSED):
            yield path, f"{name} could be opened to the public"
        if not any(only_tls(p["PolicyDocument"]) for p in policies if name in named(p.get("Bucket"))):
            yield path, f"{name} may be reached without TLS"
        rules = bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if not any("AbortIncompleteMultipartUpload" in one for one in rules):
            yield path, f"{name} keeps the parts of broken uploads for ever"


def _weak_tables(shape: Shape) -> Iterator[Finding]:
    keys = set(shape.of_type("AWS::KMS::Key"))
    for name, table in shape.of_type("AWS::DynamoDB::Table").items():
        path = ["Resources", name]
        if not table.get("PointInTimeRecoverySpecification", {}).get("PointInTimeRecoveryEnabled"):
            yield path, f"{name} cannot be restored to a point in time"
        if not named(table.get("SSESpecification", {}).get("KMSMasterKeyId")) & keys:
            yield path, f"{name} is not encrypted with a key of this template"
        if not table.get("DeletionProtectionEnabled"):
            yield path, f"{name} can be deleted by mistake"
        for metric in ("ReadThrottleEvents", "WriteThrottleEvents"):
            if name not in shape.alarmed("AWS/DynamoDB", metric):
                yield path, f"{name} has no alarm on {metric}"


def _goes_with_its_stack(shape: Shape) -> Iterator[Finding]:
    for name, told in shape.resources.items():
        if told.get("Type") in (
            "AWS::S3::Bucket",
            "AWS::DynamoDB::Table",
            "AWS::KMS::Key",
            "AWS::Cognito::UserPool",
        ):
            for policy in ("DeletionPolicy", "UpdateReplacePolicy"):
                if not str(told.get(policy, "")).startswith("Retain"):
                    yield ["Resources", name], f"{name} is deleted with its stack ({policy})"


OpenBuckets = rule(
    "E9121",
    "Every bucket is versioned, encrypted with our own key, closed, TLS only and kept tidy",
    "S-22 and S-24: deliveries and tables hold the names, debts and families of people.",
    _open_buckets,
)
WeakTables = rule(
    "E9122",
    "Every table can be restored, is encrypted with our own key, protected and watched",
    "S-24 and S-25: the register and the evidence exist nowhere else.",
    _weak_tables,
)
GoesWithItsStack = rule(
    "E9123",
    "What holds data or opens it outlives its stack",
    "A stack deleted by mistake must not take deliveries, evidence or keys with it.",
    _goes_with_its_stack,
)
