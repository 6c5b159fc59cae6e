"""A workbook of 100,000 rows given back: made, and what that costs in time and memory."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Cost, in_fresh_process

ROWS = 100_000
UNIT = "1144030000AA01123N"
CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: bench-returned
version: 1.0.0
status: active
schema:
  - name: bench_returned
    properties:
      - {name: id, logicalType: string, primaryKey: true, primaryKeyPosition: 1}
      - {name: amount, logicalType: number, physicalType: "decimal(18,2)"}
"""


def write(path: Path) -> None:
    """Every second amount is wrong: the worst that still is accepted in part."""
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["id", "amount", *(f"c{n}" for n in range(10))])
        for row in range(1, ROWS + 1):
            amount = f"{row}.50" if row % 2 else "元"
            sheet.write_row(row, 0, [f"{row:018}", amount, *(f"{row * n}.50" for n in range(10))])


def deliver(folder: Path) -> str:
    """The workbook taken in and checked, in a folder; its batch."""
    from huitong.local.platform import Platform, ports_in

    path = folder / "workbook.xlsx"
    write(path)
    platform = Platform(ports_in(folder / "platform"))
    platform.contracts.put(CONTRACT, by="bench", provider=UNIT)
    batch = platform.deliver(path, "bench-returned", UNIT)
    platform.ports.register.keep()  # type: ignore[attr-defined]
    return batch.id


def give_back(folder: Path, batch: str, *, whole: bool) -> None:
    from huitong.audit.trace import Traces
    from huitong.intake.profiles import Profiles
    from huitong.intake.uploads import Uploads
    from huitong.local.platform import Platform, ports_in
    from huitong.quality.returning.give_back import GiveBack

    p = ports_in(folder / "platform")
    platform = Platform(p)
    desk = GiveBack(
        p.register, p.landing, p.staging, platform.contracts, Uploads(p.register, p.landing, p.clock),
        Profiles(p.register), platform.batches, Traces(p.register, p.clock), p.clock,
    )  # fmt: skip
    made = desk.make(platform.batches.get(batch).batch, whole=whole)
    if made.rows != (ROWS if whole else ROWS // 2):
        raise RuntimeError(f"{made.rows} rows were written")


def run(folder: Path) -> list[tuple[str, Cost]]:
    import shutil

    place = folder / "returned"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    batch = deliver(place)
    call = "from benchmarks.returned import *; from pathlib import Path; "
    made = f"{call}give_back(Path('{place}'), '{batch}', whole="
    return [
        ("rows in quarantine (50,000 of 100,000)", in_fresh_process(f"{made}False)")),
        ("all 100,000 rows", in_fresh_process(f"{made}True)")),
    ]
