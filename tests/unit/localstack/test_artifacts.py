"""Packaging: what goes into the zips, and a template that names them."""

from __future__ import annotations

import io
import json
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

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


LOOPED = """
Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]
Resources:
  AQueue: {Type: "AWS::SQS::Queue"}
  BQueue: {Type: "AWS::SQS::Queue"}
  Fn::ForEach::Watched:
    - Name
    - [A, B]
    - ${Name}Alarm:
        Type: AWS::CloudWatch::Alarm
        Properties:
          AlarmDescription: !Sub "${Name} of ${AWS::StackName}"
          MetricName: !Ref Name
          Namespace: "${Name} stays"
          Dimensions:
            - {Value: {Ref: !Sub "${Name}Queue"}}
            - {Value: !GetAtt [!Sub "${Name}Queue", QueueName]}
            - {Value: !Sub ["${Queue}-${Name}", {Queue: {Ref: !Sub "${Name}Queue"}}]}
"""


def test_loops_are_written_out_and_nothing_is_left_to_do_for_their_transform() -> None:
    read = artifacts.read_template(LOOPED)
    assert read["Transform"] == "AWS::Serverless-2016-10-31"
    assert read["Resources"]["BAlarm"]["Properties"] == {
        "AlarmDescription": {"Fn::Sub": "B of ${AWS::StackName}"},
        "MetricName": "B",
        "Namespace": "${Name} stays",
        "Dimensions": [
            {"Value": {"Ref": "BQueue"}},
            {"Value": {"Fn::GetAtt": ["BQueue", "QueueName"]}},
            {"Value": {"Fn::Sub": ["${Queue}-B", {"Queue": {"Ref": "BQueue"}}]}},
        ],
    }


def test_loops_of_our_template_are_written_out_as_the_emulator_measured_it_on_aws(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from ministack.services.cloudformation import language_extensions

    text = (ROOT / "template.yaml").read_text()
    monkeypatch.setattr(artifacts, "_unrolled", lambda fragment: fragment)
    by_the_emulator = language_extensions.apply(artifacts.read_template(text), {})["Resources"]
    monkeypatch.undo()
    ours = plain_texts(artifacts.read_template(text)["Resources"])
    assert len(ours) > 150
    assert ours == plain_texts(by_the_emulator)


def plain_texts(node: Any) -> Any:
    """A Fn::Sub with nothing to put in is its text."""
    if isinstance(node, list):
        return [plain_texts(one) for one in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Fn::Sub"} and isinstance(node["Fn::Sub"], str) and "${" not in node["Fn::Sub"]:
        return node["Fn::Sub"]
    return {key: plain_texts(value) for key, value in node.items()}


def test_a_file_that_is_drawn_in_stands_where_it_was_named(tmp_path: Path) -> None:
    template = world(tmp_path)
    template.write_text(
        f"{TEMPLATE}    Metadata: {{Fn::Transform: {{Name: AWS::Include, Parameters: {{Location: in.json}}}}}}\n"
    )
    (tmp_path / "in.json").write_text('{"a": {"Ref": "L"}}')
    assert artifacts.assembled(template)["Resources"]["L"]["Metadata"] == {"a": {"Ref": "L"}}
