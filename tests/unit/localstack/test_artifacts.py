"""Packaging: what goes into the zips, and a template that names them."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "localstack"))
import artifacts  # noqa: E402

TEMPLATE = """
Resources:
  A:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/a/, Layers: [!Ref L], Environment: !Sub "${X}", N: !GetAtt B.Arn.Sub}
  L:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer/, C: !If [OnAws, 1, !Ref AWS::NoValue], D: !Equals [!Ref Stage, local]}
"""


def world(root: Path) -> Path:
    (root / "functions/a/__pycache__").mkdir(parents=True)
    (root / "functions/a/handler.py").write_text("x = 1\n")
    (root / "functions/a/__pycache__/handler.pyc").write_text("junk")
    (root / "layer/python/huitong").mkdir(parents=True)
    (root / "layer/python/huitong/__init__.py").write_text("")
    (root / "layer/python/huitong.egg-info").mkdir()
    (root / "layer/python/huitong.egg-info/PKG-INFO").write_text("junk")
    (root / "template.yaml").write_text(TEMPLATE)
    return root / "template.yaml"


def test_the_packaged_template_names_zips_with_the_sources_only(tmp_path: Path) -> None:
    made = artifacts.package(world(tmp_path), "bucket")
    resources = json.loads(made.template)["Resources"]
    code = resources["A"]["Properties"]["CodeUri"]
    assert code["Bucket"] == "bucket"
    assert zipfile.ZipFile(io.BytesIO(made.files[code["Key"]])).namelist() == ["handler.py"]
    layer = resources["L"]["Properties"]["ContentUri"]["Key"]
    assert zipfile.ZipFile(io.BytesIO(made.files[layer])).namelist() == ["python/huitong/__init__.py"]


def test_unchanged_sources_make_the_same_zip_and_changed_ones_another(tmp_path: Path) -> None:
    template = world(tmp_path)
    before = artifacts.package(template, "bucket")
    (tmp_path / "functions/a/handler.py").touch()
    assert artifacts.package(template, "bucket") == before
    (tmp_path / "functions/a/handler.py").write_text("x = 2\n")
    after = artifacts.package(template, "bucket")
    assert len(set(before.files) & set(after.files)) == 1


def test_short_forms_are_spelled_out() -> None:
    read = artifacts.read_template(TEMPLATE)["Resources"]
    function, layer = read["A"]["Properties"], read["L"]["Properties"]
    assert function["Layers"] == [{"Ref": "L"}]
    assert function["Environment"] == {"Fn::Sub": "${X}"}
    assert function["N"] == {"Fn::GetAtt": ["B", "Arn.Sub"]}
    assert layer["C"] == {"Fn::If": ["OnAws", 1, {"Ref": "AWS::NoValue"}]}
    assert layer["D"] == {"Fn::Equals": [{"Ref": "Stage"}, "local"]}


def test_the_layer_holds_the_package_with_its_data_files() -> None:
    """What runs in the cloud must find the data it reads, such as code tables."""
    names = zipfile.ZipFile(io.BytesIO(artifacts.zipped(ROOT / "layers/huitong"))).namelist()
    package = ROOT / "layers/huitong/python/huitong"
    wanted = {p.relative_to(ROOT / "layers/huitong").as_posix() for p in package.rglob("*") if p.is_file()}
    assert {n for n in wanted if "__pycache__" not in n} == set(names)
