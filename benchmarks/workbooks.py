"""A workbook of 100,000 rows and 12 columns through the platform's reader, beside the bare libraries."""

from __future__ import annotations

from pathlib import Path

from benchmarks.measure import Cost, in_fresh_process

ROWS = 100_000


def write(path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(path, {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, [f"c{n}" for n in range(12)])
        for row in range(1, ROWS + 1):
            sheet.write_row(
                row, 0, [f"{row:018}", f"债权人{row % 5000}", *(f"{row * n}.50" for n in range(10))]
            )


def fastexcel(path: Path) -> None:
    import fastexcel

    fastexcel.read_excel(path).load_sheet(0, dtypes="string").to_arrow()


def platform(path: Path) -> None:
    from huitong.contracts.model import Contract, Field
    from huitong.intake.layout import Layout
    from huitong.intake.readers.excel import open_excel
    from huitong.intake.readers.header import Names

    contract = Contract("bench", 1, "", tuple(Field(f"c{n}") for n in range(12)))
    table = open_excel(path, "xlsx", Layout(), Names(contract))
    rows = sum(block.columns[0].__len__() for block in table.blocks(range(12)))
    if rows != ROWS:
        raise RuntimeError(f"{rows} rows instead of {ROWS}")


def run(folder: Path) -> list[tuple[str, Cost]]:
    path = folder / "workbook.xlsx"
    folder.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        write(path)
    call = "from benchmarks.workbooks import *; from pathlib import Path; "
    return [
        ("fastexcel alone", in_fresh_process(f"{call}fastexcel(Path('{path}'))")),
        ("the platform's reader", in_fresh_process(f"{call}platform(Path('{path}'))")),
    ]
