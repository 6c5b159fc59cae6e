"""Checkov over the templates: ``python infra/checkov/check.py CHECKOV``.

CHECKOV is the program of the environment made from requirements.lock beside this file. Its rules are a second
opinion beside infra/lint_rules; what is skipped stands here, each with its reason.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "localstack"))
import artifacts  # noqa: E402

TEMPLATES = ("template.yaml", "infra/second-site.yaml")
SKIPPED = {
    "CKV_AWS_18": "who read which object stands in the account's CloudTrail and, for people, in the evidence",
    "CKV_AWS_33": "the keys' '*' is bound to this account and to one service (ViaService, CallerAccount)",
    "CKV_AWS_115": "reserved concurrency is a parameter (ReservedForApi); IntakeConcurrency limits intake",
    "CKV_AWS_116": "E9101 and E9111 know more: queues redrive, runs by the clock have OnFailure",
    "CKV_AWS_117": "docs/decisions/template.md: no VPC, and why",
    "CKV_AWS_120": "an answer depends on who asks; a cache in the gateway would give it to another",
    "CKV_AWS_173": "no secret is in an environment variable; they are sealed in the register under DataKey",
}


def main(checkov: str) -> int:
    """0 when nothing but what is skipped was found."""
    with tempfile.TemporaryDirectory() as folder:
        for template in TEMPLATES:
            document = artifacts.assembled(ROOT / template)
            for resource in document["Resources"].values():
                resource.get("Properties", {}).pop(
                    "DefinitionBody", None
                )  # no rule reads it, and it takes a minute
            (Path(folder) / f"{Path(template).stem}.json").write_text(json.dumps(document, indent=1))
        command = [checkov, "--directory", folder, "--framework", "cloudformation", "--compact", "--quiet"]
        command += ["--skip-download", "--skip-check", ",".join(SKIPPED)]
        return subprocess.run(command, check=False).returncode  # noqa: S603 (what the caller names)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
