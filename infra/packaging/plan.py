"""What is packaged. template.yaml says it, each function's folder and layers; nothing is listed twice."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
# Not a package: the name "localstack" belongs to another one.
sys.path.append(str(ROOT / "localstack"))
import artifacts  # noqa: E402

#: Zips of a template's folders and a template that names them: as for the local stack.
archived: Final = artifacts.package

#: glibc of the Lambda runtimes on Amazon Linux 2023. Those before 3.12 have 2.26, too old for our wheels.
GLIBC: Final = {"3.12": (2, 34), "3.13": (2, 34), "3.14": (2, 34)}
ARCHITECTURES: Final = {"x86_64": "x86_64", "arm64": "aarch64"}  # AWS's name → that of wheels

OURS: Final = "layers/huitong/python"
#: Of our package: what people's machines and tests have, and functions don't.
AT_HOME: Final = ("huitong/cli", "huitong/local", "huitong/operating/backup", "huitong/aws/backup")


class PackagingError(Exception):
    """Something cannot be packaged as it is; the text says what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A Lambda runtime: ``python`` as "3.13", ``architecture`` as AWS names it."""

    python: str
    architecture: str

    @property
    def name(self) -> str:
        return f"python{self.python}-{self.architecture}"

    @property
    def machine(self) -> str:
        return ARCHITECTURES[self.architecture]

    @property
    def glibc(self) -> tuple[int, int]:
        """The newest that wheels may ask for."""
        return GLIBC.get(self.python, (2, 34))

    @property
    def runs_on_aws(self) -> bool:
        """False for a Python that only serves to try the package on this machine."""
        return self.python in GLIBC


@dataclass(frozen=True, slots=True)
class Layer:
    """``base``: names of the layers that every function with this one has too, and that come before it."""

    id: str
    folder: str
    base: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return Path(self.folder).name


@dataclass(frozen=True, slots=True)
class Function:
    """``layers``: names; ``handler`` as Lambda takes it; ``environment``: made up where the stack decides."""

    id: str
    folder: str
    handler: str
    layers: tuple[str, ...]
    environment: dict[str, str]

    @property
    def name(self) -> str:
        return Path(self.folder).name


@dataclass(frozen=True, slots=True)
class Plan:
    functions: tuple[Function, ...]
    layers: tuple[Layer, ...]

    def layer(self, name: str) -> Layer:
        return next(layer for layer in self.layers if layer.name == name)


def read(template: Path) -> Plan:
    """The plan of a template. Raises PackagingError for a layer that no function has."""
    document = artifacts.assembled(template)
    resources: dict[str, Any] = document["Resources"]
    folders = {
        id_: found["Properties"]["ContentUri"].rstrip("/")
        for id_, found in resources.items()
        if found["Type"] == "AWS::Serverless::LayerVersion"
    }
    shared = document.get("Globals", {}).get("Function", {})
    functions = tuple(
        _function(id_, found["Properties"], shared, folders, document.get("Parameters", {}))
        for id_, found in resources.items()
        if found["Type"] == "AWS::Serverless::Function"
    )
    return Plan(functions, _layers(folders, functions))


def _function(
    id_: str,
    said: dict[str, Any],
    shared: dict[str, Any],
    folders: dict[str, str],
    parameters: dict[str, Any],
) -> Function:
    layers = [*shared.get("Layers", ()), *said.get("Layers", ())]
    variables = {
        **shared.get("Environment", {}).get("Variables", {}),
        **said.get("Environment", {}).get("Variables", {}),
    }
    return Function(
        id=id_,
        folder=said["CodeUri"].rstrip("/"),
        handler=said.get("Handler", shared.get("Handler", "")),
        layers=tuple(Path(folders[one["Ref"]]).name for one in layers if one.get("Ref") in folders),
        environment={name: _made_up(name, value, parameters) for name, value in variables.items()},
    )


def _made_up(name: str, value: Any, parameters: dict[str, Any]) -> str:
    """A parameter's default; an address for a queue; the variable's own name for what the stack will know."""
    if not isinstance(value, dict):
        return str(value)
    default = parameters.get(str(value.get("Ref")), {}).get("Default")
    if default is not None:
        return str(default)
    return f"https://queue.invalid/1/{name.lower()}" if name.endswith("_URL") else name.lower()


def _layers(folders: dict[str, str], functions: tuple[Function, ...]) -> tuple[Layer, ...]:
    made: list[Layer] = []
    for id_, folder in folders.items():
        users = [set(f.layers) for f in functions if Path(folder).name in f.layers]
        if not users:
            raise PackagingError(f"no function has the layer {id_}")
        common = set.intersection(*users)
        made.append(Layer(id_, folder, tuple(before.name for before in made if before.name in common)))
    return tuple(made)
