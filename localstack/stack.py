"""The local stack: ``python localstack/stack.py up|down|deploy|status``.

Run by its path: a package named ``localstack`` would hide the one of that name.
``EMULATOR`` chooses what it runs on: ``ministack`` (as if not given) or ``localstack``.
State lies in ``.stack/`` (or ``HUITONG_STACK_DIR``) and outlives a clean stop of MiniStack.
``HUITONG_STACK=external`` deploys to a LocalStack that runs already, found by
``LOCALSTACK_HOST`` or ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from localstack_client.config import get_service_endpoint

import emulator
import emulators
import endpoint_process
from deployment import STACK, Deployed, Deployer, stack_folder, write_profile
from emulators import Emulator, StackError

DEFAULT_PORT = 4566


@dataclass(frozen=True, slots=True)
class Stack:
    """A deployed local stack, for tests and the demo."""

    folder: Path
    deployer: Deployer
    deployed: Deployed
    token: str

    @property
    def endpoint(self) -> str:
        return self.deployed.endpoint

    @property
    def api_url(self) -> str:
        return self.deployed.api_url

    @property
    def name(self) -> str:
        return self.deployer.name

    @property
    def outputs(self) -> dict[str, str]:
        return self.deployed.outputs

    @property
    def profile(self) -> Path:
        return self.folder / "profile.json"

    def client(self, service: str) -> Any:
        return self.deployer.client(service)

    def stop(self) -> None:
        emulator.stop(self.folder)


def up(
    folder: Path, port: int = 0, *, name: str = STACK, parameters: Mapping[str, str] | None = None
) -> Stack:
    """Start what does not run yet, deploy what has changed. Raises StackError.

    ``name`` of the CloudFormation stack and so of its buckets; ``parameters`` beside the usual ones.
    """
    began = time.monotonic()
    endpoint = _external() or emulator.start(folder, port).endpoint
    _tell(f"stack at {endpoint}", began)
    return deploy(folder, endpoint, name=name, parameters=parameters)


def deploy(
    folder: Path, endpoint: str = "", *, name: str = STACK, parameters: Mapping[str, str] | None = None
) -> Stack:
    """Deploy to the stack that runs. Raises StackError."""
    began = time.monotonic()
    endpoint = endpoint or _running(folder)
    deployer = Deployer(endpoint, name, parameters)
    deployed = deployer.deploy()
    token = write_profile(deployer, deployed, folder / "profile.json")
    _tell("deployed" if deployed.changed else "nothing to deploy", began)
    return Stack(folder, deployer, deployed, token)


def _running(folder: Path) -> str:
    external = _external()
    if external:
        return external
    found = emulator.running(folder)
    if found is None:
        raise StackError("the local stack is not running: make up")
    return found.endpoint


def _external() -> str:
    return str(get_service_endpoint("s3") or "") if os.environ.get("HUITONG_STACK") == "external" else ""


def _tell(what: str, began: float) -> None:
    sys.stderr.write(f"{what} ({time.monotonic() - began:.1f} s)\n")


def _show(stack: Stack) -> None:
    print(f"API      {stack.api_url}/v1")
    print(f"profile  {stack.profile}  (.venv/bin/huitong finds it by itself)")
    for name, value in sorted(stack.outputs.items()):
        if name != "ApiUrl":
            print(f"  {name:18} {value}")


def _status(folder: Path) -> int:
    endpoint = _running(folder)
    found = Deployer(endpoint).deployed()
    print(f"running  {endpoint}  ({emulators.behind(endpoint).title})")
    print(f"API      {found.api_url}/v1" if found else "not deployed: make deploy")
    return 0


def _ended(stopped: Emulator | None) -> str:
    if stopped is None:
        return "was not running"
    return "stopped; state is kept" if stopped.keeps_state else f"stopped; {stopped.title} keeps no state"


def main() -> int:
    parser = argparse.ArgumentParser(description="The local stack of Huitong")
    parser.add_argument("command", choices=["up", "down", "deploy", "status"])
    parser.add_argument("--port", type=int, default=int(os.environ.get("STACK_PORT") or DEFAULT_PORT))
    asked = parser.parse_args()
    folder = stack_folder()
    try:
        if asked.command == "down":
            endpoint_process.down(folder)  # the Athena endpoint, if it runs
            print(_ended(emulator.stop(folder)))
        elif asked.command == "status":
            return _status(folder)
        else:
            _show(up(folder, asked.port) if asked.command == "up" else deploy(folder))
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
