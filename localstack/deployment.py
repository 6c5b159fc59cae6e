"""Deploys the packaged template by change sets, and prepares what a first administrator needs."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from localstack_client.session import Session

import artifacts
import differences
import emulators
import packaged
from emulators import REGION, StackError

ROOT = Path(__file__).resolve().parents[1]
STACK = "huitong"
BUCKET = "huitong-artifacts"
STAGE = "local"
SECONDS = 300.0
#: See Deployer._allow_what_the_emulator_cannot_place.
UNPLACED = ["glue:GetDatabase"]
#: See the difference "one-machine".
MAPPED_AT_ONCE = 2
#: What only a local stack is told.
PARAMETERS = {"Stage": STAGE, "AllowLocalEndpoints": "true", "RetrySeconds": "1"}


def stack_folder() -> Path:
    """Where a local stack keeps its state: ``HUITONG_STACK_DIR``, or ``.stack`` of the repository."""
    return Path(os.environ.get("HUITONG_STACK_DIR") or ROOT / ".stack").resolve()


@dataclass(frozen=True, slots=True)
class Deployed:
    """A stack that is ready to be used."""

    endpoint: str
    outputs: dict[str, str]
    changed: bool

    @property
    def api_url(self) -> str:
        """What comes before ``/v1``; works on both emulators without special host names."""
        return f"{self.endpoint}/restapis/{self.outputs['ApiId']}/{STAGE}/_user_request_"


class Deployer:
    """Talks to the local stack at ``endpoint`` through localstack-client's sessions."""

    def __init__(
        self, endpoint: str, stack: str = STACK, parameters: Mapping[str, str] | None = None
    ) -> None:
        """``parameters`` are told beside :data:`PARAMETERS`; another ``stack`` has buckets of other names."""
        self.endpoint = endpoint
        self.name = stack
        self._parameters = {**PARAMETERS, **packaged.parameters(), **(parameters or {})}
        self._session = Session(
            aws_access_key_id="test",
            aws_secret_access_key="test",
            region_name=REGION,
            localstack_host=_host(endpoint),
        )

    def client(self, service: str) -> Any:
        made = self._session.client(service)
        if made.meta.endpoint_url.rstrip("/") != self.endpoint:
            raise StackError(f"AWS_ENDPOINT_URL points elsewhere ({made.meta.endpoint_url}): unset it")
        return made

    def deploy(self, template: Path = ROOT / "template.yaml") -> Deployed:
        """Create or update the stack. Raises StackError with the events that failed."""
        package = artifacts.package(template, BUCKET, content=_content())
        self._upload(package)
        changed = self._change(_narrowed(package.template))
        outputs = self._outputs()
        if self._differs("glue-database"):
            self._glue_database()
        if self._differs("object-lock"):
            self._lock_evidence(outputs["EvidenceBucket"])
        if changed and self._differs("unplaced-actions"):
            self._allow_what_the_emulator_cannot_place()
        return Deployed(self.endpoint, outputs, changed)

    def deployed(self) -> Deployed | None:
        """The stack as it stands, if there is one."""
        stack = self._stack()
        return Deployed(self.endpoint, self._outputs(), False) if stack and "Outputs" in stack else None

    def _differs(self, id: str) -> bool:
        return differences.holds(id, emulators.behind(self.endpoint).name)

    def _upload(self, package: artifacts.Package) -> None:
        s3 = self.client("s3")
        with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):
            s3.create_bucket(Bucket=BUCKET)
        known = {o["Key"] for o in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())}
        for key, content in package.files.items():
            if key not in known:
                s3.put_object(Bucket=BUCKET, Key=key, Body=content)

    def _change(self, template: str) -> bool:
        cloudformation, s3 = self.client("cloudformation"), self.client("s3")
        s3.put_object(Bucket=BUCKET, Key="template.json", Body=template.encode())
        stack = self._stack()
        if stack and stack["StackStatus"] == "ROLLBACK_COMPLETE":
            raise StackError(
                "首次部署失败并已回滚:请先 make down,删除 .stack,再 make up / the first deployment failed "
                "and was rolled back, and cannot be updated: make down, remove .stack, then make up"
            )
        name = f"deploy-{time.time_ns()}"
        cloudformation.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType="UPDATE" if stack else "CREATE",
            TemplateURL=f"{self.endpoint}/{BUCKET}/template.json",
            Parameters=[{"ParameterKey": k, "ParameterValue": v} for k, v in self._parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        if not self._ready(name) or (stack and self._is_empty(name, template)):
            return False
        cloudformation.execute_change_set(StackName=self.name, ChangeSetName=name)
        self._finished()
        return True

    def _ready(self, name: str) -> bool:
        """Whether the change set may be executed; False when there is nothing to change."""
        found = self._poll(
            lambda: self.client("cloudformation").describe_change_set(
                StackName=self.name, ChangeSetName=name
            ),
            lambda answer: answer["Status"] in ("CREATE_COMPLETE", "FAILED"),
        )
        if found["Status"] == "CREATE_COMPLETE":
            return True
        reason = str(found.get("StatusReason", ""))
        if "didn't contain changes" in reason or "No updates" in reason:
            return False
        raise StackError(f"the change set failed: {reason}")

    def _is_empty(self, name: str, template: str) -> bool:
        """Whether an executable change set changes nothing after all, outputs included."""
        if not self._differs("empty-change-set"):
            return False
        cloudformation = self.client("cloudformation")
        if cloudformation.describe_change_set(StackName=self.name, ChangeSetName=name).get("Changes"):
            return False
        before = cloudformation.get_template(StackName=self.name, TemplateStage="Original")["TemplateBody"]
        if (json.loads(before) if isinstance(before, str) else before) != json.loads(template):
            return False
        cloudformation.delete_change_set(StackName=self.name, ChangeSetName=name)
        return True

    def _finished(self) -> None:
        found = self._poll(
            self._stack, lambda s: s is not None and not s["StackStatus"].endswith("_IN_PROGRESS")
        )
        if found["StackStatus"] not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
            events = self.client("cloudformation").describe_stack_events(StackName=self.name)["StackEvents"]
            failed = [f"{e['LogicalResourceId']}: {e.get('ResourceStatusReason', '')}" for e in events
                      if "FAILED" in e["ResourceStatus"]]  # fmt: skip
            raise StackError("\n".join([f"deployment ended as {found['StackStatus']}", *failed]))

    def _poll(self, ask: Any, done: Any) -> Any:
        end = time.monotonic() + SECONDS
        while True:
            answer = ask()
            if done(answer):
                return answer
            if time.monotonic() > end:
                raise StackError(f"deployment did not end within {SECONDS:.0f} s")
            time.sleep(0.05)

    def _stack(self) -> Any:
        try:
            return self.client("cloudformation").describe_stacks(StackName=self.name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise

    def _outputs(self) -> dict[str, str]:
        return {o["OutputKey"]: o["OutputValue"] for o in self._stack().get("Outputs", ())}

    def _lock_evidence(self, bucket: str) -> None:
        """What the template says of object lock, by the call for it."""
        rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1827}}
        self.client("s3").put_object_lock_configuration(
            Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
        )

    def _glue_database(self) -> None:
        """What the template makes on AWS (see its condition OnAws)."""
        glue = self.client("glue")
        with contextlib.suppress(glue.exceptions.AlreadyExistsException):
            glue.create_database(DatabaseInput={"Name": "huitong"})

    def _allow_what_the_emulator_cannot_place(self) -> None:
        """One more policy for each function's role."""
        iam, functions = self.client("iam"), self.client("lambda").list_functions()["Functions"]
        statement = {"Effect": "Allow", "Action": UNPLACED, "Resource": "*"}
        for role in {f["Role"].rpartition("/")[2] for f in functions}:
            iam.put_role_policy(
                RoleName=role,
                PolicyName="emulator",
                PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
            )


def _narrowed(template: str) -> str:
    """The template with maps of state machines narrowed to what one machine's memory holds."""
    document = json.loads(template)
    for resource in document["Resources"].values():
        if resource["Type"] == "AWS::Serverless::StateMachine":
            for state in resource["Properties"]["Definition"]["States"].values():
                if "MaxConcurrency" in state:
                    state["MaxConcurrency"] = MAPPED_AT_ONCE
    return json.dumps(document)


def write_profile(deployer: Deployer, deployed: Deployed, path: Path) -> str:
    """A profile with which ``huitong`` works at once as administrator; its token.

    A token that still works is kept: making another one ends the one before.
    """
    from huitong.aws.dynamodb import DynamoRegister
    from huitong.errors import NotAuthenticated
    from huitong.identity.credentials import authenticate, bootstrap_admin
    from huitong.ports import SystemClock

    register = DynamoRegister(deployer.client("dynamodb"), deployed.outputs["RegisterTable"])
    token = json.loads(path.read_text())["token"] if path.is_file() else ""
    try:
        authenticate(token, register, SystemClock())
    except NotAuthenticated:
        token = bootstrap_admin(register, SystemClock())
    content = {"api_url": deployed.api_url, "token": token, "unit": "", "endpoint": deployed.endpoint}
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as target:
        json.dump({**content, "outputs": deployed.outputs}, target, indent=1)
    path.chmod(0o600)
    return token


def _content() -> Path | None:
    """Where functions and layers lie: a package of HUITONG_PACKAGE, or None for the repository itself."""
    try:
        return packaged.tree()
    except packaged.PackageError as error:
        raise StackError(str(error)) from error


def _host(endpoint: str) -> str:
    return endpoint.rpartition("//")[2]
