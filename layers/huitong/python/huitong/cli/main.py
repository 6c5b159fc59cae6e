"""``huitong``: the command line, for people and scripts, against any deployment.

Exit status: 0 success; 1 refused or failed; 2 wrong usage; 3 held, waiting for
a decision; 4 still under way when the waiting time was over.
"""

from __future__ import annotations

from typing import Annotated

import typer

from huitong import __version__
from huitong.cli import (
    applications,
    audit,
    backup,
    batches,
    cases,
    catalog_whole,
    contracts,
    corrections,
    data,
    delivering,
    doctor,
    exports,
    identity,
    installation,
    mending,
    open_access,
    operating,
    profiling,
    quality_issues,
    registers,
    rules,
    standing,
    subscriptions,
    supervision,
)
from huitong.cli.options import choose

app = typer.Typer(
    name="huitong",
    help="汇通:报送、查看批次、查询与订阅 / deliver, follow batches, query and subscribe.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for part in (
    audit,
    contracts,
    delivering,
    exports,
    batches,
    data,
    subscriptions,
    registers,
    standing,
    supervision,
    quality_issues,
    identity,
    applications,
    cases,
    catalog_whole,
    corrections,
    mending,
    open_access,
    operating,
    doctor,
    backup,
    installation,
    rules,
    profiling,
):
    part.register(app)


def _version(wanted: bool) -> None:
    if wanted:
        print(__version__)
        raise typer.Exit


@app.callback()
def _main(
    profile_file: Annotated[
        str,
        typer.Option(
            "--profile-file", help="连接配置 / JSON with api_url, token, unit", envvar="HUITONG_PROFILE"
        ),
    ] = "",
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="版本 / version")
    ] = False,
) -> None:
    del version
    choose(profile_file)
