"""A little repository with a template, functions and layers of its own code, to be packaged."""

from __future__ import annotations

from pathlib import Path

TEMPLATE = """
Parameters:
  PythonRuntime: {Type: String, Default: python3.13, AllowedValues: [python3.12, python3.13]}
  Architecture: {Type: String, Default: x86_64, AllowedValues: [x86_64, arm64]}
  Stage: {Type: String, Default: prod}
Globals:
  Function:
    Handler: handler.handler
    Environment: {Variables: {STAGE: !Ref Stage, TABLE: !Ref Table}}
Resources:
  Table: {Type: AWS::DynamoDB::Table}
  ReadThingsFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/read_things/, Layers: [!Ref OwnLayer, !Ref DataLayer]}
  AnswerFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: functions/answer/, Layers: [!Ref OwnLayer], Environment: {Variables: {QUEUE_URL: !Ref Q}}}
  OwnLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/huitong/}
  DataLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layers/data/}
"""
FILES = {
    "functions/read_things/handler.py": "import data_things\nfrom huitong import wiring\n\n\n"
    "def handler(event, context):\n    return wiring.build_reader()\n",
    "functions/answer/handler.py": "import os\n\nTABLE = os.environ['TABLE']\n\n\n"
    "def handler(event, context):\n    return TABLE\n",
    "functions/answer/__pycache__/handler.pyc": "junk",
    "layers/huitong/python/huitong/__init__.py": "",
    "layers/huitong/python/huitong/errors.py": "class Fault(Exception):\n    pass\n",
    "layers/huitong/python/huitong/wiring.py": "def build_reader():\n    import data_things\n\n    return data_things\n",
    "layers/huitong/python/huitong/cli/main.py": "import typer\n",
    "layers/data/python/data_things.py": "VALUE = 1\n",
}


def repository(root: Path) -> Path:
    """The root, filled."""
    for name, text in {"template.yaml": TEMPLATE, **FILES}.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root
