"""Ids of resources are parts of keys and addresses: none may lie where other things are."""

from __future__ import annotations

import pytest

from huitong.contracts import odcs
from huitong.intake.uploads import safe_filename

TEXT = """
apiVersion: v3.1.0
kind: DataContract
id: {id}
version: 1.0.0
status: active
schema:
  - name: {name}
    properties:
      - name: k
        logicalType: string
        primaryKey: true
        primaryKeyPosition: 1
"""


@pytest.mark.parametrize("id", ["queries", "Exports", "contracts"])
def test_a_resource_never_shares_a_folder_with_results_exports_or_contracts(id: str) -> None:
    """The staging bucket forgets queries/ after days, and functions write only their own folders."""
    assert odcs.read(TEXT.format(id=id, name="claims")).contract.id == "claims"
    assert odcs.read(TEXT.format(id=id, name=id)).contract.id.startswith("r-")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../other/unit/x.csv", "x.csv"),
        ("..\\..\\x.csv", "x.csv"),
        ("%2e%2e%2fx.csv", "%2e%2e%2fx.csv"),
        ("..", "file"),
        ("a/..", "file"),
        ("x\u202ecsv.exe", "xcsv.exe"),
        ("\x00x\r\n.csv", "x.csv"),
    ],
)
def test_a_filename_stays_in_the_folder_of_its_upload(given: str, kept: str) -> None:
    assert safe_filename(given) == kept
    assert "/" not in safe_filename(given)
