"""``backup key|export|manifest|restore|compare``: for those who hold rights on AWS; no function can do it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated, Any

import typer

from huitong.cli.options import Json
from huitong.cli.showing import REFUSED, command, note, show_json, show_table

backup = typer.Typer(help="备份与恢复 / backup and restore", no_args_is_help=True)

Stack = Annotated[str, typer.Option("--stack", help="CloudFormation 栈名 / name of the stack")]
Region = Annotated[str, typer.Option("--region", help="AWS 区域 / region")]
Endpoint = Annotated[str, typer.Option("--endpoint", help="模拟器地址 / an emulator's address")]
KeyFile = Annotated[
    Path, typer.Option("--key-file", help="密钥文件,与备份分开保管 / kept apart from the backup")
]


def register(app: typer.Typer) -> None:
    app.add_typer(backup, name="backup")


@backup.command("key")
@command
def key(file: Path, as_json: Json = False) -> None:
    """生成备份密钥 / Make a key for backups. Without it no backup is ever read again."""
    from huitong.operating.backup.cipher import write_key

    write_key(file)
    if as_json:
        show_json({"file": str(file)})
    else:
        note(f"✓ {file}")


@backup.command("export")
@command
def export(
    folder: Path,
    key_file: KeyFile,
    stack: Stack = "huitong",
    region: Region = "",
    endpoint: Endpoint = "",
    register_table: Annotated[str, typer.Option(help="代替登记表 / read this table for the register")] = "",
    evidence_table: Annotated[str, typer.Option(help="代替证据表 / read this table for the evidence")] = "",
    as_json: Json = False,
) -> None:
    """备份到目录 / Everything of a deployment into an empty folder, encrypted.

    For one consistent moment give the copies that point-in-time recovery makes of both tables
    (docs/operate/restore.md); else nothing of the deployment moves while its tables are read.
    """
    from huitong.aws.backup.export import Export
    from huitong.aws.backup.site import Site
    from huitong.operating.backup.cipher import read_key

    site = Site.at(stack, endpoint=endpoint, region=region)
    began = time.monotonic()
    work = Export(site, folder, read_key(key_file), {"register": register_table, "evidence": evidence_table})
    if register_table and evidence_table:
        told = work.run()
    else:
        with site.standing_still():
            told = work.run()
    _end(told, began, as_json)


@backup.command("manifest")
@command
def manifest(folder: Path, key_file: KeyFile, as_json: Json = False) -> None:
    """备份内容 / What a backup holds, and the signers that a restored deployment must trust."""
    from huitong.aws.backup.restore import Restore
    from huitong.aws.backup.site import Site
    from huitong.operating.backup.cipher import read_key

    del as_json  # a manifest is JSON either way
    show_json(Restore(Site.at("none", endpoint="http://none"), folder, read_key(key_file)).manifest())


@backup.command("restore")
@command
def restore(
    folder: Path,
    key_file: KeyFile,
    stack: Stack = "huitong",
    region: Region = "",
    endpoint: Endpoint = "",
    as_json: Json = False,
) -> None:
    """恢复到空部署 / Into an empty deployment, whatever its buckets are called."""
    from huitong.aws.backup.restore import Restore
    from huitong.aws.backup.site import Site
    from huitong.operating.backup.cipher import read_key

    began = time.monotonic()
    told = Restore(Site.at(stack, endpoint=endpoint, region=region), folder, read_key(key_file)).run()
    _end(told, began, as_json)


@backup.command("compare")
@command
def compare(
    stack: Stack = "huitong",
    region: Region = "",
    endpoint: Endpoint = "",
    other_stack: Annotated[str, typer.Option(help="另一部署 / the other deployment")] = "huitong",
    other_region: Annotated[str, typer.Option()] = "",
    other_endpoint: Annotated[str, typer.Option()] = "",
    as_json: Json = False,
) -> None:
    """比较两个部署 / Whether two deployments hold the same: tables, now and at first, registers, evidence."""
    from huitong.aws.backup.compare import digests
    from huitong.aws.backup.site import Site
    from huitong.operating.backup.digests import differences

    here = digests(Site.at(stack, endpoint=endpoint, region=region))
    there = digests(Site.at(other_stack, endpoint=other_endpoint, region=other_region))
    found = [one.as_dict() for one in differences(here, there)]
    if as_json:
        compared = {name: digest.rows for name, digest in here.items()}
        show_json({"compared": compared, "differences": found})
    elif found:
        show_table(found, {"name": "项目 what", "here": "此处 here", "there": "彼处 there"})
    else:
        note(f"✓ {len(here)} 项相同 digests are equal")
    if found:
        raise SystemExit(REFUSED)


def _end(told: dict[str, Any], began: float, as_json: bool) -> None:
    told = {**told, "seconds": round(time.monotonic() - began, 1)}
    if as_json:
        show_json(told)
    else:
        counts = told.get("restored") or told["counts"]
        note(
            "✓ "
            + ", ".join(f"{name} {count:,}" for name, count in counts.items())
            + f" · {told['seconds']} s"
        )
