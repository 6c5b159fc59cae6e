"""The layers' locks are cut out of the repository's lock, whole and without doubles (issue 5)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

import pytest
from infra.packaging import locks, plan
from infra.packaging.plan import ROOT, Layer
from packaging.requirements import Requirement

PLAN = plan.read(ROOT / "template.yaml")
WHOLE = locks.pins(locks.WHOLE.read_text())
LOCKED = {
    layer.name: locks.pins((ROOT / layer.folder / locks.LOCK).read_text())
    for layer in PLAN.layers
    if (ROOT / layer.folder / locks.LOCK).is_file()
}
EXCLUDED = set(locks.names(locks.EXCLUDED))
#: Every Python and both processors that are packaged for.
ENVIRONMENTS = [
    {"python_version": version, "python_full_version": f"{version}.1", "platform_machine": machine,
     "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "implementation_name": "cpython",
     "platform_python_implementation": "CPython"}
    for version in ("3.11", "3.12", "3.13")
    for machine in ("x86_64", "aarch64")
]  # fmt: skip


def with_base(layer: Layer) -> set[str]:
    return {pin.name for name in (layer.name, *layer.base) for pin in LOCKED.get(name, ())}


def asked_by(package: str) -> Iterator[str]:
    """What a package that is installed here wants on Lambda."""
    try:
        listed = requires(package) or []
    except PackageNotFoundError:  # of another Python
        return
    for line in listed:
        requirement = Requirement(line)
        if requirement.marker is None or any(
            requirement.marker.evaluate({**environment, "extra": ""}) for environment in ENVIRONMENTS
        ):
            yield requirement.name.lower().replace("_", "-")


def test_every_layer_is_our_own_code_or_has_a_lock() -> None:
    own = {layer.name for layer in PLAN.layers if (ROOT / layer.folder / "python").is_dir()}
    assert own == {"huitong"}
    assert own | set(LOCKED) == {layer.name for layer in PLAN.layers}
    folders = {p.name for p in (ROOT / "layers").iterdir() if p.is_dir()}
    assert folders == {layer.name for layer in PLAN.layers}


@pytest.mark.parametrize("layer", LOCKED)
def test_a_layer_has_the_versions_and_hashes_that_are_tested(layer: str) -> None:
    assert LOCKED[layer]
    assert locks.differences(LOCKED[layer], WHOLE) == []


@pytest.mark.parametrize("name", LOCKED)
def test_a_layer_has_what_was_asked_for_and_what_that_needs(name: str) -> None:
    layer = PLAN.layer(name)
    there = with_base(layer)
    assert set(locks.names(ROOT / layer.folder / locks.ASKED)) <= there
    for pin in LOCKED[name]:
        missing = set(asked_by(pin.name)) - there - EXCLUDED
        assert not missing, f"{pin.name} needs {missing}: make lock"


def test_no_function_gets_a_package_twice() -> None:
    for function in PLAN.functions:
        names = [name for layer in function.layers for name in {pin.name for pin in LOCKED.get(layer, ())}]
        assert len(names) == len(set(names)), function.name


def test_what_is_left_out_is_left_out_of_something() -> None:
    wanted = {name for pins in LOCKED.values() for pin in pins for name in asked_by(pin.name)}
    assert wanted >= EXCLUDED
    assert not {pin.name for pins in LOCKED.values() for pin in pins} & EXCLUDED


def test_every_function_has_our_package_and_its_own_layers_at_most_five() -> None:
    for function in PLAN.functions:
        assert function.layers[:2] == ("huitong", "api_dependencies"), function.name
        assert len(function.layers) <= 5


def test_light_functions_carry_no_pyarrow_and_data_functions_do() -> None:
    heavy = {f.name for f in PLAN.functions if "data_dependencies" in f.layers}
    assert heavy & {"api", "authorize_request", "run_schedule"} == set()
    assert heavy >= {"ingest_file", "validate_batch", "compare_batch", "push_changes", "query_data"}


def test_another_version_or_hash_is_told() -> None:
    one = locks.pins(
        "a==1 ; python_version < '3.12' \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\nb[x]==2 --hash=sha256:cc\n"
    )
    assert [(p.name, p.version, p.marker, len(p.hashes)) for p in one] == [
        ("a", "1", "python_version < '3.12'", 2), ("b", "2", "", 1),
    ]  # fmt: skip
    assert locks.differences(one, one) == []
    assert locks.differences(locks.pins("a==2 --hash=sha256:aa"), one) == ["a==2 is not in requirements.lock"]
    assert locks.differences(locks.pins("b==2 --hash=sha256:dd"), one) == [
        "b==2 has other hashes than in requirements.lock"
    ]
    assert len(locks.differences(locks.pins("b==2"), one)) == 1  # no hash at all


def test_nobody_names_the_parts_of_numpy_that_are_trimmed() -> None:
    named = re.compile(r"\b(np|numpy)\.(random|fft|polynomial)\b")
    for source in [*(ROOT / plan.OURS / "huitong").rglob("*.py"), *(ROOT / "functions").rglob("*.py")]:
        assert _is_at_home(source) or not named.search(source.read_text()), source


def _is_at_home(source: Path) -> bool:
    ours = ROOT / plan.OURS
    return ours in source.parents and source.relative_to(ours).as_posix().startswith(plan.AT_HOME)
