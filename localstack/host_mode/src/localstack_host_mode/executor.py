"""LocalStack's runtime executor ``process``: each Lambda environment is a child process, no container."""

from __future__ import annotations

import json
import logging
import os
import shutil
import tempfile
import threading
import time
from pathlib import Path

from localstack import config
from localstack.aws.api.lambda_ import PackageType
from localstack.services.lambda_.invocation.lambda_models import FunctionVersion, InvocationResult
from localstack.services.lambda_.invocation.runtime_executor import LambdaRuntimeException, RuntimeExecutor

from localstack_host_mode import report, settings
from localstack_host_mode.bootstrap import PATH_VARIABLE
from localstack_host_mode.process import BOOTSTRAP, FunctionProcess, Outcome

LOG = logging.getLogger(__name__)
HOST = "127.0.0.1"
#: AWS gives the import of a function ten seconds; a busy machine with two cores gets more.
INIT_SECONDS = 60.0
PATH = "/usr/local/bin:/usr/bin:/bin"


class ProcessRuntimeExecutor(RuntimeExecutor):
    """One execution environment. A process that crashed or ran out of time is replaced at the next call."""

    def __init__(self, id: str, function_version: FunctionVersion) -> None:
        super().__init__(id, function_version)
        self._process: FunctionProcess | None = None
        self._begun: Outcome | None = None  # of the import, until a call reports it
        self._environment: dict[str, str] = {}
        self._busy = threading.Lock()
        self._stopped = threading.Event()
        self._folder = Path(tempfile.gettempdir()) / "host-mode" / id

    def start(self, env_vars: dict[str, str]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._environment = self._variables(env_vars)
        with self._busy:
            self._spawn(INIT_SECONDS)

    def stop(self) -> None:
        self._stopped.set()
        process = self._process
        if process is not None:
            process.kill()  # whoever waits for its answer learns that it ended
        with self._busy:
            if self._process is not None:
                self._process.close()
                self._process = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def invoke(self, payload: dict[str, str]) -> InvocationResult:
        with self._busy:
            return self._invoke(payload)

    def get_address(self) -> str:
        return HOST

    def get_endpoint_from_executor(self) -> str:
        return HOST

    def get_runtime_endpoint(self) -> str:
        return f"http://{HOST}:{config.GATEWAY_LISTEN[0].port}/_localstack_lambda/{self.id}"

    def get_logs(self) -> str:
        return self._begun.logs.decode(errors="replace") if self._begun else ""

    @classmethod
    def prepare_version(cls, function_version: FunctionVersion) -> None:
        if function_version.config.package_type != PackageType.Zip:
            raise settings.NoInterpreter("the process executor runs zipped functions, not container images")
        settings.interpreter(function_version.config.runtime or "")
        for code in _codes(function_version):
            code.prepare_for_execution()

    @classmethod
    def cleanup_version(cls, function_version: FunctionVersion) -> None:
        """Code and layers stay: other versions may have the same."""

    # --- one process ---------------------------------------------------------------------------------------

    def _spawn(self, seconds: float) -> Outcome:
        if self._process is not None:
            self._process.close()
            self._process = None
        configured = self.function_version.config
        limit = configured.memory_size if settings.enforces_memory() else 0
        self._process = FunctionProcess(
            settings.interpreter(configured.runtime or ""), self._environment, self._code, memory_mb=limit
        )
        if self._stopped.is_set():
            self._process.kill()
        self._begun = self._process.wait_until_ready(seconds)
        return self._begun

    def _invoke(self, payload: dict[str, str]) -> InvocationResult:
        if self._stopped.is_set():
            raise LambdaRuntimeException(f"environment {self.id} is stopped")
        request, seconds = payload["invoke-id"], float(self.function_version.config.timeout)
        began = time.time()
        begun, self._begun = self._begun, None
        if (begun is None or begun.kind == "ready") and (self._process is None or not self._process.alive):
            begun, self._begun = self._spawn(seconds), None
        if begun is not None and begun.kind != "ready":
            self._drop()
            return self._result(request, begun, begun)
        header = {
            "request_id": request,
            "arn": payload["invoked-function-arn"],
            "trace_id": payload["trace-id"],
            "deadline": began + seconds,
        }
        assert self._process is not None
        outcome = self._process.call(header, payload["payload"].encode(), seconds)
        if outcome.dead:
            self._drop()
        return self._result(request, outcome, begun)

    def _drop(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def _result(self, request: str, outcome: Outcome, begun: Outcome | None) -> InvocationResult:
        configured = self.function_version.config
        function = report.Function(
            version=self.function_version.id.qualifier,
            memory_mb=configured.memory_size,
            seconds=configured.timeout,
            answer_bytes=config.LAMBDA_LIMITS_MAX_FUNCTION_PAYLOAD_SIZE_BYTES,
        )
        body, failed = report.answer(request, outcome, function)
        logs = report.logs(request, outcome, begun, function)
        return InvocationResult(request, body, is_error=failed, logs=logs)

    # --- what the process sees -----------------------------------------------------------------------------

    @property
    def _code(self) -> Path:
        return Path(self.function_version.config.code.get_unzipped_code_location())

    def _variables(self, given: dict[str, str]) -> dict[str, str]:
        """Nothing of LocalStack's own environment but what was asked for, then what AWS would set."""
        configured = self.function_version.config
        layers = [Path(layer.code.get_unzipped_code_location()) for layer in configured.layers if layer.code]
        layers.reverse()  # of two layers with the same file the later one counts
        python = [
            str(layer / part) for layer in layers for part in _python_folders(layer, configured.runtime or "")
        ]
        libraries = [str(layer / "lib") for layer in layers if (layer / "lib").is_dir()]
        return {
            "PATH": os.pathsep.join(
                [*(str(layer / "bin") for layer in layers if (layer / "bin").is_dir()), PATH]
            ),
            "LANG": "C.UTF-8",
            "TMPDIR": str(self._folder),
            **({"LD_LIBRARY_PATH": os.pathsep.join(libraries)} if libraries else {}),
            **settings.passed_on(),
            **{name: str(value) for name, value in given.items()},
            "AWS_EXECUTION_ENV": f"AWS_Lambda_{configured.runtime}",
            "LAMBDA_TASK_ROOT": str(self._code),
            "LAMBDA_RUNTIME_DIR": str(BOOTSTRAP.parent),
            "TZ": "UTC",
            PATH_VARIABLE: json.dumps([str(self._code), *python]),
        }


def _codes(function_version: FunctionVersion) -> list:  # type: ignore[type-arg]
    configured = function_version.config
    return [configured.code, *(layer.code for layer in configured.layers if layer.code)]


def _python_folders(layer: Path, runtime: str) -> list[str]:
    return [part for part in ("python", f"python/lib/{runtime}/site-packages") if (layer / part).is_dir()]
