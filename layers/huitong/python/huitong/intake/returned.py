"""The columns that the platform adds to a file that it gives back (huitong.quality.returning).

A returned file is mended and delivered again as it is: these columns are known
then, whatever the contract says, and none of them is data. Light to import.
"""

from __future__ import annotations

from typing import Final

#: The number of a row in the file that was delivered first, and what is wrong with it.
ROW_COLUMN: Final = "原行号 Original row (Huitong)"
PROBLEMS_COLUMN: Final = "问题 Problems (Huitong)"
#: In formats without room for two languages in a cell: one column for each.
ZH_COLUMN: Final = "问题 (Huitong)"
EN_COLUMN: Final = "Problems (Huitong)"
#: Members of JSON objects.
ROW_MEMBER: Final = "_row"
PROBLEMS_MEMBER: Final = "_problems"

#: The staged column of :data:`ROW_COLUMN`, of a delivery that mends.
ORIGINAL_ROW: Final = "_original_row"

ROW_NAMES: Final = (ROW_COLUMN, ROW_MEMBER)
COLUMNS: Final = (*ROW_NAMES, PROBLEMS_COLUMN, ZH_COLUMN, EN_COLUMN, PROBLEMS_MEMBER)
