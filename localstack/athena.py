"""The Athena endpoint: ``python localstack/athena.py up|serve|down|status|credentials``.

It stands beside a local stack that is up and finds it by the stack's profile. ``credentials`` makes an
AWS profile for the analyst whose Huitong profile is given; see docs/analysts.md.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import endpoint_process
from deployment import Deployer, stack_folder
from emulator import HOST, REGION, StackError

DEFAULT_PORT = 4568
SWEEP_SECONDS = 60.0


def build(folder: Path) -> Any:
    """The endpoint's application over the stack of the folder, and what sweeps old results away."""
    from athena_endpoint.executions import Executions
    from athena_endpoint.keys import Keys
    from athena_endpoint.operations import Athena
    from athena_endpoint.server import App, Endpoint
    from athena_endpoint.storage import Storage
    from athena_endpoint.workgroups import WorkGroups
    from athena_endpoint.working import Worker
    from huitong.aws.secrets import KmsSecrets

    stack = _stack(folder)
    deployer, bucket = Deployer(stack["endpoint"]), stack["outputs"]["StagingBucket"]
    own = folder / "athena"
    secrets = KmsSecrets(deployer.client("kms"), stack["outputs"]["DataKey"])

    def api_url() -> str:
        return str(_stack(folder)["api_url"])

    keys = Keys(own, secrets, deployer.client("iam"), bucket, api_url)
    storage, groups = Storage(deployer.client("s3"), bucket), WorkGroups(own, time.time)
    executions = Executions(Worker(keys, groups, storage), time.time)
    athena = Athena(executions, groups, storage)
    return App(Endpoint(api_url, keys, athena, storage)), storage


def serve(folder: Path, port: int) -> None:
    """Answer until the process is ended. Raises StackError."""
    from werkzeug.serving import WSGIRequestHandler, make_server

    class Handler(WSGIRequestHandler):
        def log_request(self, *_: object) -> None:
            """The application writes its own line."""

    app, storage = build(folder)
    server = make_server(HOST, port, app, threaded=True, request_handler=Handler)
    ended = threading.Event()
    threading.Thread(target=_sweep, args=(storage, ended), daemon=True).start()
    sys.stderr.write(f"Athena endpoint at http://{HOST}:{port}\n")
    try:
        server.serve_forever()
    finally:
        ended.set()


def _sweep(storage: Any, ended: threading.Event) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    while True:
        try:
            storage.remove_older(datetime.now(UTC))
        except (BotoCoreError, ClientError) as error:  # the stack is down; the next turn looks again
            sys.stderr.write(f"results not swept: {type(error).__name__}\n")
        if ended.wait(SWEEP_SECONDS):
            return


def credentials(folder: Path, profile: Path | None, name: str) -> dict[str, str]:
    """Make a key pair and write it as an AWS profile; what to set in the environment. Raises StackError."""
    from huitong.cli.connection import USE, find
    from huitong.errors import BadRequest

    endpoint = endpoint_process.address(folder)
    stack = _stack(folder)
    try:
        known = find(str(profile) if profile else "")
    except BadRequest as error:
        raise StackError(f"{error.zh} / {error.en}") from error
    members = ("token", "credential", "key", "algorithm", "unit", *USE)
    made = _post(f"{endpoint}/credentials", {m: getattr(known, m) for m in members if getattr(known, m)})
    place = folder / "athena" / "profiles" / name
    files = endpoint_process.write_aws_profile(place, name, made, endpoint, stack["endpoint"], REGION)
    # pyarrow's own S3 client reads no endpoints from files
    places = {"AWS_ENDPOINT_URL_S3": stack["endpoint"], "AWS_ENDPOINT_URL_ATHENA": endpoint}
    places |= {"AWS_ENDPOINT_URL_GLUE": endpoint}
    return {**files, "AWS_PROFILE": name, "AWS_REGION": REGION, **places, "ATHENA_RESULTS": made["results"]}


def _post(url: str, body: dict[str, str]) -> dict[str, str]:
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"}, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            made: dict[str, str] = json.load(answer)
            return made
    except urllib.error.HTTPError as error:
        raise StackError(json.loads(error.read()).get("message", f"refused ({error.code})")) from error


def _stack(folder: Path) -> dict[str, Any]:
    profile = folder / "profile.json"
    if not profile.is_file():
        raise StackError("the local stack is not there: make up")
    found: dict[str, Any] = json.loads(profile.read_text())
    return found


def _tell(made: dict[str, str]) -> None:
    print("# 在本终端中执行以下各行 / run these lines in your shell")
    for variable, value in made.items():
        print(f"export {variable}={value}")


def main() -> int:
    parser = argparse.ArgumentParser(description="Athena's API over the local stack's query service")
    parser.add_argument("command", choices=["up", "serve", "down", "status", "credentials"])
    parser.add_argument("--port", type=int, default=int(os.environ.get("ATHENA_PORT") or DEFAULT_PORT))
    parser.add_argument("--profile-file", type=Path, help="the analyst's Huitong profile")
    parser.add_argument("--name", default="huitong", help="name of the AWS profile")
    asked = parser.parse_args()
    folder = stack_folder()
    commands: dict[str, Callable[[], object]] = {
        "serve": lambda: serve(folder, asked.port),
        "up": lambda: print(f"Athena endpoint at {endpoint_process.up(folder, asked.port)}"),
        "down": lambda: print("stopped" if endpoint_process.down(folder) else "was not running"),
        "status": lambda: print(endpoint_process.address(folder)),
        "credentials": lambda: _tell(credentials(folder, asked.profile_file, asked.name)),
    }
    try:
        commands[asked.command]()
    except StackError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
