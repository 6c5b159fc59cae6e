"""uv, with which locks are made and wheels installed: the one that stands in this Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from infra.packaging.plan import PackagingError


def pip(*words: str, about: Path) -> None:
    """Run ``uv pip``. Raises PackagingError with uv's words, which are ``about`` this file."""
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "uv", "pip", *words], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise PackagingError(f"{about}: {done.stderr.strip()}")
