"""Packaging: the same sources give the same zips, for one processor, within Lambda's limits (issue 5, S-18)."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from infra.packaging import building, importing, interpreters, plan, sizes
from infra.packaging.plan import PackagingError, Target
from tests.support.package_world import repository

HERE = Target(f"{sys.version_info[0]}.{sys.version_info[1]}", "x86_64")


def built(root: Path, into: Path, target: Target = HERE) -> tuple[plan.Plan, building.Built]:
    found = plan.read(root / "template.yaml")
    return found, building.build(found, target, into, root=root)


def told(root: Path, into: Path, target: Target = HERE) -> dict[str, Any]:
    return building.manifest(*built(root, into, target))


def test_sources_that_are_the_same_make_the_same_zips_whenever_and_wherever(tmp_path: Path) -> None:
    one, two = repository(tmp_path / "one"), repository(tmp_path / "elsewhere/two")
    for path in two.rglob("*"):
        os.utime(path, (1, 1))
    first, second = told(one, tmp_path / "a"), told(two, tmp_path / "b/c")
    assert first == second
    names = {path.name for path in (tmp_path / "a/zips").iterdir()}
    assert names == {path.name for path in (tmp_path / "b/c/zips").iterdir()}
    assert len(names) == len(first["parts"]) == 4


def test_a_changed_source_changes_its_own_zip_and_the_template_alone(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    before = told(root, tmp_path / "a")
    handler = root / "functions/answer/handler.py"
    handler.write_text(handler.read_text() + "X = 1\n")
    after = told(root, tmp_path / "b")
    changed = {name for name in before["parts"] if before["parts"][name] != after["parts"][name]}
    assert changed == {"functions/answer"}
    assert before["template"] != after["template"]


def test_the_packaged_template_is_for_one_runtime_and_one_processor(tmp_path: Path) -> None:
    _, made = built(repository(tmp_path / "r"), tmp_path / "out", Target("3.13", "arm64"))
    document = json.loads((made.folder / "template.json").read_text())
    assert document["Parameters"]["Architecture"] == {
        "Type": "String", "Default": "arm64", "AllowedValues": ["arm64"],
    }  # fmt: skip
    assert document["Parameters"]["PythonRuntime"]["AllowedValues"] == ["python3.13"]
    place = document["Resources"]["AnswerFunction"]["Properties"]["CodeUri"]
    assert place["Bucket"] == {"Ref": "ArtifactBucket"}
    assert "ArtifactBucket" in document["Parameters"]
    with zipfile.ZipFile(made.folder / "zips" / place["Key"]) as archive:
        assert archive.namelist() == ["handler.py"]


def test_functions_get_no_command_line(tmp_path: Path) -> None:
    _, made = built(repository(tmp_path / "r"), tmp_path / "out", Target("3.11", "x86_64"))
    assert not made.bytecode
    layer = made.tree / "layers/huitong/python/huitong"
    assert sorted(p.name for p in layer.iterdir()) == ["__init__.py", "errors.py", "wiring.py"]


def test_bytecode_has_no_paths_of_this_machine_and_is_the_same_every_time(tmp_path: Path) -> None:
    made = []
    for folder in (tmp_path / "one", tmp_path / "the other"):
        layer = repository(folder) / "layers/huitong/python"
        interpreters.compile_in_place(sys.executable, layer, runs_at="/opt/python")
        made.append(
            {p.relative_to(layer).as_posix(): p.read_bytes() for p in layer.rglob("*.py*") if p.is_file()}
        )
    assert made[0] == made[1]
    compiled = made[0]["huitong/wiring.pyc"]
    assert b"/opt/python/huitong/wiring.py" in compiled
    assert str(tmp_path).encode() not in compiled
    assert not any(name.endswith(".py") for name in made[0])


def test_a_python_that_is_not_here_leaves_the_sources(tmp_path: Path) -> None:
    _, made = built(repository(tmp_path / "r"), tmp_path / "out", Target("3.99", "x86_64"))
    assert not made.bytecode
    assert (made.tree / "layers/data/python/data_things.py").is_file()


def test_a_function_that_is_too_large_is_not_built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = repository(tmp_path / "r")
    (root / "layers/data/python/large.bin").write_bytes(bytes(20_000))
    monkeypatch.setattr(sizes, "UNZIPPED", 20_000)
    with pytest.raises(PackagingError) as refused:
        built(root, tmp_path / "out")
    assert "read_things: 0.0 MB unzipped" in str(refused.value)
    assert "answer:" not in str(refused.value)
    assert not (tmp_path / "out/zips").exists()


@pytest.mark.parametrize(("more", "refused"), [(0, 0), (1, 1)])
def test_the_limit_is_lambdas_to_the_byte(more: int, refused: int) -> None:
    weight = sizes.Weight("f", 100, {"a": 262_144_000 - 100 + more})
    assert len(weight.faults) == refused


def test_a_sixth_layer_is_refused() -> None:
    assert sizes.Weight("f", 1, dict.fromkeys("abcde", 1)).faults == []
    assert len(sizes.Weight("f", 1, dict.fromkeys("abcdef", 1)).faults) == 1


def test_a_layer_without_code_or_lock_is_refused(tmp_path: Path) -> None:
    root = repository(tmp_path / "r")
    (root / "layers/data/python/data_things.py").unlink()
    (root / "layers/data/python").rmdir()
    with pytest.raises(PackagingError, match="make lock"):
        built(root, tmp_path / "out")


class TestImports:
    """Handlers load from exactly what is packaged, in an interpreter that sees nothing else."""

    def check(self, root: Path, into: Path) -> list[importing.Imported]:
        found, made = built(root, into)
        return importing.check(found, made.tree, sys.executable, root=root)

    def test_every_function_loads_with_its_environment_and_its_services(self, tmp_path: Path) -> None:
        found = self.check(repository(tmp_path / "r"), tmp_path / "out")
        assert {i.function for i in found} == {"read_things", "answer"}
        assert all(i.service >= i.module > 0 for i in found)

    def test_a_module_of_a_layer_that_the_function_lacks_is_missed(self, tmp_path: Path) -> None:
        root = repository(tmp_path / "r")
        (root / "functions/answer/handler.py").write_text("import data_things\nhandler = print\n")
        with pytest.raises(PackagingError, match=r"(?s)^answer:.*No module named 'data_things'"):
            self.check(root, tmp_path / "out")

    def test_what_only_this_machine_has_is_missed_even_where_it_is_imported_late(
        self, tmp_path: Path
    ) -> None:
        root = repository(tmp_path / "r")
        late = "def handler(event, context):\n    import pytest\n    return pytest\n"
        (root / "functions/answer/handler.py").write_text(late)
        with pytest.raises(PackagingError, match="pytest is in no layer"):
            self.check(root, tmp_path / "out")

    def test_a_service_that_cannot_be_wired_is_told(self, tmp_path: Path) -> None:
        root = repository(tmp_path / "r")
        wiring = root / "layers/huitong/python/huitong/wiring.py"
        wiring.write_text("def build_reader():\n    from huitong import nowhere\n")
        with pytest.raises(PackagingError, match=r"(?s)^read_things:.*nowhere"):
            self.check(root, tmp_path / "out")
