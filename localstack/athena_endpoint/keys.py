"""Key pairs of analysts: one for Athena's API and the S3 of the local stack alike (S-06, S-10).

The pair is a real access key of a user in the stack's IAM, whose policy reaches the analyst's own results
and nothing else. It stands for the credential or session that it was made with, and ends with it. Secrets
lie sealed by the stack's KMS key, bound to the access key.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from huitong.cli.connection import Connection
from huitong.errors import HuitongError
from huitong.ports import Secrets

RESULTS: Final = "queries/analysts/"
_OWN: Final = ["s3:GetObject", "s3:DeleteObject"]
#: Names that stand as they are: not those of :func:`folder_name` itself, and no capitals, since IAM takes
#: ``Zhang`` and ``zhang`` for one user.
_SAFE: Final = re.compile(r"(?!h-)[a-z0-9][a-z0-9._-]{0,40}")


@dataclass(frozen=True, slots=True)
class Analyst:
    """Whom a key pair stands for, and with what the platform is asked."""

    access_key: str
    secret: str
    principal: str
    connection: Connection

    @property
    def own(self) -> str:
        """The one folder of the staging bucket whose objects this analyst reads."""
        return prefix_of(self.principal)

    def said(self) -> dict[str, str]:
        """What the profile says of the use of data."""
        c = self.connection
        return {"case": c.case, "duty": c.duty, "grant": c.grant, "purpose": c.purpose, "unit": c.unit}


def folder_name(principal: str) -> str:
    """A name for files and users that no two principals share."""
    if _SAFE.fullmatch(principal):
        return principal
    return "h-" + hashlib.sha256(principal.encode()).hexdigest()[:32]


def prefix_of(principal: str) -> str:
    return f"{RESULTS}{folder_name(principal)}/"


class Keys:
    """``folder`` keeps the sealed pairs, ``iam`` makes them, ``bucket`` holds the results; ``api_url`` tells
    where the platform is now: a new deployment may have moved it."""

    def __init__(
        self, folder: Path, secrets: Secrets, iam: Any, bucket: str, api_url: Callable[[], str]
    ) -> None:
        self._path = folder / "keys.json"
        self._secrets = secrets
        self._iam = iam
        self._bucket = bucket
        self._api_url = api_url
        self._lock = threading.Lock()
        self._known: dict[str, Analyst] = {}

    def issue(self, connection: Connection, principal: str) -> Analyst:
        """A new pair; the one before ends. The caller has asked the platform who it is."""
        with self._lock:
            kept = self._kept()
            for old in [key for key, one in kept.items() if one["principal"] == principal]:
                self._end(old, principal)
                del kept[old]
            user = self._user(principal)
            made = self._iam.create_access_key(UserName=user)["AccessKey"]
            analyst = Analyst(made["AccessKeyId"], made["SecretAccessKey"], principal, connection)
            plain = json.dumps({"secret": analyst.secret, "connection": asdict(connection)})
            sealed = self._secrets.seal(plain, _context(analyst.access_key))
            kept[analyst.access_key] = {"principal": principal, "sealed": sealed}
            self._keep(kept)
            self._known[analyst.access_key] = analyst
            return analyst

    def find(self, access_key: str) -> Analyst | None:
        """Whose pair it is; None = nobody's, or one that was made on another stack."""
        with self._lock:
            if access_key not in self._known:
                kept = self._kept().get(access_key)
                if kept is None:
                    return None
                try:
                    plain = json.loads(self._secrets.unseal(kept["sealed"], _context(access_key)))
                except HuitongError:
                    return None
                connection = Connection(**plain["connection"])
                found = Analyst(access_key, plain["secret"], kept["principal"], connection)
                self._known[access_key] = found
            found = self._known[access_key]
            return replace(found, connection=replace(found.connection, api_url=self._api_url()))

    def revoke(self, access_key: str) -> None:
        """End a pair, for S3 too: what it stood for has ended."""
        with self._lock:
            kept = self._kept()
            one = kept.pop(access_key, None)
            if one is not None:
                self._end(access_key, one["principal"])
                self._keep(kept)

    def _end(self, access_key: str, principal: str) -> None:
        self._known.pop(access_key, None)
        with contextlib.suppress(self._iam.exceptions.NoSuchEntityException):
            self._iam.delete_access_key(UserName=_user_name(principal), AccessKeyId=access_key)

    def _user(self, principal: str) -> str:
        name = _user_name(principal)
        with contextlib.suppress(self._iam.exceptions.EntityAlreadyExistsException):
            self._iam.create_user(UserName=name)
        policy = json.dumps(own_results_only(self._bucket, prefix_of(principal)))
        self._iam.put_user_policy(UserName=name, PolicyName="own-results", PolicyDocument=policy)
        return name

    def _kept(self) -> dict[str, dict[str, str]]:
        if not self._path.is_file():
            return {}
        found: dict[str, dict[str, str]] = json.loads(self._path.read_text())
        return found

    def _keep(self, kept: dict[str, dict[str, str]]) -> None:
        write_private(self._path, json.dumps(kept, indent=1))


def own_results_only(bucket: str, prefix: str) -> dict[str, Any]:
    """The policy of an analyst: read, list and remove the own results."""
    arn = f"arn:aws:s3:::{bucket}"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": _OWN, "Resource": f"{arn}/{prefix}*"},
            {
                "Effect": "Allow", "Action": "s3:ListBucket", "Resource": arn,
                "Condition": {"StringLike": {"s3:prefix": f"{prefix}*"}},
            },
            {"Effect": "Allow", "Action": "s3:GetBucketLocation", "Resource": arn},
        ],
    }  # fmt: skip


def write_private(path: Path, text: str) -> None:
    """A file that only its owner reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.part")
    with contextlib.suppress(FileNotFoundError):
        partial.unlink()
    with os.fdopen(
        os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8"
    ) as file:
        file.write(text)
    partial.replace(path)


def _user_name(principal: str) -> str:
    return f"huitong-analyst-{folder_name(principal)}"


def _context(access_key: str) -> str:
    return f"athena-key:{access_key}"
