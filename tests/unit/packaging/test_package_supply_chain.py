"""Bill of materials, licences, vulnerabilities (issue 5, S-18)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

import pytest
from infra.packaging import auditing, licences, locks, plan, sbom
from infra.packaging.plan import ROOT, Layer, Plan, Target

DEPLOYED = sorted(
    {
        (pin.name, pin.version)
        for layer in plan.read(ROOT / "template.yaml").layers
        if (ROOT / layer.folder / locks.LOCK).is_file()
        for pin in locks.pins((ROOT / layer.folder / locks.LOCK).read_text())
    }
)
HERE = Target("3.13", "x86_64")


class TestLicences:
    @pytest.mark.parametrize(("name", "version"), DEPLOYED)
    def test_every_deployed_package_is_under_a_licence_that_allows_it(self, name: str, version: str) -> None:
        try:
            package = distribution(name)
        except PackageNotFoundError:
            pytest.skip("not of this Python")
        if package.version != version:
            pytest.skip("the version of another Python")
        assert licences.of(package).fault == ""
        assert sbom.forbidden(package) == []

    @pytest.mark.parametrize(
        ("expression", "allowed"),
        [
            ("MIT", True),
            ("MIT OR GPL-3.0-only", True),
            ("MIT AND GPL-3.0-only", False),
            ("BSD-3-Clause AND (Apache-2.0 OR LGPL-2.1-only)", True),
            ("MIT/Apache-2.0", True),
            ("AGPL-3.0-only", False),
            ("Apache-2.0 WITH LLVM-exception", True),
            ("No-Such-Licence", False),
            ("MIT AND", False),
            ("", False),
        ],
    )
    def test_one_of_alternatives_and_all_of_a_sum_must_be_allowed(
        self, expression: str, allowed: bool
    ) -> None:
        assert licences.allowed(expression) is allowed

    def test_a_package_that_says_nothing_exact_is_a_fault_until_somebody_reads_it(
        self, tmp_path: Path
    ) -> None:
        vague = installed(tmp_path, "vague", "Classifier: License :: OSI Approved :: BSD License")
        assert "READ" in licences.of(vague).fault
        copyleft = installed(tmp_path, "copyleft", "License-Expression: GPL-3.0-only")
        assert licences.of(copyleft).fault == "copyleft 1.0: GPL-3.0-only"

    def test_what_is_compiled_into_a_package_counts_too(self, tmp_path: Path) -> None:
        package = installed(tmp_path, "thing", "License-Expression: MIT")
        inside = [
            {"type": "library", "name": "viral", "version": "2", "licenses": [{"license": {"id": "GPL-3.0-only"}}]},
            {"type": "library", "name": "perhaps", "scope": "optional", "licenses": [{"license": {"id": "GPL-3.0-only"}}]},
            {"type": "library", "name": "crate", "licenses": [{"expression": "MIT/Apache-2.0"}]},
        ]  # fmt: skip
        contains(tmp_path, "thing", inside)
        assert sbom.forbidden(package) == ["thing 1.0 has viral in it: GPL-3.0-only"]


def installed(folder: Path, name: str, *said: str) -> Any:
    place = folder / f"{name}-1.0.dist-info"
    place.mkdir(parents=True)
    lines = ["Metadata-Version: 2.4", f"Name: {name}", "Version: 1.0", *said]
    (place / "METADATA").write_text("\n".join(lines) + "\n")
    from importlib.metadata import Distribution

    return Distribution.at(place)


def contains(folder: Path, name: str, components: list[dict[str, Any]]) -> None:
    place = folder / f"{name}-1.0.dist-info/sboms/inside.cdx.json"
    place.parent.mkdir()
    place.write_text(json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": components}))


class TestBillOfMaterials:
    def written(self, root: Path, write: Any = sbom.made) -> dict[str, Any]:
        return dict(json.loads(write(Plan((), (Layer("L", "layers/data"),)), HERE, root, "1.2")))

    def test_it_names_every_package_with_licence_layer_and_what_is_inside(self, tmp_path: Path) -> None:
        folder = tmp_path / "layers/data/python"
        installed(folder, "thing", "License-Expression: MIT", "Requires-Dist: other>=1")
        installed(folder, "other", "License: Apache License 2.0")
        contains(
            folder,
            "thing",
            [{"type": "library", "name": "openssl", "version": "4", "purl": "pkg:generic/openssl@4"}],
        )
        found = self.written(tmp_path, sbom.write)  # which CycloneDX's schema judges
        parts = {c["name"]: c for c in found["components"]}
        assert set(parts) == {"thing", "other"}
        assert parts["thing"]["purl"] == "pkg:pypi/thing@1.0"
        assert parts["thing"]["licenses"] == [{"expression": "MIT"}]
        assert parts["other"]["licenses"] == [{"expression": "Apache-2.0"}]
        assert [c["purl"] for c in parts["thing"]["components"]] == ["pkg:generic/openssl@4"]
        depends = {d["ref"]: d.get("dependsOn", []) for d in found["dependencies"]}
        assert depends["pkg:pypi/thing@1.0"] == ["pkg:pypi/other@1.0"]
        assert len(depends["huitong"]) == 2

    def test_it_has_no_time_and_the_same_number_for_the_same_packages(self, tmp_path: Path) -> None:
        installed(tmp_path / "a/layers/data/python", "thing", "License: MIT")
        installed(tmp_path / "b/layers/data/python", "thing", "License: MIT")
        installed(tmp_path / "c/layers/data/python", "other", "License: MIT")
        one, same, other = (self.written(tmp_path / name) for name in "abc")
        assert one == same
        assert "timestamp" not in one["metadata"]
        assert one["serialNumber"] != other["serialNumber"]


class Advisories:
    """Sources that answer as pip-audit reports them."""

    def __init__(self, *sources: str, weak: Sequence[str] = (), unknown: Sequence[str] = ()) -> None:
        self.sources, self.weak, self.unknown = sources, {*weak, auditing.CANARY}, set(unknown)

    def __call__(self, source: str, requirements: Sequence[str]) -> list[dict[str, Any]] | None:
        if source == "osv" and source not in self.sources:
            return None  # not reached
        assert len({r.partition("==")[0] for r in requirements}) == len(requirements), "one version at a time"
        return [self._entry(source, *r.split("==")) for r in requirements]

    def _entry(self, source: str, name: str, version: str) -> dict[str, Any]:
        if source not in self.sources or name in self.unknown:  # a mirror without advisories
            return {"name": name, "skip_reason": "not found"}
        known = {"id": f"PYSEC-{name}", "aliases": [f"CVE-{name}"], "fix_versions": ["9"]}
        weak = f"{name}=={version}" in self.weak
        return {"name": name, "version": version, "vulns": [known] if weak else []}


class TestAudit:
    PINS = tuple(locks.Pin(name, version, "", frozenset()) for name, version in ("a1", "b2", "b3"))

    def told(self, ask: Advisories, allowed: str = "") -> tuple[int, str]:
        return auditing.report(auditing.audit(self.PINS, ask), auditing.accepted(allowed, date(2026, 6, 1)))

    def test_a_mirror_without_advisories_is_no_clean_bill(self) -> None:
        status, text = self.told(Advisories())
        assert status == auditing.NOT_SCANNED
        assert "NOT SCANNED" in text
        assert "未扫描" in text

    @pytest.mark.parametrize("source", auditing.SOURCES)
    def test_the_first_source_that_knows_an_old_weakness_is_believed(self, source: str) -> None:
        assert self.told(Advisories(source))[0] == 0
        status, text = self.told(Advisories(source, weak=["b==3"]))
        assert status == 1
        assert f"advisories of {source}" in text
        assert "b 3: PYSEC-b CVE-b; fixed in 9" in text
        assert "b 2" not in text

    def test_a_package_that_the_source_does_not_know_is_told_and_fails(self) -> None:
        status, text = self.told(Advisories("pypi", unknown=["a"]))
        assert status == 1
        assert "NOT ASKED a" in text

    @pytest.mark.parametrize(("until", "status"), [("2026-06-02", 0), ("2026-06-01", 1)])
    def test_a_weakness_is_accepted_for_a_while_with_a_reason(self, until: str, status: int) -> None:
        ask = Advisories("pypi", weak=["a==1"])
        assert self.told(ask, f"CVE-a until {until} not reached by our code")[0] == status
        assert self.told(ask, f"CVE-a until {until}")[0] == 1  # no reason

    def test_what_is_accepted_in_the_repository_can_be_read(self) -> None:
        lines = [line for line in auditing.ACCEPTED.read_text().splitlines() if line and line[0] != "#"]
        assert len(auditing.accepted(auditing.ACCEPTED.read_text(), date.min)) == len(lines)
