"""How much one query may take (S-34)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    seconds: float = 25.0
    memory_mb: int = 512
    temp_mb: int = 1024  # what sorts and joins may write to disk beyond the memory
    threads: int = 2
    rows: int = 1_000_000
    result_bytes: int = 256 << 20
