"""Two data sets matched by key: agree, differ, missing left, missing right (C-14).

For reconciliation: what a unit holds against what is served, or one resource
against another. Works on any two SELECTs over local files
(:func:`huitong.warehouse.reading.relation` makes them), in bounded memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from huitong.comparison.engine import fetched, session
from huitong.errors import BadRequest
from huitong.warehouse.sql import names, quoted, text

Verdict = Literal["agree", "differ", "missing-left", "missing-right"]

MEMORY_MB: Final = 300


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One key on which the sides do not agree."""

    verdict: Verdict
    key: tuple[Any, ...]
    columns: tuple[str, ...]  # those that differ; empty when the row is missing


@dataclass(frozen=True, slots=True)
class MatchReport:
    """``missing_left`` counts keys that only the right side has. ``sample`` is the first ones by key."""

    agree: int
    differ: int
    missing_left: int
    missing_right: int
    sample: tuple[Disagreement, ...]


def match(
    left: str, right: str, keys: Sequence[str], columns: Sequence[str], *, sample: int = 100
) -> MatchReport:
    """Compare two SELECTs that have these key and content columns of comparable types.

    Null equals null, in keys and in content. Raises BadRequest when a key stands
    twice on one side: then no report would be true.
    """
    same = " AND ".join(f"l.{quoted(k)} IS NOT DISTINCT FROM r.{quoted(k)}" for k in keys)
    key = ", ".join(
        f'CASE WHEN l."#in" THEN l.{quoted(k)} ELSE r.{quoted(k)} END AS {quoted(k)}' for k in keys
    )
    differing = ", ".join(
        f"CASE WHEN l.{quoted(c)} IS DISTINCT FROM r.{quoted(c)} THEN {text(c)} END" for c in columns
    )
    differing = f"list_filter([{differing or 'NULL::VARCHAR'}], lambda c: c IS NOT NULL)"
    with session(MEMORY_MB) as db:
        for side, sql in (("l", left), ("r", right)):
            db.execute(f'CREATE TEMP VIEW {side} AS SELECT *, true AS "#in" FROM ({sql})').fetchall()
            _refuse_repeated_keys(side, keys, db)
        db.execute(f"""
            CREATE TEMP TABLE matched AS SELECT {key},
                CASE WHEN l."#in" AND r."#in" THEN {differing} END AS "#columns",
                CASE WHEN r."#in" IS NULL THEN 'missing-right' WHEN l."#in" IS NULL THEN 'missing-left'
                    WHEN len("#columns") > 0 THEN 'differ' ELSE 'agree' END AS "#verdict"
            FROM l FULL JOIN r ON {same}""").fetchall()
        counted = dict(db.execute('SELECT "#verdict", count(*) FROM matched GROUP BY ALL').fetchall())
        shown = fetched(
            db,
            f"""
            SELECT "#verdict", "#columns", {names(keys)} FROM matched WHERE "#verdict" <> 'agree'
            ORDER BY {names(keys)} LIMIT {int(sample)}""",
        )
    return MatchReport(
        agree=counted.get("agree", 0),
        differ=counted.get("differ", 0),
        missing_left=counted.get("missing-left", 0),
        missing_right=counted.get("missing-right", 0),
        sample=tuple(Disagreement(verdict, tuple(rest), tuple(c or ())) for verdict, c, *rest in shown),
    )


def _refuse_repeated_keys(side: str, keys: Sequence[str], db: Any) -> None:
    (repeated,) = db.execute(
        f"SELECT count(*) FROM (SELECT 1 FROM {side} GROUP BY {names(keys)} HAVING count(*) > 1)"
    ).fetchall()[0]
    if repeated:
        zh, en = ("左", "left") if side == "l" else ("右", "right")
        raise BadRequest(
            f"{zh}侧有 {repeated} 个键重复,不能核对",
            f"{repeated} keys stand more than once on the {en} side: the sides cannot be matched",
            side=en,
            keys=repeated,
        )
